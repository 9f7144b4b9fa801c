"""Piecewise scalar functions: absolute values, roundings, extrema.

What the slope is *on* a kink is decided here and listed in `symgrad.expr.kinks`.

    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> relu(x).diff(x), absolute(x).diff(x), maximum(x, 0).diff(x)
    (less(0, x), sign(x), equal(x, 0)/2 + less(0, x))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import sympy
from sympy import Expr, S

from symgrad.expr.comparison import (
    equal,
    is_known,
    less,
    less_equal,
    logical_and,
    logical_or,
)

Slopes = tuple[Expr, ...]


class Kinked(sympy.Function):
    """A real function with kinks or jumps, given by `slopes(*args)`: one slope per argument.

    `exactly` gives the value for numbers, or None to leave them as they are.
    """

    is_real = True
    slopes: ClassVar[Callable[..., Slopes]]
    exactly: ClassVar[Callable[..., Any]]

    @classmethod
    def eval(cls, *args: Any) -> Expr | None:
        return sympy.sympify(cls.exactly(*args)) if is_known(*args) else None

    def _eval_evalf(self, prec: int) -> Expr | None:
        """By `exactly`: mpmath has other functions of some of these names (fmod)."""
        numbers = [argument._eval_evalf(prec) for argument in self.args]
        value = self.func(*numbers) if is_known(*numbers) else self
        return None if isinstance(value, Kinked) else value

    def fdiff(self, argindex: int = 1) -> Expr:
        return type(self).slopes(*self.args)[argindex - 1]


class relu(Kinked):
    """max(x, 0).  relu' = [x > 0]: 0 at 0."""

    nargs = 1
    is_nonnegative = True
    exactly = staticmethod(lambda x: max(x, S.Zero))

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (less(0, x),)


class absolute(Kinked):
    """|x|.  Its slope is sign(x): 0 at 0."""

    nargs = 1
    is_nonnegative = True

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        if x.is_Number:
            return abs(x)
        if isinstance(x, absolute):
            return x
        return cls(-x) if x.could_extract_minus_sign() else None

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (sign(x),)


class sign(Kinked):
    """-1, 0 or 1.  Flat."""

    nargs = 1
    is_integer = True

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        if x.is_Number:
            return sympy.sign(x)
        return -cls(-x) if x.could_extract_minus_sign() else None

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (S.Zero,)


class Rounding(Kinked):
    """A function to the integers.  Flat."""

    nargs = 1
    is_integer = True

    @staticmethod
    def slopes(x: Expr) -> Slopes:
        return (S.Zero,)


class floor(Rounding):
    """The largest integer not above x."""

    exactly = staticmethod(lambda x: sympy.floor(x))


class ceil(Rounding):
    """The smallest integer not below x."""

    exactly = staticmethod(lambda x: sympy.ceiling(x))


class trunc(Rounding):
    """x rounded towards zero."""

    exactly = staticmethod(lambda x: int(x))


class rint(Rounding):
    """x rounded to the nearest integer, ties to even."""

    exactly = staticmethod(lambda x: round(x))


class floor_divide(Kinked):
    """floor(a / b).  Flat."""

    nargs = 2
    is_integer = True
    exactly = staticmethod(lambda a, b: sympy.floor(a / b) if b else None)

    @staticmethod
    def slopes(a: Expr, b: Expr) -> Slopes:
        return S.Zero, S.Zero


class mod(Kinked):
    """a - b floor(a/b), with the sign of b: `np.mod`.  Slopes 1 and -floor(a/b)."""

    nargs = 2
    exactly = staticmethod(lambda a, b: a % b if b else None)

    @staticmethod
    def slopes(a: Expr, b: Expr) -> Slopes:
        return S.One, -floor_divide(a, b)


class fmod(Kinked):
    """a - b trunc(a/b), with the sign of a.  Slopes 1 and -trunc(a/b)."""

    nargs = 2
    exactly = staticmethod(lambda a, b: a - b * int(a / b) if b else None)

    @staticmethod
    def slopes(a: Expr, b: Expr) -> Slopes:
        return S.One, -trunc(a / b)


class maximum(Kinked):
    """The larger of a and b.  Each slope is [it is larger]; a tie is split equally."""

    nargs = 2
    exactly = staticmethod(lambda a, b: max(a, b))

    @staticmethod
    def slopes(a: Expr, b: Expr) -> Slopes:
        tie = equal(a, b) / 2  # `less + less_equal` would add two booleans, a logical or in NumPy
        return less(b, a) + tie, less(a, b) + tie


class minimum(Kinked):
    """The smaller of a and b.  Each slope is [it is smaller]; a tie is split equally."""

    nargs = 2
    exactly = staticmethod(lambda a, b: min(a, b))

    @staticmethod
    def slopes(a: Expr, b: Expr) -> Slopes:
        tie = equal(a, b) / 2
        return less(a, b) + tie, less(b, a) + tie


class fmax(Kinked):
    """`maximum` that prefers a number to a nan.  Slopes as there."""

    nargs = 2
    exactly = staticmethod(lambda a, b: max(a, b))
    slopes = staticmethod(lambda a, b: maximum.slopes(a, b))


class fmin(Kinked):
    """`minimum` that prefers a number to a nan.  Slopes as there."""

    nargs = 2
    exactly = staticmethod(lambda a, b: min(a, b))
    slopes = staticmethod(lambda a, b: minimum.slopes(a, b))


class clip(Kinked):
    """minimum(maximum(x, lo), hi).  x passes on both bounds: its slope is [lo <= x <= hi]."""

    nargs = 3
    exactly = staticmethod(lambda x, lo, hi: min(max(x, lo), hi))

    @staticmethod
    def slopes(x: Expr, lo: Expr, hi: Expr) -> Slopes:
        return (
            logical_and(less_equal(lo, x), less_equal(x, hi)),
            logical_and(less(x, lo), less(lo, hi)),
            logical_or(less(hi, x), less(hi, lo)),
        )


class raised(Kinked):
    """max(x, least), whose slope in x is 1 throughout: a safeguard that is not differentiated."""

    nargs = 2
    exactly = staticmethod(lambda x, least: max(x, least))

    @staticmethod
    def slopes(x: Expr, least: Expr) -> Slopes:
        return S.One, S.Zero


class heaviside(Kinked):
    """0 below 0, h0 at 0, 1 above.  Flat in x; the slope in h0 is [x == 0]."""

    nargs = 2

    @classmethod
    def eval(cls, x: Any, h0: Any) -> Expr | None:
        if not x.is_Rational:
            return None
        return h0 if x == 0 else sympy.Integer(bool(x > 0))

    @staticmethod
    def slopes(x: Expr, h0: Expr) -> Slopes:
        return S.Zero, equal(x, 0)
