"""Expansion: the form that is computed, over functions that NumPy has as fast ufuncs.

    >>> from symgrad.expr.slots import slot
    >>> x = slot(0)
    >>> expand(f.softplus(x))
    log1p(exp(-absolute(_0))) + maximum(_0, 0)
    >>> expand(f.sigmoid(x))
    divide(exp(minimum(_0, log_max)), exp(minimum(_0, log_max)) + 1)

Nothing here loses what `passes.stability` won: no inf - inf, no 0*inf, no inf/inf on the way. An
intermediate may overflow to inf, or divide by 0, only where the result is right all the same
(1/(1 + inf) is 0), so the code runs with NumPy's warnings about it switched off.

SymPy's sums and products have no order. Where the order of operations matters the parts are kept
in functions: `divide(1, exp(-x))` stays that, where `1/exp(-x)` would become exp(x).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, S, cos, exp, log, sin, sinh, sqrt
from sympy.core.singleton import Singleton

from symgrad.expr import functions as f
from symgrad.expr.slots import fold, rebuild

LN2 = log(2)


class LogMax(sympy.NumberSymbol, metaclass=Singleton):
    """The logarithm of half the largest finite number of the run-time float type."""

    is_real = True
    is_positive = True

    def _as_mpf_val(self, prec: int) -> Any:
        return sympy.Float(709, prec)._mpf_  # float64's, for SymPy's comparisons

    def _sympystr(self, printer: Any) -> str:
        return "log_max"


LOG_MAX = LogMax()


@lru_cache(maxsize=16384)
def expand(formula: Expr) -> Expr:
    """The formula over NumPy's ufuncs, `erf` and `erfc`; equal parts are equal subtrees."""

    def combine(node: Any, args: tuple[Any, ...]) -> Any:
        meaning = MEANINGS.get(node.func)
        return meaning(*args) if meaning is not None else rebuild(node, args)

    return fold(formula, combine)


def _sigmoid(x: Expr) -> Expr:
    """s(x) = u/(1 + u) and s(-x) = 1/(1 + u), u = exp(x), so that one exp serves both.

    Neither cancels, as 1 - s(x) would, and s(x) s(-x) is no u s(-x)**2, whose square underflows.
    The exponent is clipped where u would overflow. That moves s(-x) alone, and there only from
    below the smallest normal number; x s(x) is 0 for large negative x.
    """
    mirrored = x.could_extract_minus_sign()
    u = exp(f.minimum(-x if mirrored else x, LOG_MAX))
    return f.divide(1 if mirrored else u, 1 + u)


def _softplus(x: Expr) -> Expr:
    """max(x, 0) + log(1 + exp(-|x|)): both terms positive, exp at most 1."""
    if isinstance(-x, f.absolute):
        return f.log1p(exp(x))
    return f.maximum(x, 0) + f.log1p(exp(-f.absolute(x)))


def _log1mexp(x: Expr) -> Expr:
    """By Mächler: expm1 below log 2, log1p above; nan for x < 0.  [Rmpfr vignette log1mexp]

    The form for large x is clipped to them: near 0 it would divide by 0 for nothing.
    """
    near, far = log(-f.expm1(-x)), f.log1p(-exp(-f.maximum(x, LN2)))
    return f.where(f.less(x, LN2), near, far)


def _gap(a: Expr, b: Expr) -> Expr:
    """|a - b|, and 0 for equal infinities: fmax prefers 0 to their nan."""
    return f.fmax(f.absolute(a - b), 0)


def _logaddexp(a: Expr, b: Expr) -> Expr:
    return f.maximum(a, b) + f.log1p(exp(-_gap(a, b)))


def _logaddexp2(a: Expr, b: Expr) -> Expr:
    return f.maximum(a, b) + f.log1p(f.exp2(-_gap(a, b))) / LN2


def _logcosh(x: Expr) -> Expr:
    """Below 1 by cosh(x) - 1 = 2 sinh(x/2)**2, above by |x| + log((1 + exp(-2|x|))/2)."""
    size = f.absolute(x)
    near = f.log1p(2 * sinh(size / 2) ** 2)
    return f.where(f.less(size, 1), near, size + f.log1p(f.expm1(-2 * size) / 2))


def _unit(x: Expr, y: Expr) -> Expr:
    """x / hypot, and 0/1 at the origin."""
    length = f.hypot(x, y)
    if (x.is_number and x.is_nonzero) or (y.is_number and y.is_nonzero):
        return f.divide(x, length)
    return f.divide(x, length + f.equal(length, 0))


# Where the closed form of the k-th derivative of sin(x)/x has lost digits, its series has not.
SERIES_TERMS = 16


def _sine_quotient(x: Expr, k: Any) -> Expr:
    """(sin x + [x = 0])/(x + [x = 0]); derivatives by a series for |x| < k + 2, else closed.

    From x f_k + k f_(k-1) = d^k sin(x)/dx^k.
    """
    at_zero = f.equal(x, 0)
    quotient = (sin(x) + at_zero) / (x + at_zero)
    if k == 0:
        return quotient
    closed = quotient
    for order in range(1, int(k) + 1):
        wave = (sin(x), cos(x), -sin(x), -cos(x))[order % 4]
        closed = (wave - order * closed) / (x + at_zero)
    series: Expr = S.Zero
    square = x**2
    for n in reversed(range(SERIES_TERMS + int(k))):
        # the derivative of (-1)**n x**(2n) / (2n + 1)!, k times
        power = 2 * n - int(k)
        if power >= 0:
            c = sympy.Rational((-1) ** n, 2 * n + 1) / sympy.factorial(power)
            series = c + square * series
    series = series * x if int(k) % 2 else series
    return f.where(f.less(f.absolute(x), int(k) + 2), series, closed)


MEANINGS: dict[Any, Callable[..., Expr]] = {
    f.sigmoid: _sigmoid,
    f.relu: lambda x: f.maximum(x, 0),
    f.raised: f.maximum,
    f.clip: lambda x, lo, hi: f.minimum(f.maximum(x, lo), hi),
    f.root: sqrt,
    f.softplus: _softplus,
    f.log1mexp: _log1mexp,
    f.bose: lambda x: f.divide(1, f.expm1(f.minimum(x, LOG_MAX))),
    f.logaddexp: _logaddexp,
    f.logaddexp2: _logaddexp2,
    f.logcosh: _logcosh,
    f.unit: _unit,
    f.versin: lambda x: 2 * sin(x / 2) ** 2,
    f.sine_quotient: _sine_quotient,
}
