"""Sums, products, fractions and transposes as a mathematician leaves them: nothing idle is kept."""

from __future__ import annotations

from symgrad.report.notation import formula as m
from symgrad.report.notation.formula import ONE, ZERO


def product(*factors: m.Math, is_entrywise: bool = False) -> m.Math:
    """A product without factors of 1 and products in products; a sign goes to the front."""
    sign = sum(isinstance(factor, m.Negative) for factor in factors) % 2
    bare = [factor.of if isinstance(factor, m.Negative) else factor for factor in factors]
    told = [factor for factor in bare if factor != ONE]
    flat: list[m.Math] = []
    for factor in told:
        # one that stands alone stays what it is: a chain of matrices, for one
        if isinstance(factor, m.Product) and factor.is_entrywise == is_entrywise and told[1:]:
            flat += factor.factors
        else:
            flat.append(factor)
    if len(flat) > 1:
        flat = [m.Product(tuple(flat), is_entrywise)]
    whole = flat[0] if flat else ONE
    return m.Negative(whole) if sign else whole


def chain(*factors: m.Math) -> m.Math:
    """The product of matrices."""
    flat: list[m.Math] = []
    for factor in factors:
        if isinstance(factor, m.Product) and factor.is_chain:
            flat += factor.factors
        elif not isinstance(factor, m.Unit):
            flat.append(factor)
    if len(flat) < 2:
        return flat[0] if flat else factors[0]
    return m.Product(tuple(flat), is_chain=True)


def total(*terms: m.Math) -> m.Math:
    """A sum without terms of 0, and without sums in sums."""
    flat: list[m.Math] = []
    for term in terms:
        if isinstance(term, m.Sum):
            flat += term.terms
        elif term != ZERO:
            flat.append(term)
    return flat[0] if len(flat) == 1 else m.Sum(tuple(flat)) if flat else ZERO


def negative(of: m.Math) -> m.Math:
    """Minus `of`; two signs are none."""
    if of == ZERO:
        return ZERO
    return of.of if isinstance(of, m.Negative) else m.Negative(of)


def ratio(above: m.Math, below: m.Math) -> m.Math:
    """A fraction, its sign in front; nothing is divided by 1."""
    if below == ONE:
        return above
    if isinstance(above, m.Negative):
        return m.Negative(ratio(above.of, below))
    if isinstance(below, m.Number):
        if isinstance(above, m.Fraction):  # (a/n)/2 is a/(2 n)
            return ratio(above.above, product(below, above.below))
        if isinstance(above, m.Product) and isinstance(above.factors[0], m.Fraction):
            first, rest = above.factors[0], above.factors[1:]
            if isinstance(rest[-1], m.Big):
                return product(ratio(first, below), *rest)
    return m.Fraction(above, below)


def scaled(scale: m.Math, body: m.Math) -> m.Math:
    """`body` times a number: over its divisor where it is a fraction, `X^T G/n`, `1/n Σ_i x_i`."""
    if isinstance(scale, m.Negative):
        return negative(scaled(scale.of, body))
    if isinstance(body, m.Negative):
        return negative(scaled(scale, body.of))
    if isinstance(scale, m.Fraction) and body != ONE and not isinstance(body, m.Big):
        if isinstance(body, m.Fraction) and isinstance(scale.below, m.Number):
            return ratio(product(scale.above, body.above), product(scale.below, body.below))
        return ratio(product(scale.above, body), scale.below)
    return product(scale, body)


def transposed(of: m.Math) -> m.Math:
    """The transpose, taken to the factors: of A B it is B^T A^T, of A^T it is A."""
    if isinstance(of, m.Transposed):
        return of.of
    if isinstance(of, m.Negative):
        return m.Negative(transposed(of.of))
    if isinstance(of, m.Inverted):
        return m.Inverted(of.of, not of.is_transposed)
    if isinstance(of, m.Unit) or (isinstance(of, m.Apply) and of.function == "diag"):
        return of
    if isinstance(of, m.Product) and of.is_chain:
        return chain(*(transposed(factor) for factor in reversed(of.factors)))
    return m.Transposed(of)
