"""Views: contractions that only permute, drop, insert or repeat axes, in one canonical form.

    spread(v, {1: k}) seen under a map   ->   v with an axis of size 1, as NumPy broadcasts it
    axes of size 1 dropped, put back     ->   nothing at all
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.dimension import Shape, same_shape
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reindex import Reshape


def arranged(source: Node, axes: Sequence[int | None], shape: Shape) -> Node:
    """The view of `source` whose axis r is axis `axes[r]` of `source`, or repeats where None.

    Axes of `source` that are not listed have size 1 and are dropped. Axes of size 1 are
    interchangeable: the result does not say which is which. A view of a view is one view.
    """
    while (inner := view_of(source)) is not None:
        source, below = inner
        axes = [None if axis is None else below[axis] for axis in axes]
    bound = [None if size == 1 else axis for axis, size in zip(axes, shape, strict=True)]
    kept = [axis for axis, size in enumerate(source.shape) if size != 1]
    if same_shape(source.shape, shape) and [a for a in bound if a is not None] == kept:
        return source
    rank = len(shape)
    labels = {axis: r for r, axis in enumerate(bound) if axis is not None}
    indices = [labels.get(axis, rank + axis) for axis in range(source.ndim)]
    return contract(range(rank), [(source, indices)], sizes=dict(enumerate(shape)))


def view_axes(node: Node) -> tuple[Node, list[int | None]] | None:
    """`(source, axes)` such that `arranged(source, axes, node.shape)` is `node`, or None."""
    if not isinstance(node, Contraction) or not node.is_view:
        return None
    (source,), (indices,) = node.operands, node.indices
    where = {label: axis for axis, label in enumerate(indices)}
    return source, [where.get(label) for label in node.output]


def canonical(node: Node) -> Node:
    """The one form of a view: a Reshape that only moves axes of size 1 becomes a contraction."""
    if node.dtype != FLOAT or view_of(node) is None:
        return node
    return arranged(node, range(node.ndim), node.shape)


def view_of(node: Node) -> tuple[Node, Sequence[int | None]] | None:
    """`(source, axes)` if `node` permutes, drops, inserts or repeats axes of `source`."""
    if isinstance(node, Reshape):
        (source,) = node.operands
        axes = reshape_axes(source.shape, node.shape)
        return None if axes is None else (source, axes)
    return view_axes(node)


def stretched(source: Node, shape: Shape) -> Node:
    """`source` broadcast to `shape` by NumPy's rules."""
    if same_shape(source.shape, shape):
        return source
    extra = len(shape) - source.ndim
    axes: list[int | None] = [None] * extra
    axes += [None if size == 1 else axis for axis, size in enumerate(source.shape)]
    return arranged(source, axes, shape)


def narrowed(node: Node) -> Node:
    """`node` without the repetitions that NumPy's broadcasting makes anyway.

    Repeated axes have size 1 in the result; leading ones are missing.
    """
    found = view_axes(node)
    if found is None:
        return node
    source, axes = found
    repeats = [axis is None and size != 1 for axis, size in zip(axes, node.shape, strict=True)]
    if not any(repeats):
        return node
    shape = [sympy.S.One if gone else s for gone, s in zip(repeats, node.shape, strict=True)]
    lead = next((r for r, axis in enumerate(axes) if axis is not None), len(axes))
    return arranged(source, axes[lead:], tuple(shape[lead:]))


def without_ones(shape: Shape) -> Shape:
    """The sizes other than 1."""
    return tuple(size for size in shape if size != 1)


def reshape_axes(old: Shape, new: Shape) -> list[int | None] | None:
    """Which axis of `old` each of `new` is, if they differ by axes of size 1 only."""
    if not same_shape(without_ones(old), without_ones(new)):
        return None
    remaining = iter(axis for axis, size in enumerate(old) if size != 1)
    return [None if size == 1 else next(remaining) for size in new]
