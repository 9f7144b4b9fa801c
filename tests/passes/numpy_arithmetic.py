"""Formulas in NumPy's own float32 or float64, operation by operation, as emitted code would.

Multiplies what stands above the bar, then divides by what stands below; everything else is the
ufunc of that name. It takes expanded formulas only.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from scipy import special

from symgrad.program.expansion import LOG_MAX

RENAMED = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "mod": "remainder",
}


class NumpyArithmetic:
    """The arithmetic of one float type."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype).type

    def constant(self, number: Any) -> Any:
        if number.has(LOG_MAX):
            number = number.subs(LOG_MAX, float(np.log(np.finfo(self.dtype).max / 2)))
        return self.dtype(float(number))

    def apply(self, name: str, args: tuple[Any, ...]) -> Any:
        with np.errstate(all="ignore"):
            if name == "Add":
                return reduce(np.add, map(self.dtype, args))
            if name == "Mul":
                return reduce(np.multiply, args)
            if name == "Pow":
                return self.power(*args)
            if name in ("erf", "erfc", "ndtr"):
                return getattr(special, name)(*args)
            outcome = getattr(np, RENAMED.get(name, name))(*args)
            return outcome if outcome.dtype == bool else self.dtype(outcome)

    def power(self, base: Any, exponent: Any) -> Any:
        exponent = float(exponent)
        size = abs(exponent)
        if size == 0.5:
            raised = np.sqrt(base)
        elif size.is_integer() and size <= 4:
            raised = reduce(np.multiply, [base] * int(size))
        elif (size - 0.5).is_integer() and size <= 4:
            raised = reduce(np.multiply, [base] * int(size - 0.5)) * np.sqrt(base)
        else:
            return np.power(base, self.dtype(exponent))
        return raised if exponent > 0 else self.dtype(1) / raised
