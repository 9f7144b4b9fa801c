"""Scalar formulas over arrays: what each function of the language means in NumPy.

Changes are carried along (`carried.py`). On a kink they go by what `symgrad.expr.kinks` lists.

    >>> from symgrad.expr.slots import slot
    >>> applied(slot(0) ** 2 + 1, [np.array([1.0, 3.0])], Sizes({})).tolist()
    [2.0, 10.0]
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
import sympy

from symgrad.evaluation.carried import (
    Array,
    by_differences,
    change,
    is_moving,
    moving,
    real,
    with_value,
)
from symgrad.evaluation.sizes import Sizes
from symgrad.expr.slots import fold, slot_index

LN2 = math.log(2)


def applied(formula: sympy.Expr, operands: Sequence[Array], sizes: Sizes) -> Array:
    """A formula over arrays that stand for its slots."""

    def combine(node: Any, below: tuple[Any, ...]) -> Any:
        if node.is_Symbol:
            index = slot_index(node)
            if index is None:
                return sizes.known[node.name]
            array = operands[index]
            return array.astype(np.int64) if array.dtype == np.bool_ else array
        if not node.args:
            return sizes.number(node)
        return SCALARS[node.func.__name__](*below)

    return fold(sympy.sympify(formula), combine)


def _power_of_number(x: Any, y: Any) -> Any:
    """`Pow`: the exponent is a number, as a rule."""
    if isinstance(x, int | float) and isinstance(y, int | float):
        with np.errstate(all="ignore"):
            return float(np.power(float(x), y))
    if isinstance(y, int) and y < 0:
        return 1 / _power_of_number(np.asarray(x, np.result_type(x, np.float64)), -y)
    if y == 0.5:
        return np.sqrt(x)
    return np.power(x, y)


def _power(x: Any, y: Any) -> Any:
    """0 does not change, whatever the exponent."""
    if not is_moving((x, y)):
        return np.power(x, y, dtype=np.result_type(x, y, np.float64))
    value = np.power(real(x), real(y), dtype=np.float64)
    safe = np.where(real(x) == 0, 1.0, x)
    return np.where(real(x) == 0, value, np.power(safe, np.asarray(y, np.complex128)))


def _where(condition: Any, a: Any, b: Any) -> Any:
    return np.where(real(condition) != 0, a, b)


def _absolute(x: Any) -> Any:
    return x * np.sign(real(x)) if is_moving((x,)) else np.abs(x)


def _extreme(pick: Callable[..., Any], is_first: Callable[..., Any]) -> Callable[..., Any]:
    """A maximum or minimum: a tie changes as the mean of the two."""

    def picked(a: Any, b: Any) -> Any:
        if not is_moving((a, b)):
            return pick(a, b)
        tie = moving(pick(real(a), real(b)), _mean_change(a, b))
        return np.where(is_first(real(a), real(b)), a, np.where(is_first(real(b), real(a)), b, tie))

    return picked


def _mean_change(a: Any, b: Any) -> Any:
    return (change(a) + change(b)) / 2


def _clip(x: Any, lo: Any, hi: Any) -> Any:
    if not is_moving((x, lo, hi)):
        return np.minimum(np.maximum(x, lo), hi)
    inside = (real(lo) <= real(x)) & (real(x) <= real(hi))
    is_low = (real(x) < real(lo)) & (real(lo) < real(hi))
    return np.where(inside, x, np.where(is_low, lo, hi))


def _sigmoid(x: Any) -> Any:
    x = np.asarray(x)
    is_right = real(x) >= 0
    e = np.exp(np.where(is_right, -x, x))
    return np.where(is_right, 1 / (1 + e), e / (1 + e))


def _softplus(x: Any) -> Any:
    x = np.asarray(x)
    is_right = real(x) > 0
    return np.where(is_right, x, 0) + np.log1p(np.exp(np.where(is_right, -x, x)))


def _log_add(exp: Callable[..., Any], unit: float) -> Callable[..., Any]:
    def added(a: Any, b: Any) -> Any:
        is_first = real(a) >= real(b)
        most, least = np.where(is_first, a, b), np.where(is_first, b, a)
        gap = np.where(np.isinf(real(most)), -math.inf, least - most)
        return most + np.log1p(exp(gap)) / unit

    return added


def _hypot(x: Any, y: Any) -> Any:
    if not is_moving((x, y)):
        return np.hypot(x, y)
    largest = np.maximum(np.abs(real(x)), np.abs(real(y)))
    scale = np.where(largest > 0, largest, 1)
    squares = (x / scale) ** 2 + (y / scale) ** 2
    return np.where(largest > 0, scale * np.sqrt(np.where(largest > 0, squares, 1)), 0)


def _unit(x: Any, y: Any) -> Any:
    length = _hypot(x, y)
    is_origin = real(length) == 0
    return np.where(is_origin, 0.0, x / np.where(is_origin, 1, length))


def _atan2(y: Any, x: Any) -> Any:
    if not is_moving((x, y)):
        return np.arctan2(y, x)
    is_flat = np.abs(real(x)) > np.abs(real(y))
    over, under = np.where(is_flat, y, x), np.where(is_flat, x, y)
    angle = np.arctan(over / under) * np.where(is_flat, 1, -1)
    return with_value(np.arctan2(real(y), real(x)), angle)


def _root(x: Any) -> Any:
    return np.where(real(x) == 0, 0.0, np.sqrt(np.where(real(x) == 0, 1, x)))


def _cbrt(x: Any) -> Any:
    if not is_moving((x,)):
        return np.cbrt(x)
    sign = np.sign(real(x))
    return with_value(np.cbrt(real(x)), sign * np.power(sign * x, 1 / 3))


def _mod(divided: Callable[..., Any], exactly: Callable[..., Any]) -> Callable[..., Any]:
    def remainder(a: Any, b: Any) -> Any:
        if not is_moving((a, b)):
            return exactly(a, b)
        return with_value(exactly(real(a), real(b)), a - b * divided(real(a), real(b)))

    return remainder


def _log1mexp(x: Any) -> Any:
    return np.where(real(x) < LN2, np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))


def _logcosh(x: Any) -> Any:
    far = _absolute(np.asarray(x))
    return far + np.log1p(np.exp(-2 * far)) - LN2


def _sine_quotient(k: int, value: float) -> float:
    if value == 0:
        return 0.0 if k % 2 else (-1) ** (k // 2) / (k + 1)
    return float(mpmath.diff(lambda t: mpmath.sinc(t), value, k))


def _each(function: Callable[[float], float]) -> Callable[[Any], Any]:
    """A function of one real number, carried by differences."""
    entries = np.vectorize(function, otypes=[float])
    return lambda x: by_differences(lambda v: entries(np.asarray(v, float)), [np.asarray(x)], True)


def _of_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that jumps and is flat elsewhere: no change passes."""
    return lambda *arrays: function(*map(real, arrays))


