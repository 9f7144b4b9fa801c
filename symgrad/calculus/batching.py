"""Batching: the same expression for many values of a leaf at once, along a new leading axis.

    y = x @ W, x: [d]  ->  X: [b, d]        Y = X @ W: [b, k]

This is how Jacobians, Hessians and per-example gradients are made of one derivative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symgrad.calculus import rules as rules  # fills the tables
from symgrad.calculus.rules.registry import BATCHERS
from symgrad.expr.contraction import spread
from symgrad.expr.dimension import same_shape
from symgrad.expr.leaf import Constant
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan
from symgrad.expr.walk import postorder


def batch(outputs: Sequence[Node], leaves: Mapping[Node, Node], size: sympy.Expr) -> list[Node]:
    """Each output with a new leading axis of `size`, computed from the batched leaves.

    `leaves`: what a leaf, of some shape, becomes, of shape [size, *shape]. What does not depend on
    them stays as it is; an output that does not is repeated.
    """
    became = batched_nodes(outputs, leaves, size)
    return [became[y] if y in became else _repeat(y, size) for y in outputs]


def batched_nodes(
    outputs: Sequence[Node], leaves: Mapping[Node, Node], size: sympy.Expr
) -> dict[Node, Node]:
    """What each node that depends on `leaves` becomes: the same with a leading axis of `size`."""
    for leaf, replacement in leaves.items():
        assert same_shape(replacement.shape, (size, *leaf.shape)), (leaf, replacement, size)
    became: dict[Node, Node] = dict(leaves)
    for node in postorder(outputs):
        if node in became:
            continue
        moves = tuple(operand in became for operand in node.operands)
        if any(moves):
            operands = tuple(became.get(operand, operand) for operand in node.operands)
            new = BATCHERS[type(node)](size, node, operands, moves)
            if not isinstance(node, Scan):  # whose shape says nothing
                assert same_shape(new.shape, (size, *node.shape)), (node, new)
            new.location = new.location or node.location
            became[node] = new
    return became


def _repeat(node: Node, size: sympy.Expr) -> Node:
    if isinstance(node, Constant):
        return Constant(node.value, (size, *node.shape), node.dtype)
    return spread(node, {0: size})
