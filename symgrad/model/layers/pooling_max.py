"""Max pooling: the largest entry of each window; its gradient goes to the first one, row by row.

    y[n, c, h, w] = max_i max_j x[n, c, h s + i d, w s + j d]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.expr import functions as f
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Arange
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import ArgMax, Max
from symgrad.expr.reindex import Reshape, TakeAlong
from symgrad.expr.window import Windows
from symgrad.model.layers.module import Module
from symgrad.model.layers.padding import padded_by_constant
from symgrad.model.layers.pooling import Pool, checked_count, pools
from symgrad.model.layers.spatial import AXES, image, named
from symgrad.model.operations.operation import operation

DOC = "The largest entry of each window over {axes}; with return_indices, also where it stands."


def _of_rank(rank: int) -> Callable[..., Any]:
    @operation
    @named(rank, "max_pool", DOC.format(axes=AXES[rank]))
    def max_pool(input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 dilation: Any = 1, ceil_mode: bool = False,
                 return_indices: bool = False) -> Any:  # fmt: skip
        x = image(input, rank)
        steps = pools(rank, kernel_size, stride, padding, dilation, ceil_mode)
        largest = Largest(x, rank, bool(return_indices))
        for i in reversed(range(rank)):  # rows last: of equal entries, the first row's is taken
            _pooled(largest, x.ndim - rank + i, steps[i])
        return largest.result()

    return max_pool


class Largest:
    """An image while it is pooled axis by axis, and where its entries stood in the input."""

    def __init__(self, x: Node, rank: int, with_indices: bool) -> None:
        self.value = x
        self._spatial = x.shape[x.ndim - rank :]
        self._first = x.ndim - rank
        self._with_indices = with_indices
        self.place: Node | None = None

    def take(self, axis: int, windows: Callable[[Node, Any], Node], entry: Any) -> None:
        """Keeps the largest entry of each window along `axis`.

        windows: makes two axes, window and place in it, of the axis; where it reads beyond the
        axis, it finds its second argument. entry: the index on the axis of the entry at a place.
        """
        apart = windows(self.value, -sympy.oo)
        self.value = Max(apart, axis + 1)
        if not self._with_indices:
            return
        chosen = ArgMax(apart, axis + 1)
        after = self._spatial[axis - self._first + 1 :]
        index = Map(slot(0) * sympy.Mul(*after), entry(chosen))
        if self.place is not None:
            shape = (*chosen.shape[: axis + 1], sympy.S.One, *chosen.shape[axis + 1 :])
            before = TakeAlong(windows(self.place, 0), Reshape(chosen, shape), axis + 1)
            index = Map(slot(0) + slot(1), index, Reshape(before, chosen.shape))
        self.place = index

    def result(self) -> Any:
        """The pooled image; with indices, a pair."""
        return (self.value, self.place) if self._with_indices else self.value


def _pooled(largest: Largest, axis: int, pool: Pool) -> None:
    length = largest.value.shape[axis]
    count = checked_count(pool, length)
    margins = [(0, 0)] * largest.value.ndim
    margins[axis] = pool.margins(length)

    def windows(x: Node, outside: Any) -> Node:
        return Windows(
            padded_by_constant(x, margins, outside), axis, pool.size, pool.stride, pool.dilation
        )

    def entry(chosen: Node) -> Node:
        column = Reshape(Arange(count), (count, *[sympy.S.One] * (chosen.ndim - axis - 1)))
        start = slot(0) * pool.stride - pool.padding
        return Map(f.clip(start + slot(1) * pool.dilation, 0, length - 1), column, chosen)

    largest.take(axis, windows, entry)


max_pool1d, max_pool2d, max_pool3d = map(_of_rank, (1, 2, 3))
FUNCTIONS = {1: max_pool1d, 2: max_pool2d, 3: max_pool3d}


class _MaxPool(Module):
    _rank: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
                 return_indices: bool = False, ceil_mode: bool = False) -> None:  # fmt: skip
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation, self.return_indices, self.ceil_mode = dilation, return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        return FUNCTIONS[self._rank](
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip


class MaxPool1d(_MaxPool):
    """The largest entry of each window of signals [n, channels, length]."""

    _rank = 1


class MaxPool2d(_MaxPool):
    """The largest entry of each window of images [n, channels, h, w]."""

    _rank = 2


class MaxPool3d(_MaxPool):
    """The largest entry of each window of volumes [n, channels, d, h, w]."""

    _rank = 3
