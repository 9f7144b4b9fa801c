"""Layers that change the shape only."""

from __future__ import annotations

from typing import Any

from symgrad.errors import ShapeError
from symgrad.expr.dimension import normalise_axis, product, same, shape_text
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Reshape
from symgrad.model.layers.module import Module
from symgrad.model.operations.operation import operation
from symgrad.model.operations.shaping import with_the_rest


@operation
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Node:
    """The axes from `start_dim` to `end_dim` merged into one."""
    input = as_node(input)
    if not input.ndim:
        return Reshape(input, (1,))
    start, end = normalise_axis(start_dim, input.ndim), normalise_axis(end_dim, input.ndim)
    if start > end:
        raise ShapeError(f"start_dim {start_dim} comes after end_dim {end_dim}")
    if start == end:
        return input
    merged = product(input.shape[start : end + 1])
    return Reshape(input, (*input.shape[:start], merged, *input.shape[end + 1 :]))


class Flatten(Module):
    """All axes but the first merged into one: [n, 8, 8] becomes [n, 64]."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Any) -> Node:
        return flatten(input, self.start_dim, self.end_dim)


@operation
def unflatten(input: Any, dim: int, sizes: Any) -> Node:
    """The axis `dim` parted into axes of `sizes`; one size may be -1: what the others leave."""
    x = as_node(input)
    axis = normalise_axis(dim, x.ndim, "dim")
    whole = x.shape[axis]
    parts = with_the_rest(whole, sizes)
    if not same(product(parts), whole):
        raise ShapeError(f"axis {axis} of size {whole} cannot be parted into {shape_text(parts)}")
    return Reshape(x, (*x.shape[:axis], *parts, *x.shape[axis + 1 :]))


class Unflatten(Module):
    """One axis parted into several: [n, 64] becomes [n, 8, 8]."""

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Any) -> Node:
        return unflatten(input, self.dim, self.unflattened_size)
