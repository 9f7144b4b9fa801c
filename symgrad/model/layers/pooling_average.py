"""Average and power-average pooling: sums of windows, one axis after the other, over a count.

    y[n, c, h, w] = 1/(k l) sum_ij x[n, c, h s + i, w s + j]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import DefinitionError
from symgrad.expr import functions as f
from symgrad.expr.contraction import sum_over
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Arange, Table
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.expr.reindex import Reshape
from symgrad.expr.window import Windows
from symgrad.model.layers.module import Module
from symgrad.model.layers.padding import padded_by_constant
from symgrad.model.layers.pooling import Pool, checked_count, pools
from symgrad.model.layers.spatial import AXES, image, named, per_axis
from symgrad.model.operations.operation import operation

DOC = "The mean of each window over {axes}."


def averaged(
    x: Node, rank: int, steps: list[Pool], count_include_pad: bool = True, divisor: Any = None
) -> Node:
    """The sum of each window over its number of entries, or over `divisor`."""
    x = as_node(x) if x.dtype == FLOAT else elementwise(lambda a: 1.0 * a, x)
    scale: sympy.Expr = sympy.S.One
    for i in reversed(range(rank)):
        axis, pool = x.ndim - rank + i, steps[i]
        length = x.shape[axis]
        count = checked_count(pool, length)
        margins = [(0, 0)] * x.ndim
        margins[axis] = pool.margins(length)
        wide = padded_by_constant(x, margins)
        x = sum_over(Windows(wide, axis, pool.size, pool.stride), [axis + 1])
        if divisor is not None:
            continue
        entries = _entries(pool, length, count, count_include_pad)
        if isinstance(entries, int):
            scale = scale / entries
        else:
            column = Reshape(entries, (count, *[sympy.S.One] * (x.ndim - axis - 1)))
            x = Map(slot(0) / slot(1), x, column)
    scale = scale if divisor is None else 1 / number(divisor)
    return x if scale == 1 else Map(scale * slot(0), x)


def _entries(pool: Pool, length: sympy.Expr, count: sympy.Expr, with_margin: bool) -> int | Node:
    """How many entries each window averages over: one number, or one for each window."""
    plain = not pool.ceil_mode and (with_margin or not pool.padding)
    if plain:
        return pool.size
    margin = pool.padding if with_margin else 0

    def entries(o: Any) -> Any:
        start = o * pool.stride - pool.padding
        return f.minimum(start + pool.size, length + margin) - f.maximum(start, -margin)

    if not count.is_Integer:
        return Map(entries(slot(0)), Arange(count))
    numbers = [_extent(pool, int(length), o, margin) for o in range(int(count))]
    return numbers[0] if len(set(numbers)) == 1 else Table(numbers, (count,))


def _extent(pool: Pool, length: int, o: int, margin: int) -> int:
    start = o * pool.stride - pool.padding
    return min(start + pool.size, length + margin) - max(start, -margin)


def _of_rank(rank: int) -> Callable[..., Node]:
    def pooled(input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: Any,
               count_include_pad: Any, divisor_override: Any) -> Node:  # fmt: skip
        x = image(input, rank)
        steps = pools(rank, kernel_size, stride, padding, 1, ceil_mode)
        if divisor_override is not None and number(divisor_override) == 0:
            raise DefinitionError("divisor_override must not be 0")
        return averaged(x, rank, steps, bool(count_include_pad), divisor_override)

    if rank == 1:

        @operation
        @named(rank, "avg_pool", DOC.format(axes=AXES[rank]))
        def avg_pool1d(
            input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
            ceil_mode: bool = False, count_include_pad: bool = True,
        ) -> Node:  # fmt: skip
            return pooled(input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)

        return avg_pool1d

    @operation
    @named(rank, "avg_pool", DOC.format(axes=AXES[rank]))
    def avg_pool(input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 ceil_mode: bool = False, count_include_pad: bool = True,
                 divisor_override: Any = None) -> Node:  # fmt: skip
        return pooled(input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                      divisor_override)  # fmt: skip

    return avg_pool


avg_pool1d, avg_pool2d, avg_pool3d = map(_of_rank, (1, 2, 3))
FUNCTIONS = {2: avg_pool2d, 3: avg_pool3d}


def _power_of_rank(rank: int) -> Callable[..., Node]:
    @operation
    @named(rank, "lp_pool", f"(sum of x**norm_type)**(1/norm_type) of windows over {AXES[rank]}.")
    def lp_pool(input: Any, norm_type: Any, kernel_size: Any, stride: Any = None,
                ceil_mode: bool = False) -> Node:  # fmt: skip
        x, power = image(input, rank), number(norm_type)
        if power == 0:
            raise DefinitionError("norm_type must not be 0")
        sizes = per_axis(kernel_size, rank, "kernel_size", 1)
        steps = pools(rank, kernel_size, stride, 0, 1, ceil_mode)
        powers = elementwise(lambda a: f.power(a, power), x)
        # PyTorch's mean of what a window has, times what a whole window holds
        total = elementwise(lambda a: a * sympy.Mul(*sizes), averaged(powers, rank, steps))
        return elementwise(lambda a: f.power(a, 1 / power), total)

    return lp_pool


lp_pool1d, lp_pool2d, lp_pool3d = map(_power_of_rank, (1, 2, 3))
POWERS = {1: lp_pool1d, 2: lp_pool2d, 3: lp_pool3d}


class AvgPool1d(Module):
    """The mean of each window of signals [n, channels, length]."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 ceil_mode: bool = False, count_include_pad: bool = True) -> None:  # fmt: skip
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Any) -> Node:
        return avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                          self.count_include_pad)  # fmt: skip


class _AvgPool(Module):
    _rank: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0,
                 ceil_mode: bool = False, count_include_pad: bool = True,
                 divisor_override: Any = None) -> None:  # fmt: skip
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Node:
        return FUNCTIONS[self._rank](input, self.kernel_size, self.stride, self.padding,
                                     self.ceil_mode, self.count_include_pad,
                                     self.divisor_override)  # fmt: skip


class AvgPool2d(_AvgPool):
    """The mean of each window of images [n, channels, h, w]."""

    _rank = 2


class AvgPool3d(_AvgPool):
    """The mean of each window of volumes [n, channels, d, h, w]."""

    _rank = 3


class _LPPool(Module):
    _rank: int

    def __init__(self, norm_type: Any, kernel_size: Any, stride: Any = None,
                 ceil_mode: bool = False) -> None:  # fmt: skip
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Any) -> Node:
        return POWERS[self._rank](
            input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool1d(_LPPool):
    """The power average of each window of signals [n, channels, length]."""

    _rank = 1


class LPPool2d(_LPPool):
    """The power average of each window of images [n, channels, h, w]."""

    _rank = 2


class LPPool3d(_LPPool):
    """The power average of each window of volumes [n, channels, d, h, w]."""

    _rank = 3
