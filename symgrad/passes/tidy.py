"""Tidying a scalar formula: what all terms of a sum share is multiplied once.

    exp(_0 - _1)/n - _2/n        ->   (exp(_0 - _1) - _2)/n
    _0/32 - _1/32                ->   (_0 - _1)/32
    _0*_1 - _0*_1*tanh(_2)**2    ->   _0*_1*(1 - tanh(_2)**2)

Nothing is expanded and no function's argument is touched: a factor outside a sum rounds once, and
cannot make terms cancel that did not cancel before.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import Any

import sympy
from sympy import Expr, S

from symgrad.expr import functions as f
from symgrad.passes.inversion import cost
from symgrad.passes.stability import stabilise_formula

MOST_ROUNDS = 6


@lru_cache(maxsize=65536)
def finished(formula: Expr) -> Expr:
    """The formula as it is to be computed: stable and tidy."""
    for _ in range(MOST_ROUNDS):
        better = tidied(stabilise_formula(formula))
        if better == formula:
            break
        formula = better
    return formula


@lru_cache(maxsize=65536)
def tidied(formula: Expr) -> Expr:
    """The formula with common factors outside of its sums; itself where that saves nothing."""
    new = _tidied(formula)
    return new if cost(new) < cost(formula) else formula


def _tidied(formula: Any) -> Expr:
    if formula.is_Add:
        return _factored([_tidied(term) for term in formula.args])
    if formula.is_Mul:
        return _product([_tidied(factor) for factor in formula.args])
    if isinstance(formula, f.where):
        condition, a, b = formula.args
        return f.where(condition, _tidied(a), _tidied(b))
    return formula


def _product(factors: list[Any]) -> Expr:
    """The product; a number before a sum stays there, where SymPy would multiply it in."""
    number = sympy.Mul(*(factor for factor in factors if factor.is_Number))
    rest = sympy.Mul(*(factor for factor in factors if not factor.is_Number))
    coefficient, rest = rest.as_coeff_Mul()
    number = number * coefficient
    if rest.is_Add and number != 1:
        return sympy.Mul(number, rest, evaluate=False)
    return number * rest


def _factored(terms: list[Any]) -> Expr:
    """The sum of `terms` with the factors that all of them have outside."""
    parts = [_parts(term) for term in terms]
    shared: dict[Expr, int] = {}
    for base in parts[0][1]:
        exponents = [powers.get(base, 0) for _, powers in parts]
        if all(e > 0 for e in exponents):
            shared[base] = min(exponents)
        elif all(e < 0 for e in exponents):
            shared[base] = max(exponents)
    number = _shared_number([coefficient for coefficient, _ in parts])
    if not shared and number == 1:
        return sympy.Add(*terms)
    outside = [base**exponent for base, exponent in shared.items()]
    inner = [
        _product(
            [_quotient(coefficient, number)]
            + [base ** (e - shared.get(base, 0)) for base, e in powers.items()]
        )
        for coefficient, powers in parts
    ]
    return _product([number, *outside, sympy.Add(*inner)])


def _quotient(a: Any, b: Any) -> Any:
    """a/b, exact where a is b or -b: a quotient of floats is a float, 1.0."""
    if abs(a) == abs(b):
        return S.One if a == b else S.NegativeOne
    return a / b


def _parts(term: Any) -> tuple[Any, dict[Expr, int]]:
    """A number and whole powers of which `term` is the product."""
    coefficient, rest = term.as_coeff_Mul()
    powers: dict[Expr, int] = {}
    for factor in sympy.Mul.make_args(rest):
        base, exponent = (factor.base, factor.exp) if factor.is_Pow else (factor, S.One)
        if not exponent.is_Integer:
            base, exponent = factor, S.One
        if base is not S.One:
            powers[base] = powers.get(base, 0) + int(exponent)
    return coefficient, powers


def _shared_number(coefficients: list[Any]) -> Any:
    """What all coefficients are multiples of by 1 or -1, or whole numbers; else 1."""
    if not all(c.is_Rational for c in coefficients):
        same_size = {abs(c) for c in coefficients}
        return same_size.pop() if len(same_size) == 1 else S.One
    numerator = reduce(sympy.igcd, (abs(c.p) for c in coefficients))
    denominator = reduce(sympy.ilcm, (c.q for c in coefficients))
    content = sympy.Rational(numerator, denominator)
    return -content if all(c < 0 for c in coefficients) else content
