"""Reading and adding at indices: Take and ScatterAdd, TakeAlong and ScatterAlong, are transposes.

Where the indices differ along a batch, a batched Take is one Take from the merged axes
(batch, axis), at `index + entry * size`; negative indices count from the end first.
"""

from __future__ import annotations

import sympy

from symgrad.calculus.axes import insert_axes
from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.calculus.rules.reindex import repeated
from symgrad.expr.contraction import spread, transpose
from symgrad.expr.formula import f, slot
from symgrad.expr.leaf import Arange
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import Reshape, ScatterAdd, ScatterAlong, Take, TakeAlong


@adjoint(Take)
def take_adjoint(g: Node, node: Take, x: Node, indices: Node) -> Contributions:
    """Y = X[..., i, ...]  =>  X' = 0, X'[..., i, ...] += G.  The index has no gradient."""
    return ScatterAdd(g, indices, node.axis, x.shape[node.axis]), None


@adjoint(ScatterAdd)
def scatter_add_adjoint(g: Node, node: ScatterAdd, x: Node, indices: Node) -> Contributions:
    """Y = 0, Y[..., i, ...] += X  =>  X' = G[..., i, ...].  The index has no gradient."""
    return Take(g, indices, node.axis), None


@adjoint(TakeAlong)
def take_along_adjoint(g: Node, node: TakeAlong, x: Node, indices: Node) -> Contributions:
    """Y[.., j, ..] = X[.., i_j, ..]  =>  X' = 0, X'[.., i_j, ..] += G[.., j, ..].

    The index has no gradient.
    """
    return ScatterAlong(g, indices, node.axis, x.shape[node.axis]), None


@adjoint(ScatterAlong)
def scatter_along_adjoint(g: Node, node: ScatterAlong, x: Node, indices: Node) -> Contributions:
    """Y = 0, Y[.., i_j, ..] += X[.., j, ..]  =>  X'[.., j, ..] = G[.., i_j, ..].

    The index has no gradient.
    """
    return TakeAlong(g, indices, node.axis), None


@tangent(Take, ScatterAdd, TakeAlong, ScatterAlong)
def indexed_tangent(
    tangents: tuple[Node | None, ...], node: Node, x: Node, indices: Node
) -> Node | None:
    """Y = move(X, i), linear in X  =>  dY = move(dX, i).  The index has no tangent."""
    t = tangents[0]
    return None if t is None else node.with_operands((t, indices))


@batcher(TakeAlong)
def take_along_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """One axis further on, source and indices repeated where they lack the leading axis."""
    assert isinstance(node, TakeAlong)
    source, indices = repeated(size, operands, batched)
    return TakeAlong(source, indices, node.axis + 1)


@batcher(ScatterAlong)
def scatter_along_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """One axis further on, source and indices repeated where they lack the leading axis."""
    assert isinstance(node, ScatterAlong)
    source, indices = repeated(size, operands, batched)
    return ScatterAlong(source, indices, node.axis + 1, node.size_on_axis)


@batcher(Take)
def take_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """Y[b] = X[b][..., i[b], ...]: one axis further on where only X is batched."""
    assert isinstance(node, Take)
    axis = node.axis
    source, indices = operands
    if not batched[1]:
        return Take(source, indices, axis + 1)
    if not batched[0]:
        return _moved(Take(source, indices, axis), axis, 0)
    count = source.shape[axis + 1]
    rows = _moved(source, axis + 1, 1)
    merged = Reshape(rows, (size * count, *rows.shape[2:]))
    taken = Take(merged, _offset(indices, size, count), 0)
    return _lead(taken, 1, indices.ndim - 1, axis)


@batcher(ScatterAdd)
def scatter_add_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """Y[b][..., i[b], ...] += X[b]: one axis further on where only X is batched."""
    assert isinstance(node, ScatterAdd)
    axis, count = node.axis, node.size_on_axis
    source, indices = operands
    if not batched[1]:
        return ScatterAdd(source, indices, axis + 1, count)
    source = source if batched[0] else spread(source, {0: size})
    width = indices.ndim - 1
    rows = _lead(source, 1 + axis, width, -axis)
    added = ScatterAdd(rows, _offset(indices, size, count), 0, size * count)
    apart = Reshape(added, (size, count, *added.shape[1:]))
    return _moved(apart, 1, axis + 1)


def _offset(indices: Node, size: sympy.Expr, count: sympy.Expr) -> Node:
    """Indices into the merged axes (batch, axis) for `indices`, whose first axis is the batch."""
    entry = insert_axes(Arange(size), range(1, indices.ndim))
    i = slot(0)
    from_front = f.where(f.less(i, 0), i + count, i)
    return Map(from_front + slot(1) * count, indices, entry)


def _moved(x: Node, old: int, new: int) -> Node:
    """`x` with its axis `old` at position `new`."""
    order = [axis for axis in range(x.ndim) if axis != old]
    order.insert(new, old)
    return transpose(x, order)


def _lead(x: Node, first: int, width: int, by: int) -> Node:
    """`x` with its axes first, ..., first + width - 1 moved `by` places to the right."""
    block = list(range(first, first + width))
    order = [axis for axis in range(x.ndim) if axis not in block]
    order[first + by : first + by] = block
    return transpose(x, order)
