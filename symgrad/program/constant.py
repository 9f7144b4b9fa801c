"""The number that a formula without operands stands for.

>>> import sympy
>>> from symgrad.expr import functions as f
>>> value_of(f.softplus(sympy.S(0))), value_of(f.maximum(sympy.pi, 3))
(0.6931471805599453, 3.141592653589793)
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from symgrad.expr.slots import fold
from symgrad.program.expansion import expand

# SymPy's and our function classes whose NumPy name differs from the class name.
RENAMED = {
    "Abs": "absolute", "ceiling": "ceil", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "atan2": "arctan2",
    "Max": "maximum", "Min": "minimum",
}  # fmt: skip


@lru_cache(maxsize=4096)
def value_of(expression: sympy.Expr) -> float:
    """`expression`, which has no symbols, as the emitted code would compute it in float64."""
    expression = expression.xreplace({sympy.zoo: sympy.oo})  # 1/0 is inf in IEEE arithmetic
    if isinstance(expression, sympy.AccumBounds):
        return math.nan  # sin(inf)
    if not expression.has(sympy.Function):
        return float(expression)
    with np.errstate(all="ignore"):
        return float(fold(expand(expression), _combined))


def _combined(part: Any, below: tuple[float, ...]) -> float:
    if not part.args:
        return math.inf if part is sympy.zoo else float(part)
    if part.is_Add:
        return math.fsum(below) if np.all(np.isfinite(below)) else sum(below)
    if part.is_Mul:
        return math.prod(below)
    if part.is_Pow:
        base, exponent = below
        return float(np.power(base, exponent))
    name = RENAMED.get(part.func.__name__, part.func.__name__)
    if name == "ndtr":
        return math.erfc(-below[0] / math.sqrt(2)) / 2
    room = math if name in ("erf", "erfc") else np
    return float(getattr(room, name)(*below))
