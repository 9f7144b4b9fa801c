"""The scalar functions that a user may write, by NumPy's names (both spellings where it has two).

`FUNCTIONS` maps each name to how it is built from scalar arguments. The classes live in
`comparison` (0/1 indicators and `where`), `steps` (kinks and jumps), `smooth` and `planar`; they
are gathered here, beside SymPy's own functions whose derivatives are good as they are.

    >>> from symgrad.expr.formula import slot
    >>> FUNCTIONS["arctan2"](slot(0), slot(1)), FUNCTIONS["greater"](slot(0), 0)
    (atan2(_0, _1), less(0, _0))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import (
    Expr,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    log,
    pi,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

from symgrad.expr.comparison import (
    Indicator,
    equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
    where,
)
from symgrad.expr.planar import hypot, unit
from symgrad.expr.smooth import (
    bose,
    cbrt,
    divide,
    exp2,
    expm1,
    log1mexp,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    logcosh,
    ndtr,
    power,
    root,
    sigmoid,
    sine_quotient,
    softplus,
    versin,
)
from symgrad.expr.steps import (
    absolute,
    ceil,
    clip,
    floor,
    floor_divide,
    fmax,
    fmin,
    fmod,
    heaviside,
    maximum,
    minimum,
    mod,
    raised,
    relu,
    rint,
    sign,
    trunc,
)

__all__ = [
    "FUNCTIONS",
    "Indicator",
    "ScalarFunction",
    "absolute",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bose",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "divide",
    "equal",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "heaviside",
    "hypot",
    "less",
    "less_equal",
    "log",
    "log1mexp",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logcosh",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "mod",
    "ndtr",
    "not_equal",
    "power",
    "raised",
    "relu",
    "rint",
    "root",
    "sigmoid",
    "sign",
    "sin",
    "sine_quotient",
    "sinh",
    "softplus",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
    "unit",
    "versin",
    "where",
]


@dataclass(frozen=True)
class ScalarFunction:
    """One function of the language.

    name: as NumPy spells it. arity: how many operands. construct: from SymPy arguments to a
    formula. printed: the formula over a, b, c, as a reader sees it.
    """

    name: str
    arity: int
    construct: Callable[..., Expr]
    printed: str

    def __call__(self, *args: Any) -> Expr:
        """The formula for these arguments (SymPy expressions or numbers)."""
        assert len(args) == self.arity, f"{self.name} takes {self.arity} arguments"
        return self.construct(*(sympy.sympify(arg) for arg in args))


def _logical_xor(a: Expr, b: Expr) -> Expr:
    """Whether exactly one is non-zero."""
    return not_equal(not_equal(a, 0), not_equal(b, 0))


def _copysign(a: Expr, b: Expr) -> Expr:
    """|a| with the sign of b; the sign of a zero b is not seen, and counts as +."""
    return where(less(b, 0), -absolute(a), absolute(a))


def _table() -> dict[str, ScalarFunction]:
    rows: list[tuple[str, int, Callable[..., Expr], str]] = [
        # names (the first is the canonical one), arity, constructor, printed form
        ("add", 2, lambda a, b: a + b, "a + b"),
        ("subtract", 2, lambda a, b: a - b, "a - b"),
        ("multiply", 2, lambda a, b: a * b, "a * b"),
        ("divide true_divide", 2, lambda a, b: a / b, "a / b"),
        ("power pow float_power", 2, power, "a**b"),
        ("negative", 1, lambda a: -a, "-a"),
        ("positive", 1, lambda a: a, "a"),
        ("square", 1, lambda a: a**2, "a**2"),
        ("reciprocal", 1, lambda a: 1 / a, "1 / a"),
        ("sqrt", 1, sqrt, "sqrt(a)"),
        ("cbrt", 1, cbrt, "cbrt(a)"),
        ("absolute abs fabs", 1, absolute, "abs(a)"),
        ("sign", 1, sign, "sign(a)"),
        ("floor", 1, floor, "floor(a)"),
        ("ceil", 1, ceil, "ceil(a)"),
        ("trunc fix", 1, trunc, "trunc(a)"),
        ("rint", 1, rint, "rint(a)"),
        ("remainder mod", 2, mod, "mod(a, b)"),
        ("fmod", 2, fmod, "fmod(a, b)"),
        ("floor_divide", 2, floor_divide, "floor_divide(a, b)"),
        ("maximum", 2, maximum, "maximum(a, b)"),
        ("minimum", 2, minimum, "minimum(a, b)"),
        ("fmax", 2, fmax, "fmax(a, b)"),
        ("fmin", 2, fmin, "fmin(a, b)"),
        ("clip", 3, clip, "clip(a, b, c)"),
        ("heaviside", 2, heaviside, "heaviside(a, b)"),
        ("where", 3, where, "where(a, b, c)"),
        ("less", 2, less, "a < b"),
        ("less_equal", 2, less_equal, "a <= b"),
        ("greater", 2, lambda a, b: less(b, a), "a > b"),
        ("greater_equal", 2, lambda a, b: less_equal(b, a), "a >= b"),
        ("equal", 2, equal, "a == b"),
        ("not_equal", 2, not_equal, "a != b"),
        ("logical_and", 2, logical_and, "a & b"),
        ("logical_or", 2, logical_or, "a | b"),
        ("logical_xor", 2, _logical_xor, "a ^ b"),
        ("logical_not", 1, logical_not, "~a"),
        ("copysign", 2, _copysign, "where(b < 0, -abs(a), abs(a))"),
        ("exp", 1, exp, "exp(a)"),
        ("exp2", 1, exp2, "exp2(a)"),
        ("expm1", 1, expm1, "expm1(a)"),
        ("log", 1, log, "log(a)"),
        ("log2", 1, log2, "log2(a)"),
        ("log10", 1, log10, "log10(a)"),
        ("log1p", 1, log1p, "log1p(a)"),
        ("logaddexp", 2, logaddexp, "logaddexp(a, b)"),
        ("logaddexp2", 2, logaddexp2, "logaddexp2(a, b)"),
        ("hypot", 2, hypot, "hypot(a, b)"),
        ("sin", 1, sin, "sin(a)"),
        ("cos", 1, cos, "cos(a)"),
        ("tan", 1, tan, "tan(a)"),
        ("arcsin asin", 1, asin, "arcsin(a)"),
        ("arccos acos", 1, acos, "arccos(a)"),
        ("arctan atan", 1, atan, "arctan(a)"),
        ("arctan2 atan2", 2, atan2, "arctan2(a, b)"),
        ("sinh", 1, sinh, "sinh(a)"),
        ("cosh", 1, cosh, "cosh(a)"),
        ("tanh", 1, tanh, "tanh(a)"),
        ("arcsinh asinh", 1, asinh, "arcsinh(a)"),
        ("arccosh acosh", 1, acosh, "arccosh(a)"),
        ("arctanh atanh", 1, atanh, "arctanh(a)"),
        ("deg2rad radians", 1, lambda a: a * pi / 180, "pi * a / 180"),
        ("rad2deg degrees", 1, lambda a: a * 180 / pi, "180 * a / pi"),
        ("sinc", 1, lambda a: sine_quotient(pi * a, 0), "sinc(a)"),
        ("erf", 1, erf, "erf(a)"),
        ("erfc", 1, erfc, "erfc(a)"),
        ("ndtr", 1, ndtr, "ndtr(a)"),
        ("sigmoid", 1, sigmoid, "sigmoid(a)"),
        ("softplus", 1, softplus, "softplus(a)"),
        ("relu", 1, relu, "relu(a)"),
    ]
    table: dict[str, ScalarFunction] = {}
    for names, arity, construct, printed in rows:
        entry = ScalarFunction(names.split()[0], arity, construct, printed)
        table |= dict.fromkeys(names.split(), entry)
    return table


FUNCTIONS: dict[str, ScalarFunction] = _table()
