"""`symgrad health`: how a model's initialisation treats signals and gradients, layer by layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from rich.text import Text
from sympy import Basic, Expr

from symgrad.cli.console import output, progress, table
from symgrad.cli.source import Source, takes_model
from symgrad.drawing.gradient_norms import gradient_norms
from symgrad.errors import OutputError
from symgrad.health import Comparison, Health, Moments, health
from symgrad.health_pages import measured_text, remarks_of, rows_of
from symgrad.measuring import measure


@click.command("health")
@takes_model
@click.option("--size", "sizes", multiple=True, metavar="NAME=N", help="Of a dimension: n=32.")
@click.option("--measure", "measures", is_flag=True,
              help="Also draw parameters and inputs, and measure the emitted code.")  # fmt: skip
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1, 1000),
              help="Over how many draws, with --measure.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True)  # fmt: skip
@click.option("--plot", metavar="FILE.svg", help="Draw the gradient through the depth.")
def health_command(
    source: Source, sizes: tuple[str, ...], measures: bool, seeds: int, form: str, plot: str | None
) -> None:
    """Predict from the formulas how signals and gradients shrink or grow.

    For each layer: the second moment of its output, the gradient that reaches it relative to the
    last layer, the factors from layer to layer, and the variance of weights that would keep the
    gradient's size. Expectations are of wide layers at initialisation, with standard normal inputs.

    \b
    Examples:
      symgrad health examples/digits_mlp.py
      symgrad health examples/digits_mlp.py --measure --size n=64 --plot health.svg

    Exit status: 0 good, 2 wrong use or bad input. (A net that is not healthy is no error.)
    """
    model = source.model()
    given = dict(_size(text) for text in sizes)
    found = health(model, given)
    comparison = None
    if measures:
        with progress(f"measuring {model.name}"):
            comparison = measure(model, given, range(seeds), found)
    if plot is not None:
        _write(plot, gradient_norms(found, comparison))
    if form == "json":
        told = {"health": _plain(found), "measured": _plain(comparison)}
        click.echo(json.dumps(told, indent=2))
        return
    _print(found, comparison)
    if plot is not None:
        click.echo(f"wrote {plot}")


def _size(text: str) -> tuple[str, int]:
    name, equals, size = text.partition("=")
    if not equals or not size.strip().isdecimal() or int(size) < 1:
        raise click.BadParameter(f"{text!r} is not NAME=N, such as n=32", param_hint="--size")
    return name.strip(), int(size)


def _write(path: str, svg: str) -> None:
    try:
        Path(path).write_text(svg, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def _print(found: Health, comparison: Comparison | None) -> None:
    console = output()
    measured = ("measured",) if comparison is not None else ()
    numbers = (r"E\[z²]", "forward", "gradient", *measured, "backward", "weights", "kept by")
    shown = table(f"{found.model}: at initialisation", "layer", "activation before", *numbers,
                  "verdict", numbers=numbers)  # fmt: skip
    for row in rows_of(found, comparison):
        cells = {field.name: Text(getattr(row, field.name)) for field in fields(row)}
        if comparison is None:
            del cells["measured"]
        shown.add_row(*cells.values())
    if found.layers:
        console.print(shown)
        console.print(Text(LEGEND), soft_wrap=True)
    if comparison is not None:
        console.print(Text(measured_text(comparison)), soft_wrap=True)
    for remark in remarks_of(found):
        console.print(Text(remark), soft_wrap=True)
    console.print(Text(found.summary()), soft_wrap=True)


LEGEND = """\
E[z²]: of an output. forward: over that of the layer before. gradient: its root mean square over
that at the last layer. backward: what the layer and the activation before it multiply E[d²] by.
weights: the variance they are drawn with; kept by: the one that would make backward 1."""


def _plain(value: Any) -> Any:
    """A record as JSON holds it: numbers as numbers, formulas as text."""
    if isinstance(value, Moments):
        return {m.name: None if m.exact is None else str(m.exact) for m in value}
    if isinstance(value, Basic):
        is_number = isinstance(value, Expr) and not value.free_symbols
        return float(value) if is_number else str(value)
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
