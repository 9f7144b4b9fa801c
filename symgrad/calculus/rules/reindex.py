"""Re-indexing is linear: each adjoint is the transposed move, each tangent the same move."""

from __future__ import annotations

import sympy

from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.contraction import spread
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reindex import Concat, Embed, Reshape, Slice


@adjoint(Reshape)
def reshape_adjoint(g: Node, node: Node, x: Node) -> Contributions:
    """Y = reshape(X)  =>  X' = reshape(G, shape of X)."""
    return (Reshape(g, x.shape),)


@adjoint(Slice)
def slice_adjoint(g: Node, node: Slice, x: Node) -> Contributions:
    """Y = X[box]  =>  X' = 0, X'[box] = G."""
    box = [(start, size, step) for (start, _, step), size in zip(node.box, x.shape, strict=True)]
    return (Embed(g, box),)


@adjoint(Embed)
def embed_adjoint(g: Node, node: Embed, x: Node) -> Contributions:
    """Y = 0, Y[box] = X  =>  X' = G[box]."""
    box = [
        (start, length, step) for (start, _, step), length in zip(node.box, x.shape, strict=True)
    ]
    return (Slice(g, box),)


@adjoint(Concat)
def concat_adjoint(g: Node, node: Concat, *operands: Node) -> Contributions:
    """Y = [X_0, X_1, ...] along an axis  =>  X_k' = the part of G that X_k became."""
    start: sympy.Expr = sympy.S.Zero
    parts: list[Node | None] = []
    for x in operands:
        box = [(sympy.S.Zero, size, 1) for size in g.shape]
        box[node.axis] = (start, x.shape[node.axis], 1)
        parts.append(Slice(g, box) if x.dtype == FLOAT else None)
        start = start + x.shape[node.axis]
    return tuple(parts)


@tangent(Reshape, Slice, Embed)
def move_tangent(tangents: tuple[Node | None, ...], node: Node, x: Node) -> Node | None:
    """Y = move(X), linear  =>  dY = move(dX)."""
    (t,) = tangents
    return None if t is None else node.with_operands((t,))


@tangent(Concat)
def concat_tangent(tangents: tuple[Node | None, ...], node: Concat, *operands: Node) -> Node | None:
    """Y = [X_0, X_1, ...]  =>  dY = [dX_0, dX_1, ...], 0 for a part that does not move."""
    if all(t is None for t in tangents):
        return None
    parts = (
        Constant(0, x.shape, FLOAT) if t is None else t
        for t, x in zip(tangents, operands, strict=True)
    )
    return node.with_operands(tuple(parts))


@batcher(Reshape)
def reshape_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """The leading axis stays apart: reshape(X, (b, *shape))."""
    return Reshape(operands[0], (size, *node.shape))


@batcher(Slice)
def slice_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """The whole of the leading axis is taken: X[:, box]."""
    assert isinstance(node, Slice)
    return Slice(operands[0], [(sympy.S.Zero, size, 1), *node.box])


@batcher(Embed)
def embed_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """The whole of the leading axis is filled: Y[:, box] = X."""
    assert isinstance(node, Embed)
    return Embed(operands[0], [(sympy.S.Zero, size, 1), *node.box])


@batcher(Concat)
def concat_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """One axis further on; a part that is the same for each entry is repeated."""
    assert isinstance(node, Concat)
    return Concat(node.axis + 1, *repeated(size, operands, batched))


def repeated(
    size: sympy.Expr, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> tuple[Node, ...]:
    """`operands`, each with the leading axis: those that lack it are repeated along it."""
    return tuple(
        x if moves else spread(x, {0: size}) for x, moves in zip(operands, batched, strict=True)
    )
