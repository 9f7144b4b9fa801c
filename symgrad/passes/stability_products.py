"""Rewrites of products and powers whose factors overflow, or cancel, before the result does.

    1/(1 + exp(-x))         ->  sigmoid(x)
    exp(x)/(1 + exp(x))     ->  sigmoid(x)
    sqrt(x**2 + y**2)       ->  hypot(x, y)

Each rule takes a product or a power (its parts are stable already) and gives an equal formula, or
None.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from sympy import Add, Expr, Mul, Rational, S, cosh, exp, sinh, sqrt, tanh

from symgrad.expr import functions as f
from symgrad.expr.formula import operation_count


def inverse_of_one_plus_exp(power: Any) -> Expr | None:
    """(c + c exp(u))**-n  ->  c**-n sigmoid(-u)**n, for n > 0."""
    base, exponent = power.args
    if not (base.is_Add and len(base.args) == 2 and exponent.is_Rational and exponent < 0):
        return None
    constant, term = base.as_coeff_Add()
    scale, exponential = term.as_coeff_Mul()
    if constant != scale or not isinstance(exponential, exp) or not scale > 0:
        return None
    return scale**exponent * f.sigmoid(-exponential.args[0]) ** -exponent


def _square_root_of(term: Any) -> Expr | None:
    """sqrt(term), if term is a positive number or a square with a positive coefficient."""
    coefficient, rest = term.as_coeff_Mul()
    if not (coefficient.is_Rational and coefficient > 0):
        return None
    factors = []
    for factor in Mul.make_args(rest):
        if factor is S.One:
            continue
        if not (factor.is_Pow and factor.exp.is_Integer and factor.exp > 0 and factor.exp % 2 == 0):
            return None
        factors.append(factor.base ** (factor.exp / 2))
    return sqrt(coefficient) * Mul(*factors)


def _legs(total: Any) -> list[Expr] | None:
    """The a, b, ... of a sum of squares a**2 + b**2 + ..., in a fixed order."""
    if not total.is_Add:
        return None
    legs = [_square_root_of(term) for term in sorted(total.args, key=lambda t: t.sort_key())]
    return None if any(leg is None for leg in legs) else [leg for leg in legs if leg is not None]


def root_of_sum_of_squares(power: Any) -> Expr | None:
    """(a**2 + b**2 + ...)**(k/2), k odd  ->  hypot(hypot(a, b), ...)**k: a**2 may overflow."""
    base, exponent = power.args
    if not (exponent.is_Rational and exponent.q == 2):
        return None
    legs = _legs(base)
    return reduce(f.hypot, legs) ** exponent.p if legs else None


def leg_over_sum_of_squares(product: Any) -> Expr | None:
    """a/(a**2 + b**2)  ->  unit(a, b)/hypot(a, b): the slope of arctan2, whole at 1e200."""
    for factor in product.args:
        legs = _legs(factor.base) if factor.is_Pow and factor.exp == -1 else None
        if legs is None or len(legs) != 2:
            continue
        for a, b in (legs, legs[::-1]):
            numerator = product / factor
            if a in Mul.make_args(numerator):
                return numerator / a * f.unit(a, b) / f.hypot(a, b)
    return None


def product_of_exps(product: Any) -> Expr | None:
    """exp(a) exp(b)  ->  exp(a + b): one may overflow where the other underflows."""
    grown = [factor for factor in product.args if isinstance(factor, exp)]
    if len(grown) < 2:
        return None
    return _without(product, *grown) * exp(Add(*(factor.args[0] for factor in grown)))


def _without(product: Any, *factors: Any) -> Expr:
    """The product of the other factors. (SymPy does not cancel exp(a - b)/exp(a - b).)"""
    return Mul(*(factor for factor in product.args if factor not in factors))


def sign_with_its_argument(product: Any) -> Expr | None:
    """u sign(u) -> |u|;  |u| sign(u) -> u;  sign(u)**k |u|**-k -> u**-k: left by slopes of |u|."""
    for factor in product.args:
        base, k = factor.as_base_exp()
        if not (isinstance(base, f.sign) and k.is_Integer and k > 0):
            continue
        u = base.args[0]
        size = f.absolute(u)
        if u in product.args:
            return product / base / u * size
        if size in product.args:
            return product / base / size * u
        for other in product.args:
            if other.is_Pow and other.base == size and other.exp.is_Integer and other.exp <= -k:
                return product / factor * size**k * u**-k
    return None


def exp_times_sigmoid(product: Any) -> Expr | None:
    """exp(r - v) sigmoid(v)  ->  exp(r) sigmoid(-v), where r is simpler than r - v."""
    grown = [factor for factor in product.args if isinstance(factor, exp)]
    for exponential in grown:
        exponent = exponential.args[0]
        for factor in product.args:
            base, times = factor.as_base_exp()
            if not (isinstance(base, f.sigmoid) and times.is_Rational and times >= 1):
                continue
            v = base.args[0]
            left = exponent + v
            ratio = (exponent / v) if v != 0 else S.Zero
            multiple = ratio.is_Rational and -times <= ratio <= -1
            if left == 0 or multiple or operation_count(left) < operation_count(exponent):
                return _without(product, exponential) / base * exp(left) * f.sigmoid(-v)
    return None


def exp_over_sum_of_exps(product: Any) -> Expr | None:
    """exp(a)/(c exp(a) + d exp(b) + ...)  ->  1/(c + d exp(b - a) + ...): no inf/inf."""
    for exponential in product.args:
        if not isinstance(exponential, exp):
            continue
        for factor in product.args:
            if not (factor.is_Pow and factor.exp == -1 and factor.base.is_Add):
                continue
            terms = factor.base.args
            if any(exponential in Mul.make_args(term) for term in terms) and all(
                _is_exp_term(term) for term in terms
            ):
                denominator = Add(*(_over_exp(term, exponential) for term in terms))
                return _without(product, exponential, factor) / denominator
    return None


def _over_exp(term: Any, exponential: Any) -> Expr:
    """c exp(b) / exp(a) as c exp(b - a)."""
    coefficient, rest = term.as_coeff_Mul()
    exponent = S.Zero if rest is S.One else rest.args[0]
    return coefficient * exp(exponent - exponential.args[0])


def _is_exp_term(term: Any) -> bool:
    coefficient, rest = term.as_coeff_Mul()
    return bool(coefficient > 0 and (rest is S.One or isinstance(rest, exp)))


def expm1_times_sigmoid(product: Any) -> Expr | None:
    """(exp(v) - 1)/(exp(v) + 1) = expm1(v) sigmoid(-v)  ->  tanh(v/2)."""
    for factor in product.args:
        if isinstance(factor, f.expm1):
            partner = f.sigmoid(-factor.args[0])
            if partner in product.args:
                return product / factor / partner * tanh(factor.args[0] / 2)
    return None


def sinh_over_cosh(product: Any) -> Expr | None:
    """sinh(u)/cosh(u)  ->  tanh(u), also where cosh is written exp(u) + exp(-u)."""
    for factor in product.args:
        if not isinstance(factor, sinh):
            continue
        u = factor.args[0]
        for divisor in (cosh(u), exp(u) + exp(-u), 2 * exp(u) + 2 * exp(-u)):
            if 1 / divisor in product.args:
                size = divisor.args[0].as_coeff_Mul()[0] if divisor.is_Add else Rational(1, 2)
                return product / factor * divisor * tanh(u) / (2 * size)
    return None


def exp_over_expm1(product: Any) -> Expr | None:
    """exp(v)/expm1(v)  ->  -1/expm1(-v): no inf/inf."""
    for factor in product.args:
        if factor.is_Pow and factor.exp == -1 and isinstance(factor.base, f.expm1):
            v = factor.base.args[0]
            for exponential in product.args:
                if isinstance(exponential, exp) and exponential.args[0] == v:
                    return -_without(product, factor, exponential) / f.expm1(-v)
    return None


POWER_RULES: tuple[Callable[[Any], Expr | None], ...] = (
    inverse_of_one_plus_exp,
    root_of_sum_of_squares,
)
PRODUCT_RULES: tuple[Callable[[Any], Expr | None], ...] = (
    product_of_exps,
    exp_times_sigmoid,
    exp_over_sum_of_exps,
    expm1_times_sigmoid,
    sinh_over_cosh,
    exp_over_expm1,
    leg_over_sum_of_squares,
    sign_with_its_argument,
)
