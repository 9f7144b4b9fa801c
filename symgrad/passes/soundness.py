"""Soundness: whether a formula of an output may stand for a formula of the input, in floats.

    >>> from symgrad.expr.slots import slot
    >>> x = y = slot(0)
    >>> is_sound(f.relu(x), f.less(0, x), f.less(0, y)), is_sound(f.expm1(x), f.exp(x), y + 1)
    (True, False)

The second is equal on paper, but near y = -1 nothing of exp(x) is left in y.
"""

from __future__ import annotations

from typing import Any

from mpmath.libmp import mpf_pos
from sympy import Expr, Number

from symgrad.expr import functions as f
from symgrad.expr.arithmetic import MpArithmetic, evaluate
from symgrad.expr.formula import operation_count

__all__ = ["f", "is_sound"]

MOST_AMPLIFIED = 8  # rounding errors that k may make of one in y, beside its own operations'
MOST_NUMBERS = 5  # of a formula, of which quotients are tried too
DIGITS = 420  # what cancels beyond this is 0 in every float type


class _Float(MpArithmetic):
    """A float type's own arithmetic: each result is exact, then rounded, inf or 0 as it would be.

    bits: of the significand. exponents: 2**exponents is the first power that overflows.
    """

    def __init__(self, bits: int, exponents: int) -> None:
        super().__init__(DIGITS)
        two = self.context.mpf(2)
        self.bits = bits
        self.rounding = two**-bits
        self.largest = two**exponents
        self.normal = two ** (2 - exponents)

    def held(self, value: Any) -> Any:
        """The value as the type holds it."""
        value = self.context.mpf(value)  # a formula may be an operand itself, a float
        if not self.context.isfinite(value):
            return value
        if abs(value) >= self.largest:
            return self.context.inf if value > 0 else -self.context.inf
        if abs(value) <= self.normal * self.rounding:
            return self.context.mpf(0)
        return self.context.make_mpf(mpf_pos(value._mpf_, self.bits, "n"))

    def constant(self, number: Expr) -> Any:
        """Rounded to the type."""
        return self.held(super().constant(number))

    def apply(self, name: str, args: tuple[Any, ...]) -> Any:
        """Rounded to the type."""
        return self.held(super().apply(name, args))


EXACT = MpArithmetic(DIGITS)
FLOAT64, FLOAT32 = _Float(53, 1024), _Float(24, 128)


def is_sound(forward: Expr, wanted: Expr, k: Expr) -> bool:
    """Whether k(y), y = forward(x) rounded, is wanted(x) but for a few roundings, for all x tried.

    k is computed as float64 and as float32 would, from y and from its two neighbours. Results
    below the smallest normal number count as 0, and where y overflows or is nan nothing is asked.
    """
    special = _special_points(forward, wanted)
    return all(
        _agrees(forward, wanted, k, x, float_type)
        for float_type, points in ((FLOAT64, POINTS_64), (FLOAT32, POINTS_32))
        for x in (*points, *special)
    )


def _special_points(*formulas: Expr) -> list[float]:
    """Where a comparison may flip: the numbers that occur, their quotients, and beside them."""
    numbers = {abs(float(n)) for formula in formulas for n in formula.atoms(Number)} - {0.0}
    chosen = sorted(numbers)[:MOST_NUMBERS]
    sizes = {a / b for a in chosen for b in (1.0, *chosen)}
    beside = (1.0, 1 - 1e-5, 1 + 1e-5, 0.97, 1.03)
    return sorted(sign * size * move for size in sizes for move in beside for sign in (-1, 1))


def _agrees(forward: Expr, wanted: Expr, k: Expr, x: float, float_type: _Float) -> bool:
    y = evaluate(forward, {0: x}, EXACT)
    if y != y or abs(y) >= float_type.largest:
        return True
    h = float_type.held(evaluate(wanted, {0: x}, EXACT))
    roundings = MOST_AMPLIFIED + operation_count(k)
    allowed = roundings * float_type.rounding * abs(h) + float_type.normal
    for rounded in (1 - float_type.rounding, 1, 1 + float_type.rounding):
        value = evaluate(k, {0: float_type.held(y * rounded)}, float_type)
        if value != value or h != h:
            if value == value or h == h:
                return False
        elif value != h and not (abs(h) < float_type.largest and abs(value - h) <= allowed):
            return False
    return True


def _grid(decades: int, step: int) -> tuple[float, ...]:
    """0 and both signs of: powers of ten over the whole range, and more where functions bend."""
    far = [1.37 * 10.0**exponent for exponent in range(-decades, decades + 1, step)]
    bends = [10.0 ** (exponent / 4) for exponent in range(-16, 7)]
    ends = [35.0, 60.0, 85.0, 300.0, 700.0]
    return (0.0, *(sign * size for size in (*far, *bends, *ends) for sign in (1.0, -1.0)))


POINTS_64, POINTS_32 = _grid(300, 30), _grid(37, 4)
