"""Windows and Overlap are each other's transpose, so each is the adjoint of the other."""

from __future__ import annotations

import sympy

from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.node import Node
from symgrad.expr.window import Overlap, Windowed, Windows


@adjoint(Windows)
def windows_adjoint(g: Node, node: Windows, x: Node) -> Contributions:
    """Y[o, k] = X[o s + k d]  =>  X'[i] = sum of G[o, k] over o s + k d = i."""
    return (Overlap(g, node.axis, x.shape[node.axis], node.stride, node.dilation),)


@adjoint(Overlap)
def overlap_adjoint(g: Node, node: Overlap, x: Node) -> Contributions:
    """Y[i] = sum of X[o, k] over o s + k d = i  =>  X'[o, k] = G[o s + k d]."""
    return (Windows(g, node.axis, node.window, node.stride, node.dilation),)


@tangent(Windows, Overlap)
def windowed_tangent(tangents: tuple[Node | None, ...], node: Windowed, x: Node) -> Node | None:
    """Y = move(X), linear  =>  dY = move(dX)."""
    (t,) = tangents
    return None if t is None else node.with_operands((t,))


@batcher(Windows, Overlap)
def windowed_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """The same windows, one axis further on."""
    assert isinstance(node, Windowed)
    return type(node)(operands[0], node.axis + 1, node.args[2], node.stride, node.dilation)
