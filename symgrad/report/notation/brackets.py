"""Where a part of a formula stands in brackets, and where a dot stands between factors."""

from __future__ import annotations

from symgrad.report.notation import formula as m


def needs_brackets(part: m.Math, within: int, is_first: bool = True) -> bool:
    """Whether `part` stands in brackets where what surrounds it binds as `within`.

    `is_first`: nothing of the sum or product stands before it. What begins with a minus sign is
    bracketed where it does not come first.
    """
    if isinstance(part, m.Repeated):
        return needs_brackets(part.of, within, is_first)
    if isinstance(part, m.Negative) and not is_first:
        return within >= m.SUM
    if isinstance(part, m.Sum) and not is_first:
        return within >= m.SUM
    if isinstance(part, m.Number):
        return within >= m.POWER and "e" in part.text
    if isinstance(part, m.Fraction | m.Partial | m.SecondPartial):
        return within >= m.POWER
    return part.binding < within or (part.binding == within == m.POWER)


def factor_needs_brackets(product: m.Product, k: int) -> bool:
    """Whether factor k of a product stands in brackets.

    A sum over indices reaches as far as it can, so that only as the last factor it stands free.
    """
    factor = product.factors[k]
    is_last = k == len(product.factors) - 1
    inner = factor.of if isinstance(factor, m.Repeated) else factor
    if isinstance(inner, m.Big):
        return not is_last or product.is_entrywise
    if isinstance(inner, m.Product):
        return True
    if isinstance(inner, m.Fraction) and not is_last and ends_openly(inner):
        return True
    return needs_brackets(factor, m.PRODUCT, is_first=False)


def is_fenced(function: m.Apply) -> bool:
    """Whether the bars around its argument are brackets enough: `log|det(A)|`."""
    (first, *rest) = function.arguments or (m.ZERO,)
    return not rest and isinstance(first, m.Between) and first.kind == "absolute"


def ends_openly(part: m.Math) -> bool:
    """Whether what is written after it on the line would be read as belonging to it."""
    if isinstance(part, m.Repeated | m.Negative):
        return ends_openly(part.of)
    if isinstance(part, m.Product):
        last = len(part.factors) - 1
        return not factor_needs_brackets(part, last) and ends_openly(part.factors[last])
    return isinstance(part, m.Big)


def needs_dot(product: m.Product, k: int) -> bool:
    """Whether a dot stands before factor k, since it begins with a digit."""
    return not product.is_entrywise and k > 0 and _begins_with_digit(product.factors[k])


def _begins_with_digit(part: m.Math) -> bool:
    if isinstance(part, m.Power):
        return _begins_with_digit(part.base)
    if isinstance(part, m.Fraction):
        return _begins_with_digit(part.above)
    if isinstance(part, m.Product):
        return _begins_with_digit(part.factors[0])
    return isinstance(part, m.Number)
