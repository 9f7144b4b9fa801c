"""What pooling layers share: how many windows there are, and how far the last one reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr.window import window_count, window_length
from symgrad.model.layers.spatial import per_axis, per_axis_or


@dataclass(frozen=True)
class Pool:
    """The windows of a pooling along one axis."""

    size: int
    stride: int
    padding: int
    dilation: int
    ceil_mode: bool

    def count(self, length: sympy.Expr) -> sympy.Expr:
        """How many windows start inside the axis or in the margin before it."""
        if self.ceil_mode and not length.is_Integer:
            raise UnsupportedError(f"ceil_mode needs a size that is known now, not {length}")
        reach = length + 2 * self.padding
        if not self.ceil_mode:
            return window_count(reach, sympy.Integer(self.size), self.stride, self.dilation)
        missing = reach - self.dilation * (self.size - 1) - 1
        count = sympy.ceiling(missing / self.stride) + 1
        starts_after_the_end = (count - 1) * self.stride >= length + self.padding
        return count - 1 if starts_after_the_end else count

    def margins(self, length: sympy.Expr) -> tuple[int, int]:
        """The entries that windows read before and after the axis."""
        if not self.ceil_mode:
            return self.padding, self.padding
        last = window_length(
            self.count(length), sympy.Integer(self.size), self.stride, self.dilation
        )
        return self.padding, max(int(last - length - self.padding), 0)


def pools(rank: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
          ceil_mode: Any) -> list[Pool]:  # fmt: skip
    """The windows along each of `rank` axes. Raises: DefinitionError for steps that do not fit."""
    sizes = per_axis(kernel_size, rank, "kernel_size", 1)
    strides = per_axis_or(stride, kernel_size, rank, "stride", 1)
    paddings = per_axis(padding, rank, "padding", 0)
    dilations = per_axis(dilation, rank, "dilation", 1)
    for size, before, apart in zip(sizes, paddings, dilations, strict=True):
        if 2 * before > (size - 1) * apart + 1:
            raise DefinitionError(
                f"padding={before} must be at most half of the window, which reaches over "
                f"{(size - 1) * apart + 1} entries"
            )
    each = zip(sizes, strides, paddings, dilations, strict=True)
    return [Pool(*steps, bool(ceil_mode)) for steps in each]


def checked_count(pool: Pool, length: sympy.Expr) -> sympy.Expr:
    """`pool.count(length)`. Raises: ShapeError if it is known to be less than 1."""
    count = pool.count(length)
    if (count - 1).is_negative:
        raise ShapeError(f"no window of {pool.size} entries fits into an axis of {length}")
    return count
