"""A detached tensor is held fixed: nothing flows through it, said aloud for each table."""

from __future__ import annotations

import sympy

from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.detached import Detached
from symgrad.expr.node import Node


@adjoint(Detached)
def detached_adjoint(g: Node, node: Node, x: Node) -> Contributions:
    """Y = X, held fixed  =>  X' = 0."""
    return (None,)


@tangent(Detached)
def detached_tangent(tangents: tuple[Node | None, ...], node: Node, x: Node) -> None:
    """Y = X, held fixed  =>  dY = 0."""
    return None


@batcher(Detached)
def detached_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """Each entry of the batch is held fixed."""
    return node.with_operands(operands)
