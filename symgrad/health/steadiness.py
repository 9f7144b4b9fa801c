"""Steadiness: whether a deviation of the signal's size dies out or grows with the depth.

The recursion q' = v E[f(z)^2] + b has the slope d log q' / d log q. Where it is above 1 through
many layers, as for GELU with He's variance, what a finite width changes at first grows, and
a prediction for wide layers does not hold for narrow ones.
"""

from __future__ import annotations

import sympy

from symgrad.expr.slots import replace_slots, slot
from symgrad.health.moments import expected
from symgrad.health.passages import Forward
from symgrad.health.signal import Source

STEP = sympy.Rational(1, 1000)
MOST_GROWTH = 3.0


def growth(found: Forward) -> tuple[Source, Source, float] | None:
    """The stretch of a plain chain of layers along which a deviation grows most, and by how much.

    None if it grows by less than MOST_GROWTH everywhere.
    """
    best: tuple[Source, Source, float] | None = None
    start, total = None, 1.0
    for layer in found.layers:
        sources = found.sources.of(layer.passage.formula)
        before = sources[0] if len(sources) == 1 else None
        slope = None
        if before is not None and before.kind == "linear" and before.is_normal:
            bias = found.bias_variance.get(layer.passage.target, sympy.S.Zero)
            slope = _slope(layer.passage.formula, before, layer.passage.target, bias)
        if slope is None or before is None:
            start, total = None, 1.0
            continue
        if start is None or total < 1:  # from here on is worse than from further back
            start, total = before, 1.0
        total *= slope
        if total > (best[2] if best is not None else MOST_GROWTH):
            best = start, layer.passage.target, total
    return best


def _slope(formula: sympy.Expr, before: Source, after: Source, bias: sympy.Expr) -> float | None:
    """d log q' / d log q through one layer."""
    q, q_after = before.variance, after.second_moment
    if q.free_symbols or q_after.free_symbols or before.mean != 0 or q == 0 or q_after == 0:
        return None
    square = expected(replace_slots(formula, {before.index: slot(0)}) ** 2)
    low, here, high = (float(square.at(q * (1 + step))) for step in (-STEP, 0, STEP))
    relative = (high - low) / (2 * float(STEP) * here) if here else 0.0
    return relative * float(1 - bias / q_after)
