"""Comparisons, logic and selection: indicators that are 0 or 1, so they multiply like numbers.

>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> where(less(0, x), x, x**2).diff(x), logical_not(logical_not(less(0, x)))
(where(less(0, x), 1, 2*x), less(0, x))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import sympy
from sympy import Expr, S


def is_known(*args: Any) -> bool:
    """Whether all are numbers that can be compared: fractions, or floats as they are."""
    return all(arg.is_Rational or arg.is_Float for arg in args)


def _is_zero(number: Any) -> bool:
    return number == 0 if number.is_Rational else bool(number.is_zero)


class Indicator(sympy.Function):
    """A function whose value is 0 or 1; flat wherever it is continuous.

    `decide` gives the value for numbers.
    """

    is_integer = True
    is_nonnegative = True
    decide: ClassVar[Callable[..., bool]]

    @classmethod
    def eval(cls, *args: Any) -> Expr | None:
        return sympy.Integer(bool(cls.decide(*args))) if is_known(*args) else None

    def _eval_derivative(self, s: Any) -> Expr:
        return S.Zero


class less(Indicator):
    """1 where a < b, else 0."""

    nargs = 2

    @staticmethod
    def decide(a: Expr, b: Expr) -> bool:
        return a < b


class less_equal(Indicator):
    """1 where a <= b, else 0."""

    nargs = 2

    @staticmethod
    def decide(a: Expr, b: Expr) -> bool:
        return a <= b


class equal(Indicator):
    """1 where a == b, else 0."""

    nargs = 2

    @staticmethod
    def decide(a: Expr, b: Expr) -> bool:
        return _is_zero(a - b)


class not_equal(Indicator):
    """1 where a != b, else 0."""

    nargs = 2

    @staticmethod
    def decide(a: Expr, b: Expr) -> bool:
        return not _is_zero(a - b)


class logical_and(Indicator):
    """1 where both are non-zero."""

    nargs = 2

    @classmethod
    def eval(cls, a: Any, b: Any) -> Expr | None:
        if any(is_known(x) and _is_zero(x) for x in (a, b)):
            return S.Zero
        if a is S.One and isinstance(b, Indicator):
            return b
        if b is S.One and isinstance(a, Indicator):
            return a
        return S.One if is_known(a, b) else None


class logical_or(Indicator):
    """1 where at least one is non-zero."""

    nargs = 2

    @classmethod
    def eval(cls, a: Any, b: Any) -> Expr | None:
        if is_known(a, b):
            return sympy.Integer(not (_is_zero(a) and _is_zero(b)))
        if a is S.Zero and isinstance(b, Indicator):
            return b
        if b is S.Zero and isinstance(a, Indicator):
            return a
        return S.One if a is S.One or b is S.One else None


class logical_not(Indicator):
    """1 where x is 0."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        if isinstance(x, logical_not) and isinstance(x.args[0], Indicator):
            return x.args[0]
        return sympy.Integer(_is_zero(x)) if is_known(x) else None


class where(sympy.Function):
    """a where c is non-zero, else b.  Its slope selects among the slopes and never mixes them.

    (`c*a' + (1-c)*b'` would be nan where the branch not taken has an infinite slope.)
    """

    nargs = 3
    is_real = True

    @classmethod
    def eval(cls, c: Any, a: Any, b: Any) -> Expr | None:
        if a == b:
            return a
        if is_known(c):
            return b if _is_zero(c) else a
        if isinstance(c, logical_not):
            return cls(c.args[0], b, a)
        return None

    def _eval_derivative(self, s: Any) -> Expr:
        c, a, b = self.args
        da, db = a.diff(s), b.diff(s)
        if isinstance(c, Indicator) and (da, db) == (1, 0):
            return c
        if isinstance(c, Indicator) and (da, db) == (0, 1):
            return logical_not(c)
        return where(c, da, db)
