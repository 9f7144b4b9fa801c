"""Evaluation of a scalar formula over any arithmetic; mpmath's to any number of digits.

    >>> from symgrad.expr import functions as f
    >>> from symgrad.expr.slots import slot
    >>> float(evaluate(f.sigmoid(slot(0)), {0: 0}, MpArithmetic(30)))
    0.5

It evaluates what a formula *means* (sigmoid is 1/(1 + exp(-x)), with more digits than cancel),
so it judges stabilised and emitted forms. Nothing is compiled and no text is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Protocol

import mpmath
import sympy

from symgrad.expr.slots import fold, slot_index

HUGE = 10**12  # exp beyond this is infinite or zero in every float type there is


class Arithmetic(Protocol):
    """Numbers and the functions on them, by the name of the SymPy class."""

    def constant(self, number: sympy.Expr) -> Any:
        """The value of an exact or floating SymPy number."""
        ...

    def apply(self, name: str, args: tuple[Any, ...]) -> Any:
        """The value of the function of that name ("Add", "Mul", "Pow", "exp", "where", ...)."""
        ...


def evaluate(formula: sympy.Expr, values: Mapping[Any, Any], arithmetic: Arithmetic) -> Any:
    """The value of an adopted formula; `values` by slot index, slot, or dimension symbol."""

    def combine(node: Any, below: tuple[Any, ...]) -> Any:
        if node.is_Symbol:
            return values[node] if node in values else values[slot_index(node)]
        if not node.args:
            return arithmetic.constant(node)
        return arithmetic.apply(node.func.__name__, below)

    return fold(sympy.sympify(formula), combine)


class MpArithmetic:
    """Real arithmetic with that many decimal digits; poles are inf, outside of a domain is nan."""

    def __init__(self, digits: int) -> None:
        self.context = mpmath.MPContext()
        self.context.dps = digits
        self._table = functions_over(self.context)

    def constant(self, number: sympy.Expr) -> Any:
        """Rationals and constants to full precision; a Float is the binary fraction it holds."""
        if number.is_Float:
            return self.context.make_mpf(number._mpf_)
        if number.is_Rational:
            return self.context.mpf(int(number.p)) / int(number.q)
        return self.context.mpf(sympy.N(number, self.context.dps)._mpf_)

    def apply(self, name: str, args: tuple[Any, ...]) -> Any:
        """The real value, inf at a pole, nan outside of the domain."""
        function = self._table.get(name)
        if function is None:
            raise KeyError(f"no mpmath form of {name}")
        mpf = self.context.mpf
        try:
            outcome = function(*(mpf(arg) for arg in args))
        except ZeroDivisionError:
            return mpf("inf")
        except ValueError:
            return mpf("nan")
        if isinstance(outcome, self.context.mpc):
            return outcome.real if outcome.imag == 0 else mpf("nan")
        return mpf(outcome)


def converged(
    formula: sympy.Expr, values: Mapping[Any, Any], digits: int = 50, most_digits: int = 20000
) -> Any:
    """The value to `digits` digits, however much the naive formula cancels.

    The precision is doubled until two successive values agree. It starts with enough digits to
    tell 1 - 1e-400 from 1: a sum that cancels beyond that is 0 in every float type. An infinity
    or nan may yet be a 0 that needs more digits, as in log(1 - exp(-1e4)): only the last try
    decides that.
    """
    working = 400 + 2 * digits
    before = evaluate(formula, values, MpArithmetic(working))
    while working < most_digits:
        working *= 2
        arithmetic = MpArithmetic(working)
        now = evaluate(formula, values, arithmetic)
        precision = arithmetic.context.mpf(10) ** -digits
        if arithmetic.context.isfinite(now) and abs(now - before) <= abs(now) * precision:
            return now
        before = now
    return before


def functions_over(c: Any) -> dict[str, Callable[..., Any]]:
    """The meaning of every function of the vocabulary, in `c`, which has mpmath's functions."""

    def exp(x: Any) -> Any:
        if abs(x) > HUGE:
            return c.mpf("inf") if x > 0 else c.mpf(0)
        return c.exp(x)

    def log(x: Any) -> Any:
        if x == 0:
            return c.mpf("-inf")
        return c.log(x) if x > 0 else c.mpf("nan")

    def pow_(x: Any, y: Any) -> Any:
        if y == int(y):
            return x ** int(y)
        if x == 0:
            return c.mpf(0) if y > 0 else c.mpf("inf")
        return x**y if x > 0 else c.mpf("nan")

    def mul(*factors: Any) -> Any:
        return reduce(lambda x, y: x * y, factors)

    def sign(x: Any) -> int:
        return (x > 0) - (x < 0)

    def trunc(x: Any) -> Any:
        return sign(x) * c.floor(abs(x))

    def rint(x: Any) -> Any:
        below = c.floor(x)
        up = x - below > 0.5 or (x - below == 0.5 and int(below) % 2 == 1)
        return below + 1 if up else below

    def hypot(x: Any, y: Any) -> Any:
        return c.sqrt(x * x + y * y)

    def sine_quotient(x: Any, k: Any) -> Any:
        if x == 0:
            return 0 if int(k) % 2 else c.mpf((-1) ** (int(k) // 2)) / (int(k) + 1)
        quotient = c.sin(x) / x
        for order in range(1, int(k) + 1):
            quotient = (c.sin(x + order * c.pi / 2) - order * quotient) / x
        return quotient

    def heaviside(x: Any, h0: Any) -> Any:
        return h0 if x == 0 else int(x > 0)

    def clip(x: Any, lo: Any, hi: Any) -> Any:
        return min(max(x, lo), hi)

    plain = "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh atan2 sqrt erf erfc floor"
    return {name: getattr(c, name) for name in plain.split()} | {
        "Add": lambda *terms: reduce(lambda x, y: x + y, terms),
        "Mul": mul,
        "Pow": pow_,
        "power": pow_,
        "exp": exp,
        "exp2": lambda x: exp(x * c.log(2)),
        "expm1": lambda x: exp(x) - 1,
        "log": log,
        "log2": lambda x: log(x) / c.log(2),
        "log10": lambda x: log(x) / c.log(10),
        "log1p": lambda x: log(1 + x),
        "log1mexp": lambda x: log(1 - exp(-x)),
        "bose": lambda x: 1 / (exp(x) - 1),
        "logaddexp": lambda a, b: log(exp(a) + exp(b)),
        "logaddexp2": lambda a, b: log(exp(a * c.log(2)) + exp(b * c.log(2))) / c.log(2),
        "sigmoid": lambda x: 1 / (1 + exp(-x)),
        "softplus": lambda x: log(1 + exp(x)),
        "logcosh": lambda x: c.log(c.cosh(x)),
        "hypot": hypot,
        "unit": lambda x, y: x / hypot(x, y) if x or y else 0,
        "versin": lambda x: 1 - c.cos(x),
        "divide": lambda a, b: a / b,
        "root": c.sqrt,
        "cbrt": lambda x: sign(x) * c.cbrt(abs(x)),
        "sine_quotient": sine_quotient,
        "relu": lambda x: max(x, 0),
        "absolute": abs,
        "sign": sign,
        "ceil": c.ceil,
        "trunc": trunc,
        "rint": rint,
        "floor_divide": lambda a, b: c.floor(a / b),
        "mod": lambda a, b: a - b * c.floor(a / b),
        "fmod": lambda a, b: a - b * trunc(a / b),
        "maximum": max,
        "minimum": min,
        "fmax": max,
        "fmin": min,
        "clip": clip,
        "raised": max,
        "heaviside": heaviside,
        "where": lambda cond, a, b: a if cond != 0 else b,
        "less": lambda a, b: a < b,
        "less_equal": lambda a, b: a <= b,
        "equal": lambda a, b: a == b,
        "not_equal": lambda a, b: a != b,
        "logical_and": lambda a, b: a != 0 and b != 0,
        "logical_or": lambda a, b: a != 0 or b != 0,
        "logical_not": lambda a: a == 0,
        "erf": c.erf,
        "ndtr": lambda x: c.erfc(-x / c.sqrt(2)) / 2,
    }
