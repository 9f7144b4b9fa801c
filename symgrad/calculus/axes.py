"""Axis work that drivers and rules share: undo a broadcast, stretch, insert and flip axes."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symgrad.expr.contraction import contract, spread
from symgrad.expr.dimension import Shape, same, same_shape
from symgrad.expr.node import Node
from symgrad.expr.reindex import Slice


def unbroadcast(g: Node, shape: Shape) -> Node:
    """`g` summed over the axes along which a tensor of `shape` was stretched to that of `g`.

    One contraction; axes of size 1 stay, with size 1.
    """
    if same_shape(g.shape, shape):
        return g
    extra = g.ndim - len(shape)
    labels = list(range(g.ndim))
    output: list[int] = []
    sizes: dict[int, sympy.Expr] = {}
    for axis, size in enumerate(shape, start=extra):
        if size == 1 and not same(g.shape[axis], size):
            sizes[g.ndim + axis] = size
            output.append(g.ndim + axis)
        else:
            output.append(axis)
    return contract(output, [(g, labels)], sizes=sizes)


def stretch(x: Node, shape: Shape) -> Node:
    """`x` broadcast to `shape` by NumPy's rules, as one contraction."""
    if same_shape(x.shape, shape):
        return x
    extra = len(shape) - x.ndim
    labels: list[int] = []
    for axis, size in enumerate(x.shape, start=extra):
        stretched = size == 1 and not same(shape[axis], size)
        labels.append(len(shape) + axis if stretched else axis)
    return contract(range(len(shape)), [(x, labels)], sizes=dict(enumerate(shape)))


def insert_axis(x: Node, axis: int) -> Node:
    """`x` with a new axis of size 1 at `axis` of the result."""
    return spread(x, {axis: sympy.S.One})


def insert_axes(x: Node, axes: Sequence[int]) -> Node:
    """`x` with new axes of size 1 at `axes` of the result."""
    return spread(x, dict.fromkeys(axes, sympy.S.One))


def flip(x: Node, axis: int) -> Node:
    """`x` with the entries along `axis` in reverse order."""
    box = [(sympy.S.Zero, size, 1) for size in x.shape]
    box[axis] = (x.shape[axis] - 1, x.shape[axis], -1)
    return Slice(x, box)
