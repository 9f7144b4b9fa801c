"""Gradient health as it stands on a page and in a table: numbers as text, reasons as sentences."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr

from symgrad.drawing.gradient_norms import gradient_norms
from symgrad.errors import UnsupportedError
from symgrad.health import Comparison, Health, LayerHealth, MeasuredLayer, health
from symgrad.measuring import measure
from symgrad.model.model import Model
from symgrad.report.notation import number
from symgrad.report.record.definition import Drawing
from symgrad.report.record.equation import Prose
from symgrad.report.record.health import HealthRow, HealthSection

UNKNOWN = "?"
FEWEST = 2  # layers; the gradient at the last is 1 by definition


def health_section(model: Model, measures: bool = False) -> HealthSection | None:
    """What a page says about `model`; None where the analysis compares no two layers.

    `measures`: whether the emitted code is measured beside what is predicted.
    """
    found = health(model)
    known = [layer for layer in found.layers if layer.gradient_norm is not None]
    if len(known) < FEWEST and not found.recurrences:
        return None
    comparison = measure(model, predicted=found) if measures and found.layers else None
    return HealthSection(
        found.summary(),
        rows_of(found, comparison),
        _activations(found),
        "" if comparison is None else measured_text(comparison),
        remarks_of(found),
        _plot(found, comparison) if len(known) >= FEWEST else None,
    )


def rows_of(found: Health, comparison: Comparison | None = None) -> tuple[HealthRow, ...]:
    """One row for each layer, from the first to the last."""
    measured = (None,) * len(found.layers) if comparison is None else comparison.rows
    return tuple(_row(layer, row) for layer, row in zip(found.layers, measured, strict=True))


def measured_text(comparison: Comparison) -> str:
    """What was measured, and how far the predictions are off."""
    drawn = f"{len(comparison.seeds)} draws at {_sizes_text(comparison.sizes)}"
    worst = comparison.worst()
    told = "" if worst is None else f"; predictions are at most {100 * worst:.0f}% off"
    return f"measured: the mean of {drawn}{told}"


def remarks_of(found: Health) -> tuple[str, ...]:
    """Of recurrences, and what was not followed and why."""
    remarks = [recurrence.summary() for recurrence in found.recurrences]
    remarks += [f"note: {note}" for note in found.notes]
    for reason in dict.fromkeys(layer.reason for layer in found.layers if layer.reason):
        names = ", ".join(layer.name for layer in found.layers if layer.reason == reason)
        remarks.append(f"unknown at {names}: {reason}")
    return tuple(remarks)


def _row(layer: LayerHealth, row: MeasuredLayer | None) -> HealthRow:
    size = layer.gradient_norm
    return HealthRow(
        layer=layer.name,
        activation=layer.activation,
        second_moment=_number(layer.second_moment),
        forward=_number(layer.forward_factor),
        gradient=UNKNOWN if size is None else f"{size:.3g}",
        measured="" if row is None else f"{row.measured_gradient:.3g}",
        backward=_number(layer.backward_factor),
        weights=_number(layer.weight_variance),
        kept_by=_number(layer.kept_by),
        verdict=layer.verdict,
    )


def _number(value: Expr | None) -> str:
    if value is None:
        return UNKNOWN
    if value.free_symbols:
        return str(value)
    return str(value) if value.is_Rational and len(str(value)) < 8 else f"{float(value):.3g}"


def _activations(found: Health) -> tuple[Prose, ...]:
    """For each activation its moments under N(0, q), where they have a closed form."""
    moments = {x.activation: x.moments for x in found.layers if x.moments and x.activation != "z"}
    sentences: list[Prose] = []
    for activation, own in moments.items():
        if own.square.exact is None or own.slope_square.exact is None:
            told: Prose = (", integrated numerically: there is no closed form",)
        else:
            told = (
                f": {own.square.name} = ", number(own.square.exact),
                f", {own.slope_square.name} = ", number(own.slope_square.exact),
            )  # fmt: skip
        sentences.append((f"f(z) = {activation} under N(0, q)", *told))
    return tuple(sentences)


def _plot(found: Health, comparison: Comparison | None) -> Drawing | None:
    """The gradients through the depth; None where the library that draws them is missing."""
    try:
        svg = gradient_norms(found, comparison)
    except UnsupportedError:
        return None
    sizes = [f"{x.name} {x.gradient_norm:.3g}" for x in found.layers if x.gradient_norm is not None]
    beside = "" if comparison is None else ", and measured"
    return Drawing(svg, f"The gradient at each layer, predicted{beside}: {', '.join(sizes)}")


def _sizes_text(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items()) or "the model's sizes"
