"""SPACING: the distance from 1 to the next number of the run-time float type.

What keeps a division finite in 64 bits does not in 32: a formula that adds the type's own precision
says so with this constant, and the emitted code asks the type.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.singleton import Singleton


class Spacing(sympy.NumberSymbol, metaclass=Singleton):
    """2**-52 for 64 bits, 2**-23 for 32."""

    is_real = True
    is_positive = True
    is_irrational = None

    def _as_mpf_val(self, prec: int) -> Any:
        return sympy.Float(sympy.Rational(1, 2**52), prec)._mpf_  # float64's

    def _sympystr(self, printer: Any) -> str:
        return "spacing"

    def _latex(self, printer: Any) -> str:
        return r"\varepsilon"


SPACING = Spacing()
