"""The module under check: loaded from its file, and called with the arguments that it asks for."""

from __future__ import annotations

import importlib.util
import inspect
import types
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.check.draws import HeldDraws
from symgrad.check.tree import Array, Tree
from symgrad.errors import CheckError

if TYPE_CHECKING:
    from symgrad.check.point import Point

FUNCTIONS = (
    "forward",
    "loss",
    "value_and_grad",
    "input_grad",
    "jvp",
    "vjp",
    "hvp",
    "hessian",
    "jacobian",
    "per_example_grad",
)
Specification = tuple[tuple[int | str, ...], str]
Arrays = dict[str, Array]


def load_module(path: Path) -> types.ModuleType:
    """The module in the file `path`, under a name of its own.

    Raises: CheckError if there is no such file, or it fails on import.
    """
    if not path.is_file():
        raise CheckError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"_checked_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CheckError(f"{path} is not a Python file", fix="give the path of a generated module")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a file does when it runs: it is not ours
        raise CheckError(
            f"{path} cannot be loaded", facts={"cause": f"{type(error).__name__}: {error}"}
        ) from error
    module.__file__ = str(path)  # as it was given, for messages
    return module


class Subject:
    """A generated module and what it declares.

    `reference`: a module of the same model that may have functions which this one lacks; they
    serve as what derivatives are compared with.
    """

    def __init__(self, module: types.ModuleType, reference: types.ModuleType | None = None) -> None:
        self.module = module
        self.name = Path(str(getattr(module, "__file__", module.__name__))).stem
        self.parameters = _declared(module, "PARAMETERS")
        self.inputs = _declared(module, "INPUTS")
        self.outputs = _declared(module, "OUTPUTS") if hasattr(module, "OUTPUTS") else {}
        self.states = _declared(module, "STATE") if hasattr(module, "STATE") else {}
        self.draws = _declared(module, "DRAWS") if hasattr(module, "DRAWS") else {}
        self.distributions: Mapping[str, int] = getattr(module, "DISTRIBUTIONS", {})
        self.held: frozenset[str] = frozenset(getattr(module, "HELD", ()))
        self.functions = tuple(f for f in FUNCTIONS if callable(getattr(module, f, None)))
        self._reference = reference
        self._signatures: dict[Any, tuple[list[str], list[str]]] = {}
        if not self.functions or not callable(getattr(module, "init_params", None)):
            raise _not_generated(module, "init_params and one of " + ", ".join(FUNCTIONS))

    def lower(self, *names: str) -> str | None:
        """The first of the functions `names` that can be called, here or in the reference."""
        return next((name for name in names if self._find(name) is not None), None)

    def call(self, function: str, point: Point, **directions: Tree) -> Tree:
        """What `function` gives at `point`, without the new state.

        `directions`: `tangents` and `cotangents`, where the function has them.
        """
        result = self.call_whole(function, point, **directions)
        if not self.updates_state(function):
            return result
        rest = result[:-1]
        return rest[0] if len(rest) == 1 else rest

    def call_whole(self, function: str, point: Point, **directions: Tree) -> Tree:
        """All that `function` gives, called with those of the arguments that it takes."""
        target = self._find(function)
        assert target is not None, function
        if target not in self._signatures:
            kinds = inspect.signature(target).parameters.values()
            self._signatures[target] = (
                [p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD],
                [p.name for p in kinds if p.kind is p.KEYWORD_ONLY and p.default is p.empty],
            )
        positional, keywords = self._signatures[target]
        given = {"params": point.params, "state": point.state, **directions}
        shapes = tuple(shape for shape, _ in self.draws.values())
        named = {"rng": HeldDraws(shapes, point.sizes, point.alone), **point.inputs}
        with np.errstate(all="ignore"):
            return target(*(given[p] for p in positional), **{k: named[k] for k in keywords})

    def updates_state(self, function: str) -> bool:
        """Whether the last thing that `function` returns is the new state."""
        owner = self.module if function in self.functions else self._reference
        return function in getattr(owner, "UPDATES_STATE", ())

    def reads(self, function: str) -> set[str]:
        """The inputs that `function` takes."""
        target = self._find(function)
        assert target is not None, function
        return set(inspect.signature(target).parameters) & set(self.inputs)

    def init_params(self, seed: int, sizes: Mapping[str, int]) -> Arrays:
        """Fresh parameters in float64."""
        return self._filled("init_params", seed, sizes)

    def init_state(self, seed: int, sizes: Mapping[str, int]) -> Arrays:
        """A state in float64; empty where the module has none."""
        return self._filled("init_state", seed, sizes) if self.states else {}

    def _filled(self, name: str, seed: int, sizes: Mapping[str, int]) -> Arrays:
        function = getattr(self.module, name)
        asked = inspect.signature(function).parameters
        return dict(function(seed, np.float64, **{k: v for k, v in sizes.items() if k in asked}))

    def _find(self, name: str) -> Any:
        if name in self.functions:
            return getattr(self.module, name)
        return getattr(self._reference, name, None)


def _declared(module: types.ModuleType, table: str) -> dict[str, Specification]:
    rows = getattr(module, table, None)
    try:
        assert isinstance(rows, dict)
        return {str(name): (tuple(shape), str(dtype)) for name, (shape, dtype) in rows.items()}
    except (AssertionError, TypeError, ValueError):
        raise _not_generated(module, f"{table} = {{name: (shape, dtype)}}") from None


def _not_generated(module: types.ModuleType, lacks: str) -> CheckError:
    return CheckError(
        f"{getattr(module, '__file__', module.__name__)} is not a module that symgrad generated",
        facts={"lacks": lacks},
        fix="write one with: symgrad compile MODEL.py",
    )
