"""Rewrites of sums in which terms nearly cancel.

    exp(x) - 1            ->  expm1(x)
    t - t*cos(x)          ->  t*versin(x)
    sqrt(x + 1) - sqrt(x) ->  1/(sqrt(x + 1) + sqrt(x))

Each rule takes a sum (its parts are stable already) and gives an equal formula, or None. Most
look for a *pair*: a term `m*F(u)` and a partner such as `-m` among the other terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sympy import Add, Expr, Mul, S, cosh, exp, expand_mul, sinh, sqrt, tanh

from symgrad.expr import functions as f
from symgrad.expr.formula import operation_count


def _marked(total: Any, head: Any) -> Iterator[tuple[Expr, Expr, Expr]]:
    """(term, m, u) for every term m*head(u) of a sum."""
    for term in total.args:
        for factor in Mul.make_args(term):
            base = factor.base if factor.is_Pow and factor.exp.is_Integer else factor
            if base.func is head and (base is factor or factor.exp > 0):
                yield term, term / base, base.args[0]


def _exchange(total: Any, old: list[Expr], new: Expr) -> Expr | None:
    """The sum with the terms `old` replaced by `new`; None unless all of them are there.

    A partner that is itself a sum (`-t*u` where u = a - b) is looked for term by term.
    """
    rest = list(total.args)
    for term in (part for whole in old for part in Add.make_args(expand_mul(whole))):
        if term not in rest:
            return None
        rest.remove(term)
    return Add(*rest, new)


Pair = tuple[Expr, Expr]  # the partner to find beside m*F(u), and what both together are


def _pair_rule(head: Any, pairs: Callable[[Expr, Expr], list[Pair]]) -> Callable[[Any], Any]:
    def rule(total: Any) -> Expr | None:
        for term, m, u in _marked(total, head):
            for partner, together in pairs(m, u):
                found = _exchange(total, [term, partner], together)
                if found is not None:
                    return found
        return None

    rule.__doc__ = pairs.__doc__
    return rule


def exp_pairs(m: Expr, u: Expr) -> list[Pair]:
    """m exp(u) - m = m expm1(u);  m exp(u) - m exp(-u) = 2 m sinh(u)."""
    return [(-m, m * f.expm1(u)), (-m * exp(-u), 2 * m * sinh(u))]


def cos_pairs(m: Expr, u: Expr) -> list[Pair]:
    """m cos(u) - m = -m versin(u), and versin is 2 sin(u/2)**2."""
    return [(-m, -m * f.versin(u))]


def cosh_pairs(m: Expr, u: Expr) -> list[Pair]:
    """m cosh(u) - m = 2 m sinh(u/2)**2."""
    return [(-m, 2 * m * sinh(u / 2) ** 2)]


def sigmoid_pairs(m: Expr, u: Expr) -> list[Pair]:
    """1 - s(u) = s(-u);  s(u) - s(-u) = tanh(u/2) = 2 s(u) - 1;  s(u) + s(-u) = 1."""
    return [
        (-m, -m * f.sigmoid(-u)),
        (-m * f.sigmoid(-u), m * tanh(u / 2)),
        (-m / 2, m * tanh(u / 2) / 2),
        (m * f.sigmoid(-u), m),
    ]


def tanh_pairs(m: Expr, u: Expr) -> list[Pair]:
    """1 + tanh(u) = 2 s(2u);  1 - tanh(u) = 2 s(-2u)."""
    return [(m, 2 * m * f.sigmoid(2 * u)), (-m, -2 * m * f.sigmoid(-2 * u))]


def softplus_pairs(m: Expr, u: Expr) -> list[Pair]:
    """softplus(u) - u = softplus(-u), so softplus(u) - softplus(-u) = u;
    max(v, 0) + softplus(-|v|) = softplus(v).
    """
    pairs: list[Pair] = [(-m * u, m * f.softplus(-u)), (-m * f.softplus(-u), m * u)]
    inner = -u
    if isinstance(inner, f.absolute):
        for v in (inner.args[0], -inner.args[0]):
            for positive_part in (f.maximum(v, 0), f.maximum(0, v), f.relu(v)):
                pairs.append((m * positive_part, m * f.softplus(v)))
    return pairs


def log_sum_less_a_term(total: Any) -> Expr | None:
    """log(e**a + e**b) - a  ->  softplus(b - a): the negative log of a two-way softmax."""
    for term in total.args:
        for factor in Mul.make_args(term):
            if isinstance(factor, f.logaddexp):
                m = term / factor
                a, b = factor.args
                for this, other in ((a, b), (b, a)):
                    found = _exchange(total, [term, -m * this], m * f.softplus(other - this))
                    if found is not None:
                        return found
    return None


def exp_pair_less_two(total: Any) -> Expr | None:
    """m exp(u) + m exp(-u) - 2 m  ->  4 m sinh(u/2)**2, which is 2 m (cosh(u) - 1)."""
    for term, m, u in _marked(total, exp):
        together = 4 * m * sinh(u / 2) ** 2
        found = _exchange(total, [term, m * exp(-u), -2 * m], together)
        if found is not None:
            return found
    return None


def _rooted(total: Any) -> list[tuple[Expr, Expr, Expr]]:
    """(term, m, a) for every term m*sqrt(a) of a sum."""
    return [
        (term, term / factor, factor.base)
        for term in total.args
        for factor in Mul.make_args(term)
        if factor.is_Pow and factor.exp == S.Half and not factor.is_number
    ]


def difference_of_roots(total: Any) -> Expr | None:
    """m sqrt(a) - m sqrt(b)  ->  m (a - b)/(sqrt(a) + sqrt(b)), if a - b is simpler than both.

    A number is a root too: sqrt(1 + x) - 1 -> x/(sqrt(1 + x) + 1).
    """
    rooted = _rooted(total)
    number = total.args[0]
    for i, (term, m, a) in enumerate(rooted):
        partners = [(other, b) for other, n, b in rooted[i + 1 :] if n == -m]
        if number.is_Rational and m.is_Rational and number / m < 0:
            partners.append((number, (number / m) ** 2))
        for other, b in partners:
            difference = expand_mul(a - b)
            simplest = min(operation_count(difference), operation_count(-difference))
            if simplest < operation_count(a) + operation_count(b):
                together = m * difference / (sqrt(a) + sqrt(b))
                return _exchange(total, [term, other], together)
    return None


def complementary_weights(total: Any) -> Expr | None:
    """(1 - t) m + t m  ->  m: the second derivative of a cross-entropy."""
    for term in total.args:
        for factor in Mul.make_args(term):
            if factor.is_Add and S.One in factor.args:
                m = term / factor
                found = _exchange(total, [term, m * (1 - factor)], m)
                if found is not None:
                    return found
    return None


def quotient_rule_left_over(total: Any) -> Expr | None:
    """m/q**k - m r/q**(k+1), q = r + s  ->  m s/q**(k+1): the slope of x/(1 + x)."""
    for term in total.args:
        for factor in Mul.make_args(term):
            if not (factor.is_Pow and factor.base.is_Add and factor.exp.is_Integer):
                continue
            q, k = factor.base, -factor.exp
            for r in q.args if k > 0 else ():
                m = term / factor
                found = _exchange(total, [term, -m * r / q ** (k + 1)], m * (q - r) / q ** (k + 1))
                if found is not None:
                    return found
    return None


SUM_RULES: tuple[Callable[[Any], Expr | None], ...] = (
    exp_pair_less_two,  # before exp_pairs, which would take one exp and the number
    _pair_rule(exp, exp_pairs),
    _pair_rule(cosh, cosh_pairs),
    _pair_rule(f.cos, cos_pairs),
    _pair_rule(f.sigmoid, sigmoid_pairs),
    _pair_rule(tanh, tanh_pairs),
    _pair_rule(f.softplus, softplus_pairs),
    log_sum_less_a_term,
    difference_of_roots,
    quotient_rule_left_over,
    complementary_weights,
)