def _plain_names(names: str) -> dict[str, Callable[..., Any]]:
    return {name: getattr(np, name) for name in names.split()}


_ANALYTIC = "exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh"
_FLAT = """
    sign floor ceil trunc rint floor_divide
    equal not_equal less less_equal logical_and logical_or logical_not
"""

SCALARS: dict[str, Callable[..., Any]] = {
    **_plain_names(_ANALYTIC),
    **{name: _of_values(function) for name, function in _plain_names(_FLAT).items()},
    "Add": lambda *terms: functools.reduce(operator.add, terms),
    "Mul": lambda *factors: functools.reduce(operator.mul, factors),
    "Pow": _power_of_number,
    "power": _power,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "atan2": _atan2,
    "where": _where,
    "absolute": _absolute,
    "relu": lambda x: _where(real(x) > 0, x, np.where(np.isnan(real(x)), x, 0)),
    "maximum": _extreme(np.maximum, np.greater),
    "minimum": _extreme(np.minimum, np.less),
    "fmax": _extreme(np.fmax, np.greater),
    "fmin": _extreme(np.fmin, np.less),
    "clip": _clip,
    "raised": lambda x, least: with_value(np.maximum(real(x), real(least)), x),
    "heaviside": lambda x, h0: _where(real(x) == 0, h0, real(x) > 0),
    "mod": _mod(np.floor_divide, np.mod),
    "fmod": _mod(lambda a, b: np.trunc(a / b), np.fmod),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "logaddexp": _log_add(np.exp, 1.0),
    "logaddexp2": _log_add(np.exp2, LN2),
    "hypot": _hypot,
    "unit": _unit,
    "root": _root,
    "cbrt": _cbrt,
    "divide": operator.truediv,
    "bose": lambda x: 1 / np.expm1(x),
    "log1mexp": _log1mexp,
    "logcosh": _logcosh,
    "versin": lambda x: 2 * np.sin(np.asarray(x) / 2) ** 2,
    "erf": _each(math.erf),
    "erfc": _each(math.erfc),
    "ndtr": _each(lambda x: math.erfc(-x / math.sqrt(2)) / 2),
    "sine_quotient": lambda x, k: (
        np.sinc(np.asarray(x) / np.pi)
        if k == 0 and not is_moving((x,))
        else _each(functools.partial(_sine_quotient, int(k)))(x)
    ),
}
