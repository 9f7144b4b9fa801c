"""A scalar formula in machine numbers: the meaning of the vocabulary over Python's floats.

Quadrature asks for a formula thousands of times. Functions have the forms that do not overflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy

from symgrad.expr.arithmetic import functions_over


class _Context:
    """What the vocabulary is defined by, as mpmath's contexts have it."""

    mpf = float
    pi = math.pi
    log = staticmethod(math.log)
    exp = staticmethod(math.exp)

    def __getattr__(self, name: str) -> Any:
        return getattr(math, name)


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _functions() -> dict[str, Callable[..., Any]]:
    return functions_over(_Context()) | {
        "softplus": _softplus,
        "sigmoid": _sigmoid,
        "ndtr": lambda x: math.erfc(-x / math.sqrt(2)) / 2,
        "logcosh": lambda x: abs(x) + math.log1p(math.exp(-2 * abs(x))) - math.log(2),
        "logaddexp": lambda a, b: max(a, b) + math.log1p(math.exp(-abs(a - b))),
    }


class MachineArithmetic:
    """Floats; poles and overflow are inf, outside of the domain is nan."""

    def __init__(self) -> None:
        self._table = _functions()

    def constant(self, number: sympy.Expr) -> float:
        """The nearest float."""
        return _float(number)

    def apply(self, name: str, args: tuple[Any, ...]) -> Any:
        """The value of the function of that name."""
        try:
            return self._table[name](*args)
        except (OverflowError, ZeroDivisionError):
            return math.inf
        except ValueError:
            return math.nan


@lru_cache(maxsize=4096)
def _float(number: sympy.Expr) -> float:
    return float(number)


MACHINE = MachineArithmetic()
