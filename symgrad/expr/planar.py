"""Lengths and directions in the plane: `hypot` and the unit vector that is its gradient.

At the origin, where the length has a kink, the gradient is 0.

    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> hypot(x, y).diff(x), hypot(x, 1).diff(x, 2)
    (unit(x, y), unit(1, x)**2/hypot(1, x))
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, S

from symgrad.expr.comparison import less, where
from symgrad.expr.smooth import Slopes, Smooth
from symgrad.expr.steps import absolute


class hypot(Smooth):
    """sqrt(x**2 + y**2).  Slopes: the unit vector along (x, y); 0 at the origin."""

    nargs = 2
    is_nonnegative = True

    @classmethod
    def eval(cls, x: Any, y: Any) -> Expr | None:
        if x is S.Zero or y is S.Zero:
            return absolute(x + y)
        return cls(y, x) if y.sort_key() < x.sort_key() else None  # one form of the two

    @staticmethod
    def slopes(x: Expr, y: Expr) -> Slopes:
        return unit(x, y), unit(y, x)


class unit(Smooth):
    """x / hypot(x, y), and 0 at the origin: the first component of the unit vector along (x, y).

    unit_x = unit(y, x)**2 / hypot,  unit_y = -unit(x, y) unit(y, x) / hypot; both 0 at the origin.
    """

    nargs = 2
    at_zero = S.Zero

    @staticmethod
    def slopes(x: Expr, y: Expr) -> Slopes:
        length = hypot(x, y)
        inverse = 1 / length
        if not (x.is_nonzero and x.is_number) and not (y.is_nonzero and y.is_number):
            inverse = where(less(0, length), inverse, 0)
        return unit(y, x) ** 2 * inverse, -unit(x, y) * unit(y, x) * inverse
