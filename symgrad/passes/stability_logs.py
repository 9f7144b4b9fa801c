"""Rewrites of logarithms and exponentials whose argument leaves the range before they do.

    log(1 + exp(x))         ->  softplus(x)
    log(exp(a) + exp(b))    ->  logaddexp(a, b)
    log(exp(z)/s)           ->  z - log(s)

Each rule takes the function's argument (stable already) and gives an equal formula, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from sympy import Add, Expr, Mul, S, cosh, exp, expand_mul, log

from symgrad.expr import functions as f


def log_of_sum_of_exps(u: Any) -> Expr | None:
    """log(c e**a + d e**b + k ...)  ->  logaddexp of a + log c, b + log d, log k; all positive.

    With two terms of which one is 1 that is softplus; of e**v + e**-v it is logcosh.
    """
    if not u.is_Add:
        return None
    exponents = []
    for term in sorted(u.args, key=lambda t: t.sort_key()):
        scale, rest = term.as_coeff_Mul()
        if not (scale.is_Rational and scale > 0):
            return None
        if rest is S.One:
            exponents.append(log(scale))
        elif isinstance(rest, exp):
            exponents.append(rest.args[0] + log(scale))
        else:
            return None
    if all(exponent.is_number for exponent in exponents):
        return None
    if len(exponents) == 2 and (middle := Add(*exponents) / 2).is_number:
        return middle + log(2) + f.logcosh(expand_mul(exponents[1] - middle))
    return reduce(_log_add_exp, exponents)


def _log_add_exp(a: Expr, b: Expr) -> Expr:
    if a.is_number:
        return a + f.softplus(b - a)
    return b + f.softplus(a - b) if b.is_number else f.logaddexp(a, b)


def log_of_one_minus_exp(u: Any) -> Expr | None:
    """log(-expm1(-v)) = log(1 - e**-v)  ->  log1mexp(v)."""
    if u.is_Mul and len(u.args) == 2 and u.args[0] == -1 and isinstance(u.args[1], f.expm1):
        return f.log1mexp(-u.args[1].args[0])
    return None


def log_of_expm1(u: Any) -> Expr | None:
    """log(e**v - 1)  ->  v + log1mexp(v): expm1 overflows."""
    return u.args[0] + f.log1mexp(u.args[0]) if isinstance(u, f.expm1) else None


def log_of_product(u: Any) -> Expr | None:
    """log(e**a sigmoid(b)**n v)  ->  a - n softplus(-b) + log(v): factors that under- or overflow.

    Those factors are positive, so log(v) is defined where the whole was.
    """
    outside = []
    inside = []
    for factor in Mul.make_args(u):
        base, times = factor.as_base_exp()
        if isinstance(factor, exp):
            outside.append(factor.args[0])
        elif isinstance(base, f.sigmoid) and times.is_Rational:
            outside.append(-times * f.softplus(-base.args[0]))
        elif isinstance(base, cosh) and times.is_Rational:
            outside.append(times * f.logcosh(base.args[0]))
        else:
            inside.append(factor)
    return Add(*outside, log(Mul(*inside))) if outside else None


def log_of_power(u: Any) -> Expr | None:
    """log(v**n)  ->  n log|v| for even n, n log(v) for other numbers n: v**n may overflow.

    Both sides are nan for the same v: an odd or fractional power of a negative is not positive.
    """
    if not (u.is_Pow and u.exp.is_Rational and u.exp != 0):
        return None
    v, n = u.args
    return n * log(f.absolute(v) if n.p % 2 == 0 and n.q == 1 else v)


def log_of_one_plus(u: Any) -> Expr | None:
    """log(1 + v)  ->  log1p(v): 1 + v rounds v away."""
    constant, rest = u.as_coeff_Add()
    return f.log1p(rest) if constant is S.One and rest is not S.Zero else None


LOG_RULES: tuple[Callable[[Any], Expr | None], ...] = (
    log_of_sum_of_exps,  # before log_of_one_plus, which would take log(1 + exp(u)) too
    log_of_one_minus_exp,
    log_of_expm1,
    log_of_product,
    log_of_power,
    log_of_one_plus,
)


def log1p_of_exp(u: Any) -> Expr | None:
    """log1p(e**v) -> softplus(v);  log1p(-e**-v) -> log1mexp(v);  log1p(e**v - 1) -> v."""
    scale, rest = u.as_coeff_Mul()
    if isinstance(rest, exp) and scale in (1, -1):
        v = rest.args[0]
        return f.softplus(v) if scale == 1 else f.log1mexp(-v)
    return u.args[0] if isinstance(u, f.expm1) else None


def log1p_of_complement(u: Any) -> Expr | None:
    """log1p(-sigmoid(v))  ->  -softplus(v)."""
    scale, rest = u.as_coeff_Mul()
    return -f.softplus(rest.args[0]) if scale == -1 and isinstance(rest, f.sigmoid) else None


def exp_of_softplus(u: Any) -> Expr | None:
    """exp(-n softplus(v)) -> sigmoid(-v)**n;  exp(log1mexp(v)) -> -expm1(-v)."""
    scale, rest = u.as_coeff_Mul()
    if isinstance(rest, f.softplus) and scale.is_Integer and scale < 0:
        return f.sigmoid(-rest.args[0]) ** -scale
    return -f.expm1(-u.args[0]) if isinstance(u, f.log1mexp) else None


def logaddexp_with_zero(a: Any, b: Any) -> Expr | None:
    """logaddexp(0, v)  ->  softplus(v)."""
    if a is S.Zero:
        return f.softplus(b)
    return f.softplus(a) if b is S.Zero else None


FUNCTION_RULES: dict[Any, tuple[Callable[..., Expr | None], ...]] = {
    log: LOG_RULES,
    f.log1p: (log1p_of_exp, log1p_of_complement),
    exp: (exp_of_softplus,),
    f.logaddexp: (logaddexp_with_zero,),
}
