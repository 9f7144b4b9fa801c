"""Activations that look along an axis: the softmax and its kin, and gates.

As in `activations`: functions with PyTorch's arguments, and layers that call them.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.dimension import normalise_axis, shape_text
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node, elementwise, name_of
from symgrad.expr.reindex import Slice
from symgrad.model.layers.module import Module
from symgrad.model.operations import normal
from symgrad.model.operations.operation import operation, refuse


@operation
def softmax(input: Any, dim: Any = None, _stacklevel: Any = None, dtype: Any = None) -> Node:
    """exp(x) / sum(exp(x)) along `dim`."""
    refuse(_stacklevel=_stacklevel, dtype=dtype)
    return normal.softmax(input, _given(dim))


@operation
def log_softmax(input: Any, dim: Any = None, _stacklevel: Any = None, dtype: Any = None) -> Node:
    """x - logsumexp(x) along `dim`."""
    refuse(_stacklevel=_stacklevel, dtype=dtype)
    return normal.log_softmax(input, _given(dim))


@operation
def softmin(input: Any, dim: Any = None, _stacklevel: Any = None, dtype: Any = None) -> Node:
    """exp(-x) / sum(exp(-x)) along `dim`."""
    refuse(_stacklevel=_stacklevel, dtype=dtype)
    return normal.softmax(elementwise(lambda x: -x, input), _given(dim))


@operation
def glu(input: Any, dim: int = -1) -> Node:
    """The first half of the input along `dim` times the sigmoid of the second half."""
    x = as_node(input)
    if not x.ndim:
        raise ShapeError("a number has no halves")
    axis = normalise_axis(dim, x.ndim)
    half = x.shape[axis] / 2
    if not half.is_integer:
        raise ShapeError(f"the size {x.shape[axis]} of axis {axis} must be even to be halved")

    def part(start: Any) -> Node:
        whole = [(sympy.S.Zero, size, 1) for size in x.shape]
        return Slice(x, [*whole[:axis], (start, half, 1), *whole[axis + 1 :]])

    return elementwise(lambda a, b: a * f.sigmoid(b), part(sympy.S.Zero), part(half))


def _given(dim: Any) -> Any:
    if dim is None:
        raise UnsupportedError(
            "without dim, PyTorch guesses the axis and warns", fix="say dim=-1 for the last axis"
        )
    return dim


class Softmax(Module):
    """exp(x) / sum(exp(x)) along `dim`."""

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Node:
        return softmax(input, self.dim)


class LogSoftmax(Module):
    """x - logsumexp(x) along `dim`."""

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Node:
        return log_softmax(input, self.dim)


class Softmin(Module):
    """exp(-x) / sum(exp(-x)) along `dim`."""

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Node:
        return softmin(input, self.dim)


class Softmax2d(Module):
    """The softmax over the channels of images, [n, channels, h, w] or [channels, h, w]."""

    def forward(self, input: Any) -> Node:
        image = as_node(input)
        if image.ndim not in (3, 4):
            raise ShapeError(
                f"{self._title()} expects [n, channels, h, w] or [channels, h, w]",
                where=user_location(),
                facts={name_of(image) or "input": shape_text(image.shape)},
            )
        return softmax(image, -3)


class GLU(Module):
    """The first half of the input along `dim` times the sigmoid of the second half."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Node:
        return glu(input, self.dim)
