"""Leaves have no operands: nothing flows through them, said aloud for each table."""

from __future__ import annotations

import sympy

from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.leaf import (
    Arange,
    Constant,
    Cotangent,
    Identity,
    Input,
    Parameter,
    Random,
    State,
    Table,
    Tangent,
)
from symgrad.expr.node import Node

LEAVES = (
    Input,
    Parameter,
    State,
    Random,
    Tangent,
    Cotangent,
    Constant,
    Table,
    Arange,
    Identity,
)


@adjoint(*LEAVES)
def leaf(g: Node, node: Node) -> Contributions:
    """A leaf has no operands."""
    return ()


@tangent(*LEAVES)
def leaf_tangent(tangents: tuple[Node | None, ...], node: Node) -> None:
    """A leaf that is not perturbed does not move."""
    return None


@batcher(*LEAVES)
def leaf_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """A leaf that is not replaced is the same for each entry of the batch."""
    return node
