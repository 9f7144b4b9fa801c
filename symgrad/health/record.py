"""What gradient health says about a model, as data: for the terminal, the page, and JSON.

Second moments are of one entry: E[z^2] of a layer's output, E[(dL/dz)^2] of the gradient that
reaches it, relative to the gradient at the last layer. They are SymPy expressions: exact
fractions where the closed forms give them, floats otherwise, with symbols where sizes were not
given. None where the analysis does not reach; `reason` says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sympy import Expr

from symgrad.health.moments import Moments

Verdict = Literal["vanishing", "healthy", "exploding", "unknown"]

LIMIT = 1e-3  # of the gradient's size at the last layer; its inverse is called exploding


@dataclass(frozen=True)
class LayerHealth:
    """One linear layer: y = W x (+ b), where x is the activation of the layer before.

    name, weight: of the layer and of its parameter. location: the user's line, or None.
    activation: what x is of the layer before, as text over z; "z" where there is none.
    moments: of that activation, or None where it has more than one source.
    fan_in: products summed for each entry of y. fan_out: entries of y that one entry of x reaches.
    weight_variance, bias_variance: as declared by the initialisers (0 where there is no bias).
    second_moment: E[y^2]. forward_factor: E[y^2] over that of the layer before.
    gradient: E[(dL/dy)^2], relative to the last layer. backward_factor: what this layer and the
    activation before it multiply the gradient by on its way back.
    kept_by: the weight variance that would make the backward factor 1.
    """

    name: str
    weight: str
    location: str | None
    activation: str
    moments: Moments | None
    fan_in: Expr
    fan_out: Expr
    weight_variance: Expr
    bias_variance: Expr
    second_moment: Expr | None
    forward_factor: Expr | None
    gradient: Expr | None
    backward_factor: Expr | None
    kept_by: Expr | None
    verdict: Verdict
    reason: str | None

    @property
    def signal_norm(self) -> float | None:
        """The predicted root mean square of the layer's output."""
        return _root(self.second_moment)

    @property
    def gradient_norm(self) -> float | None:
        """The predicted root mean square of the gradient, over that at the last layer."""
        return _root(self.gradient)


@dataclass(frozen=True)
class RecurrenceHealth:
    """A recurrence h' = f(z), z = x + W h (+ b), once the size of its state is steady.

    activation: f as text. second_moment: E[z^2]. step_factor: what one step multiplies the
    gradient's second moment by on its way back. length: the number of steps. weights are used in
    every step; they are taken as independent there, which holds in wide nets.
    """

    name: str
    location: str | None
    activation: str
    second_moment: Expr
    step_factor: Expr
    length: Expr
    verdict: Verdict

    def summary(self) -> str:
        """What becomes of a gradient on its way back through all steps, in a sentence."""
        rate = math.sqrt(float(self.step_factor))
        told = f"{self.name}: a step back multiplies the gradient by {rate:.3g}"
        if self.length.is_Integer:
            told += f", {self.length} steps by {rate ** int(self.length):.3g}: {self.verdict}"
        return told


@dataclass(frozen=True)
class Health:
    """The layers of a model from input to loss, and what they add up to.

    vanishes_at, explodes_at: the name of the first layer, counted back from the loss, whose
    gradient is below LIMIT, or above 1 / LIMIT, of that at the last layer; or None.
    depth_scale: after how many further layers like these the gradient changes by a factor e, or
    None where it does not change or is not known. notes: what the analysis left out, and why.
    """

    model: str
    layers: tuple[LayerHealth, ...]
    verdict: Verdict
    vanishes_at: str | None
    explodes_at: str | None
    depth_scale: float | None
    notes: tuple[str, ...]
    recurrences: tuple[RecurrenceHealth, ...] = ()

    def summary(self) -> str:
        """The verdict in a sentence."""
        known = [layer for layer in self.layers if layer.gradient_norm is not None]
        if self.verdict == "unknown" or not known:
            return "The analysis does not reach from the loss to the first layer."
        first = known[0]
        size = f"{first.gradient_norm:.3g}"
        told = f"the gradient at {first.name} is {size} times that at {known[-1].name}"
        where = self.vanishes_at or self.explodes_at
        if where is None:
            return f"Healthy: {told}."
        back = len(self.layers) - 1 - [layer.name for layer in self.layers].index(where)
        passed = f"below {LIMIT:g}" if self.vanishes_at else f"above {1 / LIMIT:g}"
        start = f"{self.verdict.capitalize()}: {told}"
        return f"{start}; {back} layers back, at {where}, it is {passed}."


@dataclass(frozen=True)
class MeasuredLayer:
    """One layer's root mean squares, predicted (None where unknown) and measured.

    signal: of its output. gradient: at its output, over that at the last layer. lowest_gradient,
    highest_gradient: over the draws.
    """

    name: str
    predicted_signal: float | None
    measured_signal: float
    predicted_gradient: float | None
    measured_gradient: float
    lowest_gradient: float
    highest_gradient: float


@dataclass(frozen=True)
class Comparison:
    """Predicted beside measured, from the first layer to the last.

    seeds: of the draws that were averaged. sizes: of the dimensions.
    """

    model: str
    rows: tuple[MeasuredLayer, ...]
    seeds: tuple[int, ...]
    sizes: Mapping[str, int]

    def worst(self) -> float | None:
        """The largest relative difference of a layer's gradient; None if none was predicted."""
        off = [
            abs(row.measured_gradient / row.predicted_gradient - 1)
            for row in self.rows
            if row.predicted_gradient
        ]
        return max(off, default=None)


def verdict_of(ratio: Expr | None) -> Verdict:
    """What a gradient's second moment, relative to that at the last layer, amounts to."""
    size = _root(ratio)
    if size is None or math.isnan(size):
        return "unknown"
    if size < LIMIT:
        return "vanishing"
    return "exploding" if size > 1 / LIMIT else "healthy"


def _root(square: Expr | None) -> float | None:
    if square is None or square.free_symbols:
        return None
    return math.sqrt(float(square))
