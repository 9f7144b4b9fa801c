"""Adoption: from any scalar SymPy formula to the vocabulary of `symgrad.expr.functions`.

    >>> x = sympy.Symbol("_0", real=True)
    >>> adopt(sympy.Piecewise((x, x > 0), (sympy.Abs(x) ** 2.0, True)))
    where(less(0, _0), _0, absolute(_0)**2)

Floats that are whole become exact where that cannot change an integer result into a float
(`1.0 + exp(x)` is `1 + exp(x)`, but `1.0*i` stays), so that later rules match one form only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, reduce
from typing import Any

import sympy
from sympy import Expr, S
from sympy.codegen import cfunctions
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from symgrad.errors import UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.kinds import PRESERVING, kind
from symgrad.expr.slots import fold, is_dimension, rebuild, slot_index
from symgrad.expr.spacing import SPACING


def _chain(function: Any) -> Callable[..., Any]:
    return lambda *args: reduce(function, args)


def _piecewise(*branches: Any) -> Any:
    *_, (_, last_condition) = branches
    if last_condition != 1:
        raise UnsupportedError(
            "a Piecewise without a default branch has no value where no condition holds",
            fix="end it with (expression, True)",
        )
    outcome = branches[-1][0]
    for expression, condition in reversed(branches[:-1]):
        outcome = f.where(condition, expression, outcome)
    return outcome


def _pow(base: Any, exponent: Any) -> Any:
    if exponent.is_Float and _is_whole(exponent):
        exponent = sympy.Integer(int(exponent))
    return f.power(base, exponent)


TRANSLATIONS: dict[Any, Callable[..., Any]] = {
    sympy.Abs: f.absolute,
    sympy.Max: lambda *args: reduce(f.maximum, sorted(args, key=_numbers_last)),
    sympy.Min: lambda *args: reduce(f.minimum, sorted(args, key=_numbers_last)),
    sympy.Heaviside: f.heaviside,
    sympy.sign: f.sign,
    sympy.floor: f.floor,
    sympy.ceiling: f.ceil,
    sympy.frac: lambda x: f.mod(x, S.One),
    sympy.Mod: f.mod,
    sympy.StrictLessThan: f.less,
    sympy.LessThan: f.less_equal,
    sympy.StrictGreaterThan: lambda a, b: f.less(b, a),
    sympy.GreaterThan: lambda a, b: f.less_equal(b, a),
    sympy.Equality: f.equal,
    sympy.Unequality: f.not_equal,
    sympy.And: _chain(f.logical_and),
    sympy.Or: _chain(f.logical_or),
    sympy.Not: f.logical_not,
    sympy.Xor: _chain(f.not_equal),
    sympy.ITE: f.where,
    BooleanTrue: lambda: S.One,
    BooleanFalse: lambda: S.Zero,
    sympy.Piecewise: _piecewise,
    sympy.functions.elementary.piecewise.ExprCondPair: sympy.Tuple,
    sympy.sinc: lambda x: f.sine_quotient(x, S.Zero),
    sympy.sec: lambda x: 1 / f.cos(x),
    sympy.csc: lambda x: 1 / f.sin(x),
    sympy.cot: lambda x: 1 / f.tan(x),
    sympy.sech: lambda x: 1 / f.cosh(x),
    sympy.csch: lambda x: 1 / f.sinh(x),
    sympy.coth: lambda x: 1 / f.tanh(x),
    sympy.asec: lambda x: f.acos(1 / x),
    sympy.acsc: lambda x: f.asin(1 / x),
    sympy.acot: lambda x: f.atan(1 / x),
    sympy.asech: lambda x: f.acosh(1 / x),
    sympy.acsch: lambda x: f.asinh(1 / x),
    sympy.acoth: lambda x: f.atanh(1 / x),
    cfunctions.log1p: f.log1p,
    cfunctions.expm1: f.expm1,
    cfunctions.log2: f.log2,
    cfunctions.log10: f.log10,
    cfunctions.exp2: f.exp2,
    cfunctions.hypot: f.hypot,
    cfunctions.Sqrt: f.sqrt,
    cfunctions.Cbrt: f.cbrt,
    cfunctions.fma: lambda a, b, c: a * b + c,
    sympy.Pow: _pow,
}

# What a formula may be made of once it is adopted.
VOCABULARY: frozenset[Any] = frozenset(
    {sympy.Add, sympy.Mul, sympy.Pow}
    | {getattr(f, name) for name in f.__all__ if name not in {"FUNCTIONS", "ScalarFunction"}}
)
CONSTANTS = (S.Pi, S.Exp1, S.EulerGamma, S.GoldenRatio, S.Catalan, S.TribonacciConstant, SPACING)
# SymPy's constructors may bring a foreign head back (`sqrt(u**2)` is Abs(u)): translate again.
MOST_ROUNDS = 8


def _numbers_last(argument: Any) -> tuple[bool, Any]:
    return bool(argument.is_number), argument.sort_key()


def adopt(formula: Any) -> Expr:
    """The same formula in our vocabulary.

    Raises UnsupportedError, naming what it met: complex or infinite constants, functions that are
    not offered, symbols that are neither slots nor dimensions.
    """
    try:
        formula = sympy.sympify(formula)
    except sympy.SympifyError as error:
        raise UnsupportedError(f"{formula!r} is not a SymPy formula") from error
    if not isinstance(formula, sympy.Expr | sympy.logic.boolalg.Boolean):
        raise UnsupportedError(f"{formula} is not a scalar formula")
    return in_vocabulary(formula)


@lru_cache(maxsize=65536)
def in_vocabulary(formula: Any) -> Expr:
    """`adopt` for a formula that is known to be a SymPy expression."""
    for _ in range(MOST_ROUNDS):
        translated = fold(formula, _translate)
        if translated == formula:
            return fold(translated, _checked)
        formula = translated
    raise AssertionError(f"the translation of {formula} does not settle")


def _translate(node: Any, args: tuple[Any, ...]) -> Any:
    translation = TRANSLATIONS.get(node.func)
    if translation is not None and node.func is not sympy.Pow:
        return translation(*args)
    if node.is_Pow:
        new = rebuild(node, args)
        return _pow(*new.args) if new.is_Pow else new
    if node.is_Float and node not in (S.Infinity, S.NegativeInfinity, S.NaN):
        return _exact_half(node)
    if node.is_Add or node.is_Mul:
        return _with_exact_numbers(node, args)
    if node.args and node.func not in PRESERVING:  # its result is not an integer in any case
        args = tuple(fold(arg, _with_whole_exact) if arg.has(sympy.Float) else arg for arg in args)
    return node if not node.args else rebuild(node, args)


def _with_whole_exact(node: Any, args: tuple[Any, ...]) -> Any:
    if node.is_Float and _is_whole(node) and abs(node) < 2**53:
        return sympy.Integer(int(node))
    return rebuild(node, args) if node.is_Add or node.is_Mul else node


def _exact_half(number: Any) -> Any:
    """0.5 as 1/2: exact where the binary fraction is short, and a float kind either way."""
    scaled = 16 * number
    if _is_whole(scaled) and not _is_whole(number) and abs(number) < 2**16:
        return sympy.Rational(int(scaled), 16)
    return number


def _is_whole(number: Any) -> bool:
    # SymPy's Float(1.0) is not equal to 1
    return float(number).is_integer()


def _with_exact_numbers(node: Any, args: tuple[Any, ...]) -> Any:
    whole = [arg for arg in args if arg.is_Float and abs(arg) < 2**53 and _is_whole(arg)]
    others = [arg for arg in args if arg not in whole]
    if whole and any(_is_surely_float(other) for other in others):
        return node.func(*others, *(sympy.Integer(int(number)) for number in whole))
    return rebuild(node, args)


class _AllInt:
    def __getitem__(self, _: int) -> str:
        return "int"


def _is_surely_float(formula: Any) -> bool:
    return kind(formula, _AllInt()) == "float"


def _checked(node: Any, args: tuple[Any, ...]) -> Any:
    """The node, if it belongs to the vocabulary; its arguments do already."""
    if node.func in VOCABULARY or node in CONSTANTS:
        return node
    if node.is_Symbol:
        if slot_index(node) is None and not is_dimension(node):
            raise UnsupportedError(
                f"the symbol {node} of a scalar formula is neither an operand nor a dimension",
                fix="make it an argument of the sympy.Lambda",
            )
        return node
    if node.is_Rational or (node.is_Float and node.is_finite):
        return node
    if node in (S.ImaginaryUnit, S.Infinity, S.NegativeInfinity, S.ComplexInfinity, S.NaN):
        raise UnsupportedError(
            f"a scalar formula cannot contain {node}", fix="use finite real numbers only"
        )
    name = getattr(node.func, "__name__", str(node.func))
    raise UnsupportedError(
        f"the function {name} is not supported in a scalar formula",
        fix="see symgrad.expr.functions.FUNCTIONS for those that are",
    )
