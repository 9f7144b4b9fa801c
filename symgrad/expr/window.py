"""Sliding windows along one axis, and their transpose, which adds windows back into the axis.

| node                          | is                                                             |
| Windows(x, axis, size, ...)   | y[.., o, k, ..] = x[.., o * stride + k * dilation, ..]         |
| Overlap(y, axis, length, ..)  | x[.., o * stride + k * dilation, ..] += y[.., o, k, ..]        |

A convolution is a contraction of Windows along each of its axes with the weights; pooling reduces
the axis of each window.
"""

from __future__ import annotations

import sympy

from symgrad.errors import ShapeError
from symgrad.expr.dimension import Shape, as_dimension, same, shape_text
from symgrad.expr.node import Node


def window_count(
    length: sympy.Expr, size: sympy.Expr, stride: int = 1, dilation: int = 1
) -> sympy.Expr:
    """How many windows of `size` entries, `dilation` apart, fit into `length` entries."""
    last = sympy.expand(length - dilation * (size - 1) - 1)
    return sympy.expand(sympy.floor(sympy.expand(last / stride))) + 1


def window_length(
    count: sympy.Expr, size: sympy.Expr, stride: int = 1, dilation: int = 1
) -> sympy.Expr:
    """How many entries `count` windows reach over: the least length that holds them."""
    return sympy.expand((count - 1) * stride + dilation * (size - 1) + 1)


class Windowed(Node):
    """A node whose window `o` starts at `o * stride` on `axis`; its entries are `dilation` apart.

    `stride`, `dilation`: whole numbers, at least 1.
    """

    axis: int
    stride: int
    dilation: int

    def __new__(
        cls, operand: Node, axis: object, extent: object, stride: object = 1, dilation: object = 1
    ) -> Node:
        return super().__new__(
            cls,
            operand,
            sympy.Integer(axis),
            as_dimension(extent),
            sympy.Integer(stride),
            sympy.Integer(dilation),
        )

    def _read(self) -> Node:
        (operand,) = self.operands
        self.axis, self.stride, self.dilation = (int(self.args[k]) for k in (1, 3, 4))
        assert self.stride >= 1 and self.dilation >= 1 and self.axis >= 0
        return operand


class Windows(Windowed):
    """The windows of `size` entries along `axis`, which becomes two axes: window, place in it."""

    window: sympy.Expr
    count: sympy.Expr

    def _infer(self) -> tuple[Shape, str]:
        operand = self._read()
        axis, self.window = self.axis, self.args[2]
        length = operand.shape[axis]
        self.count = window_count(length, self.window, self.stride, self.dilation)
        if self.count.is_negative or self.window == 0:
            raise ShapeError(
                f"no window of {self.window} entries, {self.dilation} apart, fits into axis {axis} "
                f"of a tensor of shape {shape_text(operand.shape)}"
            )
        shape = operand.shape
        return (*shape[:axis], self.count, self.window, *shape[axis + 1 :]), operand.dtype


class Overlap(Windowed):
    """An axis of `length` zeros to which the windows on the axes `axis`, `axis + 1` are added."""

    window: sympy.Expr
    count: sympy.Expr
    length: sympy.Expr

    def _infer(self) -> tuple[Shape, str]:
        operand = self._read()
        axis, self.length = self.axis, self.args[2]
        self.count, self.window = operand.shape[axis : axis + 2]
        fitting = window_count(self.length, self.window, self.stride, self.dilation)
        if not same(fitting, self.count):
            raise ShapeError(
                f"{self.count} windows of {self.window} entries do not cover {self.length}: "
                f"{fitting} do"
            )
        shape = operand.shape
        return (*shape[:axis], self.length, *shape[axis + 2 :]), operand.dtype
