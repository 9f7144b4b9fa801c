"""Adaptive pooling: `output_size` windows that divide each axis as evenly as they can.

Window i covers the entries from floor(i L / out) to ceil((i + 1) L / out). Where they divide the
axis evenly they are plain windows; else means are one product with a small matrix, and maxima are
taken of gathered entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import DefinitionError, UnsupportedError
from symgrad.expr.contraction import contract, sum_over
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Arange, Table
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import elementwise
from symgrad.expr.reindex import Reshape, Take
from symgrad.expr.window import Windows
from symgrad.model.layers.module import Module
from symgrad.model.layers.pooling_max import Largest
from symgrad.model.layers.spatial import AXES, image, named
from symgrad.model.operations.operation import operation

MEAN = "The mean of each of output_size windows that divide {axes}."
LARGEST = "The largest entry of each of output_size windows that divide {axes}."


def _sizes(output_size: Any, rank: int) -> list[int | None]:
    """One number of windows for each axis; None keeps the axis as it is."""
    given = list(output_size) if isinstance(output_size, tuple | list) else [output_size] * rank
    fits = all(s is None or (hasattr(s, "__index__") and not isinstance(s, bool)) for s in given)
    if len(given) != rank or not fits or any(s is not None and int(s) < 1 for s in given):
        raise DefinitionError(
            f"output_size must be a whole number >= 1 or None for each of {rank} axes, "
            f"not {output_size!r}"
        )
    return [None if s is None else int(s) for s in given]


def _even(length: sympy.Expr, count: int) -> sympy.Expr | None:
    """The size of each of `count` windows that divide the axis evenly."""
    size = sympy.expand(length / count)
    if size.is_integer:
        return size
    if not length.is_Integer:
        raise UnsupportedError(
            f"{count} windows of an axis of {length}: which entries each covers is not known now",
            fix="use output_size=1, a multiple in the size of the input, or a number",
        )
    return None


def _bounds(length: int, count: int) -> list[tuple[int, int]]:
    return [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]


def _mean_along(x: Node, axis: int, count: int) -> Node:
    length = x.shape[axis]
    size = _even(length, count)
    if count == 1:
        return Reshape(sum_over(x, [axis], 1 / length), (*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    if size is not None:
        apart = Reshape(x, (*x.shape[:axis], count, size, *x.shape[axis + 1 :]))
        return sum_over(apart, [axis + 1], 1 / size)
    weights = [
        sympy.Rational(1, hi - lo) if lo <= entry < hi else sympy.S.Zero
        for lo, hi in _bounds(int(length), count)
        for entry in range(int(length))
    ]
    labels = list(range(x.ndim))
    output = [x.ndim if label == axis else label for label in labels]
    return contract(output, [(x, labels), (Table(weights, (count, length)), [x.ndim, axis])])


def _largest_along(largest: Largest, axis: int, count: int) -> None:
    length = largest.value.shape[axis]
    size = _even(length, count)
    if size is not None and size.is_Integer:

        def windows(x: Node, _: Any) -> Node:
            return Windows(x, axis, size, size)

        def entry(chosen: Node) -> Node:
            column = Reshape(Arange(count), (count, *[sympy.S.One] * (chosen.ndim - axis - 1)))
            return Map(slot(0) * size + slot(1), column, chosen)

    elif size is not None:

        def windows(x: Node, _: Any) -> Node:
            return Reshape(x, (*x.shape[:axis], count, size, *x.shape[axis + 1 :]))

        def entry(chosen: Node) -> Node:
            column = Reshape(Arange(count), (count, *[sympy.S.One] * (chosen.ndim - axis - 1)))
            return Map(slot(0) * size + slot(1), column, chosen)

    else:
        bounds = _bounds(int(length), count)
        widest = max(hi - lo for lo, hi in bounds)
        # a shorter window repeats its last entry, which so is never the first of the largest
        places = [min(lo + k, hi - 1) for lo, hi in bounds for k in range(widest)]
        starts = Table([lo for lo, _ in bounds], (count,))

        def windows(x: Node, _: Any) -> Node:
            return Take(x, Table(places, (count, widest)), axis)

        def entry(chosen: Node) -> Node:
            column = Reshape(starts, (count, *[sympy.S.One] * (chosen.ndim - axis - 1)))
            return Map(slot(0) + slot(1), column, chosen)

    largest.take(axis, windows, entry)


def _of_rank(rank: int) -> tuple[Callable[..., Node], Callable[..., Any]]:
    @operation
    @named(rank, "adaptive_avg_pool", MEAN.format(axes=AXES[rank]))
    def mean(input: Any, output_size: Any) -> Node:
        x = image(input, rank)
        x = x if x.dtype == FLOAT else elementwise(lambda a: 1.0 * a, x)
        for i, count in enumerate(_sizes(output_size, rank)):
            if count is not None:
                x = _mean_along(x, x.ndim - rank + i, count)
        return x

    @operation
    @named(rank, "adaptive_max_pool", LARGEST.format(axes=AXES[rank]))
    def largest(input: Any, output_size: Any, return_indices: bool = False) -> Any:
        x = image(input, rank)
        pooled = Largest(x, rank, bool(return_indices))
        for i, count in reversed(list(enumerate(_sizes(output_size, rank)))):
            axis = x.ndim - rank + i
            _largest_along(pooled, axis, int(x.shape[axis]) if count is None else count)
        return pooled.result()

    return mean, largest


(
    (adaptive_avg_pool1d, adaptive_max_pool1d),
    (adaptive_avg_pool2d, adaptive_max_pool2d),
    (adaptive_avg_pool3d, adaptive_max_pool3d),
) = map(_of_rank, (1, 2, 3))
MEANS = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}
MAXIMA = {1: adaptive_max_pool1d, 2: adaptive_max_pool2d, 3: adaptive_max_pool3d}


class _AdaptiveAvgPool(Module):
    _rank: int

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def forward(self, input: Any) -> Node:
        return MEANS[self._rank](input, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of `output_size` windows that divide signals [n, channels, length]."""

    _rank = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of `output_size` windows that divide images [n, channels, h, w]."""

    _rank = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The means of `output_size` windows that divide volumes [n, channels, d, h, w]."""

    _rank = 3


class _AdaptiveMaxPool(Module):
    _rank: int

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Any) -> Any:
        return MAXIMA[self._rank](input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The maxima of `output_size` windows that divide signals [n, channels, length]."""

    _rank = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The maxima of `output_size` windows that divide images [n, channels, h, w]."""

    _rank = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The maxima of `output_size` windows that divide volumes [n, channels, d, h, w]."""

    _rank = 3
