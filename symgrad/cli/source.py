"""Where a command's model comes from: a model file, or a formula given as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click

from symgrad.model.formula_text import formula as read_formula
from symgrad.model.model import Model
from symgrad.model.model_file import load_model

Command = TypeVar("Command", bound=Callable[..., Any])

FORMULA = "formula"  # what the model of a formula is called unless --name says otherwise


@dataclass(frozen=True)
class Source:
    """What was said about the model on the command line."""

    file: str | None
    formula: str | None
    shapes: tuple[str, ...]
    wrt: tuple[str, ...]
    name: str | None

    def model(self) -> Model:
        """The model. Raises: click.UsageError, or the SymgradError of the definition."""
        if (self.file is None) == (self.formula is None):
            raise click.UsageError("give either a model file or --formula TEXT")
        if self.file is not None:
            if self.shapes or self.wrt or self.name is not None:
                raise click.UsageError("--shape, --wrt and --name belong to --formula")
            return load_model(self.file)
        assert self.formula is not None
        shapes = _shapes(self.shapes)
        result = read_formula(self.formula, shapes, parameters=self._parameters(shapes))
        if result.shape:
            return Model(self.name or FORMULA, outputs={"value": result})
        return Model(self.name or FORMULA, loss=result)

    def _parameters(self, shapes: dict[str, str]) -> tuple[str, ...]:
        if not self.wrt:
            return tuple(n for n, s in shapes.items() if not s.split()[-1:] or not _is_typed(s))
        unknown = [name for name in self.wrt if name not in shapes]
        if unknown:
            raise click.BadParameter(
                f"{unknown[0]} has no --shape; known: {', '.join(shapes) or 'none'}",
                param_hint="--wrt",
            )
        return self.wrt


def _is_typed(shape: str) -> bool:
    return shape.split()[-1] in ("int", "bool")


def _shapes(texts: tuple[str, ...]) -> dict[str, str]:
    shapes: dict[str, str] = {}
    for name, sizes in map(_shape, texts):
        if name in shapes:
            raise click.BadParameter(f"{name} is given twice", param_hint="--shape")
        shapes[name] = sizes
    return shapes


def _shape(text: str) -> tuple[str, str]:
    name, equals, sizes = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise click.BadParameter(
            f'{text!r} is not NAME=SIZES, such as "X=n d", "y=n int" or "lam="',
            param_hint="--shape",
        )
    return name.strip(), sizes.strip()


def names_in(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Names from an option that is repeated, or holds a list with commas."""
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())


def takes_model(command: Command) -> Command:
    """Gives a command the argument MODEL and the options of a formula, as one `source`."""

    @click.argument("model", required=False, metavar="[MODEL.py[:NAME]]")
    @click.option("--formula", metavar="TEXT", help="A formula instead of a model file.")
    @click.option("--shape", "shapes", multiple=True, metavar="NAME=SIZES",
                  help='Sizes of a tensor of the formula: "X=n d", "y=n int", "lam=".')  # fmt: skip
    @click.option("--wrt", multiple=True, metavar="NAMES",
                  help="The tensors that are trained; by default all of floats.")  # fmt: skip
    @click.option("--name", show_default=FORMULA, metavar="NAME",
                  help="What the formula's model is called.")  # fmt: skip
    @wraps(command)
    def with_source(
        model: str | None,
        formula: str | None,
        shapes: tuple[str, ...],
        wrt: tuple[str, ...],
        name: str | None,
        **rest: Any,
    ) -> Any:
        return command(Source(model, formula, shapes, names_in(wrt), name), **rest)

    return with_source  # type: ignore[return-value]
