"""Arithmetic of indices: numbers are added up, and what is in range is neither divided nor cut.

j - 256 + 256           ->  j          3 ⌊i/3⌋ + mod(i, 3)  ->  i
⌊(96 i + j)/96⌋, j < 96 ->  i          mod(96 i + j, 96)    ->  j
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from symgrad.report.notation import formula as m
from symgrad.report.notation.build import negative, product, total
from symgrad.report.notation.scalar import number

Ranges = Mapping[m.Math, m.Math]
Term = tuple[int, m.Math]  # a whole number times what is counted; ONE of a number alone


def index_sum(*terms: m.Math) -> m.Math:
    """The sum of `terms`, like ones joined: what is positive first, numbers after letters."""
    return _sum(_terms(terms))


def index_product(factor: m.Math, index: m.Math) -> m.Math:
    """`factor * index`, a whole number taken to each term."""
    return _sum(
        (count * each, inner)
        for count, of in _terms([index])
        for each, inner in _terms([product(factor, of)])
    )


def strided(start: object, step: object, index: m.Math) -> m.Math:
    """`start + step * index`, what is positive first."""
    moved = index_product(number(step), index)
    if isinstance(moved, m.Negative):
        return index_sum(number(start), moved)
    return index_sum(moved, number(start))


def divided(index: m.Math, by: m.Math, ranges: Ranges) -> tuple[m.Math, m.Math]:
    """⌊index/by⌋ and mod(index, by), without the multiples of `by`, which need no floor or mod.

    ranges: how many values a letter takes, from 0 on.
    """
    whole: list[Term] = []
    rest: list[Term] = []
    for count, of in _terms([index]):
        quotient = _quotient(count, of, by)
        if quotient is not None:
            whole.append(quotient)
        elif of == m.ONE and _is_whole(by):
            whole.append((count // _count(by), of))
            rest.append((count % _count(by), of))
        else:
            rest.append((count, of))
    inner = _sum(rest)
    if _is_below(rest, by, ranges):
        return _sum(whole), inner
    floor = m.Between("floor", (m.Fraction(inner, by),))
    return _sum([*whole, (1, floor)]), m.Apply("mod", (inner, by))


def _sum(terms: Iterable[Term]) -> m.Math:
    counts: dict[m.Math, int] = {}
    for count, of in terms:
        counts[of] = counts.get(of, 0) + count
    for rest in [of for of in counts if isinstance(of, m.Apply) and of.function == "mod"]:
        ((share, floor),) = _terms([_multiple_below(*rest.arguments)])
        count = counts[rest]
        if count and counts.get(floor) == count * share:
            counts[rest] = counts[floor] = 0
            for more, of in _terms([rest.arguments[0]]):
                counts[of] = counts.get(of, 0) + count * more
    # the sort is stable: where it makes no difference, terms stay in their order
    order = sorted(counts, key=lambda of: (counts[of] < 0, of == m.ONE and counts[of] > 0))
    return total(*(_term(counts[of], of) for of in order))


def _multiple_below(index: m.Math, by: m.Math) -> m.Math:
    """What mod(index, by) leaves of an index."""
    return product(by, m.Between("floor", (m.Fraction(index, by),)))


def _term(count: int, of: m.Math) -> m.Math:
    if count == 0:
        return m.ZERO
    size = product(m.Number(str(abs(count))), of)
    return negative(size) if count < 0 else size


def _terms(parts: Iterable[m.Math], sign: int = 1) -> Iterator[Term]:
    for part in parts:
        if isinstance(part, m.Sum):
            yield from _terms(part.terms, sign)
        elif isinstance(part, m.Negative):
            yield from _terms([part.of], -sign)
        elif _is_whole(part):
            yield sign * _count(part), m.ONE
        elif isinstance(part, m.Product) and _is_whole(part.factors[0]):
            for count, of in _terms([product(*part.factors[1:])], sign):
                yield count * _count(part.factors[0]), of
        else:
            yield sign, part


def _is_whole(part: m.Math) -> bool:
    return isinstance(part, m.Number) and part.text.isdecimal()


def _count(part: m.Math) -> int:
    assert isinstance(part, m.Number)
    return int(part.text)


def _factors(of: m.Math) -> list[m.Math]:
    return list(of.factors) if isinstance(of, m.Product) else [of]


def _quotient(count: int, of: m.Math, by: m.Math) -> Term | None:
    """`count * of / by` if that is a whole number times what is left of `of`."""
    terms = list(_terms([by]))
    divisor, names = terms[0] if len(terms) == 1 else (1, by)
    if not divisor or count % divisor:
        return None
    left = _factors(of)
    for name in [] if names == m.ONE else _factors(names):
        if name not in left:
            return None
        left.remove(name)
    return count // divisor, product(*left)


def _is_below(terms: list[Term], by: m.Math, ranges: Ranges) -> bool:
    """Whether the sum is known to be one of 0, ..., by - 1."""
    told = [(count, of) for count, of in terms if count]
    if len(told) == 1 and told[0][0] == 1 and _size(told[0][1], ranges) == by:
        return True
    if not _is_whole(by):
        return not told
    largest = 0
    for count, of in told:
        size = m.Number("2") if of == m.ONE else _size(of, ranges)
        if count < 0 or size is None or not _is_whole(size):
            return False
        largest += count * (_count(size) - 1)
    return largest < _count(by)


def _size(of: m.Math, ranges: Ranges) -> m.Math | None:
    """How many values it takes, from 0 on."""
    if isinstance(of, m.Apply) and of.function == "mod":
        return of.arguments[1]
    return ranges.get(of)
