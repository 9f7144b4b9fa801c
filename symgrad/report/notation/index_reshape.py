"""Where an entry lies when its tensor is given another shape.

[length, n, 96] -> [length n, 96]:  z_ij = x_{⌊i/n⌋, mod(i, n), j}
[length n, 96] -> [length, n, 96]:  z_ijk = x_{n i + j, k}

Axes of both shapes whose sizes have the same product belong together; within such a group the
sizes are split into factors that both shapes share, if there are such.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import sympy

from symgrad.expr.dimension import Shape, product, same
from symgrad.report.notation import formula as m
from symgrad.report.notation.entry import Entry
from symgrad.report.notation.index_sums import Ranges, divided, index_product, index_sum
from symgrad.report.notation.scalar import number

Sizes = list[sympy.Expr]


def reshaped(at: Entry, shape: Shape, below: Shape, ranges: Ranges) -> Entry:
    """The entry of a tensor of shape `below` that is `at` in the same one of `shape`."""
    indices = [i for i, size in zip(at, shape, strict=True) if size != 1]
    sizes, wanted = ([size for size in each if size != 1] for each in (shape, below))
    found: list[m.Math] = []
    if all(size != 0 for size in wanted):  # else there is no entry to find
        for ours, theirs in _groups(sizes, wanted):
            found += _regrouped(indices[ours], sizes[ours], wanted[theirs], ranges)
    remaining = iter(found)
    return tuple(m.ZERO if size == 1 else next(remaining, m.ZERO) for size in below)


def _groups(first: Sizes, second: Sizes) -> Iterator[tuple[slice, slice]]:
    """The shortest runs of axes of both shapes that hold as many entries."""
    start = begin = 0
    for stop in range(1, len(first) + 1):
        for end in range(begin + 1, len(second) + 1):
            if same(product(first[:stop]), product(second[:end])):
                yield slice(start, stop), slice(begin, end)
                start, begin = stop, end
                break


def _regrouped(indices: list[m.Math], sizes: Sizes, wanted: Sizes, ranges: Ranges) -> list[m.Math]:
    """The indices of one group of axes."""
    shared = _shared(sizes, wanted)
    if shared is None:
        return _unravelled(_ravelled(indices, sizes), wanted, ranges)
    parts: list[m.Math] = []
    for index, factors in zip(indices, shared[0], strict=True):
        parts += _unravelled(index, factors, ranges)
    found = []
    for factors in shared[1]:
        found.append(_ravelled(parts[: len(factors)], factors))
        parts = parts[len(factors) :]
    return found


def _shared(first: Sizes, second: Sizes) -> tuple[list[Sizes], list[Sizes]] | None:
    """Both as factors, so that those of all axes in a row are the same; None if there are none."""
    split: tuple[list[Sizes], list[Sizes]] = ([], [])
    left, right = list(first), list(second)
    is_new = [True, True]
    while left and right:
        if same(left[0], right[0]) or _ratio(right[0], left[0]) is not None:
            factor = left[0]
        elif _ratio(left[0], right[0]) is not None:
            factor = right[0]
        else:
            return None
        for side, ahead in enumerate((left, right)):
            if is_new[side]:
                split[side].append([])
            split[side][-1].append(factor)
            rest = _ratio(ahead[0], factor)
            assert rest is not None
            is_new[side] = rest == 1
            ahead[:1] = [] if rest == 1 else [rest]
    return split


@lru_cache(maxsize=65536)
def _ratio(size: sympy.Expr, factor: sympy.Expr) -> sympy.Expr | None:
    """`size / factor` if that is whole for all values of the dimensions."""
    if same(size, factor):
        return sympy.S.One
    quotient, rest = sympy.cancel(size / factor).as_numer_denom()
    return quotient if rest == 1 else None


def _ravelled(indices: Sequence[m.Math], sizes: Sizes) -> m.Math:
    """The place of an entry in C order."""
    strides = [number(product(sizes[axis + 1 :])) for axis in range(len(sizes))]
    return index_sum(*map(index_product, strides, indices))


def _unravelled(place: m.Math, sizes: Sizes, ranges: Ranges) -> list[m.Math]:
    """The indices of the entry at a place in C order."""
    found = []
    for axis, size in enumerate(sizes):
        index, _ = divided(place, number(product(sizes[axis + 1 :])), ranges)
        found.append(divided(index, number(size), ranges)[1] if axis else index)
    return found
