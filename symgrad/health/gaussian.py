"""Expectations under a normal law in closed form, by known integrals.

What can be integrated: sums of products of powers of z, exp of lines and parabolas (so sines,
cosines, hyperbolic ones), and the normal distribution function (so erf, GELU), cut at kinks.

    E[relu(z)^2] = q/2        E[cos(z)^2] = 1/2 + exp(-2 q)/2

Every rule is one integral; nothing searches, so nothing can hang:

- exp(a2 z^2 + a1 z) tilts one normal law into another;
- E[z g(z)] = mu E[g(z)] + q E[g'(z)] lowers powers (Stein's lemma); on an interval the same by
  parts, with the values at its ends;
- E[ndtr(a z)^2] = 1/4 + arcsin(a^2 q / (1 + a^2 q)) / (2 pi), the arc-cosine kernel's integral
  (Sheppard 1899; Williams 1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, I, S

from symgrad.expr import functions as f
from symgrad.expr.slots import fold
from symgrad.health.pieces import Piece, Z

Q = sympy.Symbol("q", positive=True)

MOST_TERMS = 200
HIGHEST_POWER = 40


class NoClosedFormError(Exception):
    """The known integrals do not reach this formula."""


@dataclass(frozen=True)
class Law:
    """A normal law: `mean` and `variance`."""

    mean: Expr
    variance: Expr


def expectation(parts: Sequence[Piece], variance: Expr = Q) -> Expr:
    """E[h(z)] for z ~ N(0, variance), where h is given by its smooth pieces.

    Raises: NoClosedFormError.
    """
    law = Law(S.Zero, variance)
    total = sympy.Add(*(_of_piece(part, law) for part in parts))
    if total.has(I):
        total = sympy.re(sympy.expand(total, complex=True))
    return sympy.factor_terms(sympy.expand(total))


def _of_piece(part: Piece, law: Law) -> Expr:
    if part.formula.is_zero:
        return S.Zero
    expanded = fold(part.formula, _known).expand()
    terms = sympy.Add.make_args(expanded)
    if len(terms) > MOST_TERMS:
        raise NoClosedFormError("too many terms")
    return sympy.Add(*(_of_term(term, law, part.low, part.high) for term in terms))


def _known(node: Any, args: tuple[Any, ...]) -> Any:
    """The node in powers, exponentials and `ndtr`."""
    if not node.args:
        return node
    if node.is_Pow and (not args[1].is_Integer or abs(args[1]) > HIGHEST_POWER) and args[0].has(Z):
        raise NoClosedFormError(f"the power {node}")
    rule = KNOWN.get(node.func)
    if rule is not None:
        return rule(*args)
    if node.func in (sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, f.ndtr):
        return node.func(*args)
    if any(arg.has(Z) for arg in args):
        raise NoClosedFormError(node.func.__name__)
    return node.func(*args)


KNOWN: dict[Any, Any] = {
    f.erf: lambda x: 2 * f.ndtr(sympy.sqrt(2) * x) - 1,
    f.erfc: lambda x: 2 * f.ndtr(-sympy.sqrt(2) * x),
    f.expm1: lambda x: sympy.exp(x) - 1,
    f.exp2: lambda x: sympy.exp(x * sympy.log(2)),
    f.divide: lambda a, b: a / b,
    f.versin: lambda x: 1 - (sympy.exp(I * x) + sympy.exp(-I * x)) / 2,
    sympy.cos: lambda x: (sympy.exp(I * x) + sympy.exp(-I * x)) / 2,
    sympy.sin: lambda x: (sympy.exp(I * x) - sympy.exp(-I * x)) / (2 * I),
    sympy.cosh: lambda x: (sympy.exp(x) + sympy.exp(-x)) / 2,
    sympy.sinh: lambda x: (sympy.exp(x) - sympy.exp(-x)) / 2,
}


def _of_term(term: Expr, law: Law, low: Expr, high: Expr) -> Expr:
    """E of a product of a number, a power of z, an exponential and distribution functions."""
    factor, rest = term.as_independent(Z, as_Add=False)
    power, exponent = 0, S.Zero
    steps: list[tuple[Expr, Expr]] = []
    for part in sympy.Mul.make_args(rest):
        base, times = part.as_base_exp()
        if base == Z and times.is_Integer and times > 0:
            power += int(times)
        elif part == 1:
            continue
        elif isinstance(part, sympy.exp):
            exponent += part.args[0]
        elif base is S.Exp1:
            exponent += times
        elif isinstance(base, sympy.exp) and not times.has(Z):
            exponent += base.args[0] * times
        elif isinstance(base, f.ndtr) and times.is_Integer and times > 0:
            steps += [_line(base.args[0])] * int(times)
        else:
            raise NoClosedFormError(str(part))
    weight, tilted = _tilted(law, exponent)
    if tilted.mean.has(I) and not (low.is_infinite and high.is_infinite):
        raise NoClosedFormError("a wave on a part of the line")
    if not steps:
        return factor * weight * _truncated(tilted, power, low, high)
    if not (low.is_infinite and high.is_infinite):
        raise NoClosedFormError("a distribution function on a part of the line")
    return factor * weight * _with_steps(tilted, power, tuple(steps))


def _line(formula: Expr) -> tuple[Expr, Expr]:
    """Slope and constant. Raises: NoClosedFormError if it is not a line in z."""
    polynomial = sympy.expand(formula).as_poly(Z)
    if polynomial is None or polynomial.degree() != 1:
        raise NoClosedFormError(str(formula))
    slope, constant = polynomial.all_coeffs()
    return slope, constant


def _tilted(law: Law, exponent: Expr) -> tuple[Expr, Law]:
    """Weight and law with N(z; law) exp(exponent) = weight N(z; new law)."""
    if exponent == 0:
        return S.One, law
    polynomial = sympy.expand(exponent).as_poly(Z)
    if polynomial is None or polynomial.degree() > 2:
        raise NoClosedFormError(str(exponent))
    square, line, constant = (polynomial.coeff_monomial(Z**k) for k in (2, 1, 0))
    if not square.is_nonpositive:
        raise NoClosedFormError("the integral may be infinite")
    variance = sympy.cancel(law.variance / (1 - 2 * square * law.variance))
    mean = sympy.cancel(variance * (law.mean / law.variance + line))
    weight = sympy.sqrt(sympy.cancel(variance / law.variance)) * sympy.exp(
        sympy.expand(constant + mean**2 / (2 * variance) - law.mean**2 / (2 * law.variance))
    )
    return weight, Law(mean, variance)


def _density(law: Law, at: Expr) -> Expr:
    return sympy.exp(-((at - law.mean) ** 2) / (2 * law.variance)) / sympy.sqrt(
        2 * sympy.pi * law.variance
    )


def _below(law: Law, at: Expr) -> Expr:
    """P(z < at)."""
    if at.is_infinite:
        return S.One if at > 0 else S.Zero
    return sympy.erfc((law.mean - at) / sympy.sqrt(2 * law.variance)) / 2


def _truncated(law: Law, power: int, low: Expr, high: Expr) -> Expr:
    """E[z^power on (low, high)], by parts from the power below."""

    def end(at: Expr, k: int) -> Expr:
        return S.Zero if at.is_infinite else at**k * _density(law, at)

    moments = [_below(law, high) - _below(law, low)]
    for k in range(1, power + 1):
        lower = (k - 1) * moments[k - 2] if k > 1 else S.Zero
        ends = end(low, k - 1) - end(high, k - 1)
        moments.append(sympy.expand(law.mean * moments[k - 1] + law.variance * (lower + ends)))
    return moments[power]


def _with_steps(law: Law, power: int, steps: tuple[tuple[Expr, Expr], ...]) -> Expr:
    """E[z^power prod ndtr(a z + b)] on the whole line."""
    if not steps:
        return _truncated(law, power, S.NegativeInfinity, S.Infinity)
    if power == 0:
        return _of_steps(law, steps)
    lowered = law.mean * _with_steps(law, power - 1, steps)
    if power > 1:
        lowered += law.variance * (power - 1) * _with_steps(law, power - 2, steps)
    for i, (slope, constant) in enumerate(steps):
        others = steps[:i] + steps[i + 1 :]
        weight, tilted = _tilted(law, -((slope * Z + constant) ** 2) / 2)
        inner = _with_steps(tilted, power - 1, others)
        lowered += law.variance * slope / sympy.sqrt(2 * sympy.pi) * weight * inner
    return lowered


def _of_steps(law: Law, steps: tuple[tuple[Expr, Expr], ...]) -> Expr:
    """E of one, two or three distribution functions; of several only where all are centred."""
    if len(steps) == 1:
        ((slope, constant),) = steps
        spread = sympy.sqrt(sympy.cancel(1 + slope**2 * law.variance))
        at = (slope * law.mean + constant) / spread
        return sympy.erfc(-at / sympy.sqrt(2)) / 2
    if law.mean != 0 or any(constant != 0 for _, constant in steps) or len(steps) > 3:
        raise NoClosedFormError("several distribution functions")
    pairs = [(a, b) for i, (a, _) in enumerate(steps) for b, _ in steps[i + 1 :]]
    centred = sympy.Add(*(_centred_pair(law.variance, a, b) for a, b in pairs))
    # with ndtr = 1/2 + odd: E of two is 1/4 + pair, of three 1/8 + (the three pairs) / 2
    return S.One / 4 + centred if len(steps) == 2 else S.One / 8 + centred / 2


def _centred_pair(q: Expr, a: Expr, b: Expr) -> Expr:
    """E[(ndtr(a z) - 1/2) (ndtr(b z) - 1/2)]."""
    spread = [sympy.sqrt(sympy.cancel(1 + slope**2 * q)) for slope in (a, b)]
    along = a * b * q / sympy.Mul(*spread)
    return sympy.asin(along) / (2 * sympy.pi)
