"""Forward mode: the change of outputs along a direction, one visit per node.

y = tanh(x @ W),  W moves along t_W      t_z = x @ t_W
                                         t_y = t_z * (1 - tanh(z)**2)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symgrad.calculus import rules as rules  # fills the tables
from symgrad.calculus.axes import stretch
from symgrad.calculus.journal import FORWARD, Journal, writing
from symgrad.calculus.rules.registry import TANGENTS
from symgrad.expr.dimension import same_shape
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.walk import postorder


def directional(
    outputs: Sequence[Node],
    tangents: Mapping[Node, Node | None],
    journal: Journal | None = None,
) -> list[Node]:
    """The derivative of each output along `tangents`: each has the shape of its key.

    A node without an entry, or with None, stands still. An output that does not move gets
    Constant(0). An interior node with a tangent moves as it says, whatever lies below it.
    """
    order = postorder(outputs)
    moving: dict[Node, Node] = {}
    for node, t in tangents.items():
        if t is None:
            continue
        assert same_shape(t.shape, node.shape), (t, node)
        moving[node] = t
        if journal is not None:
            journal.record(FORWARD, "seed", node, t)
            journal.belongs(FORWARD, t, node)
    reached = set(moving)
    for node in order:
        if node in moving or node.dtype != FLOAT:
            continue
        if not any(operand in moving for operand in node.operands):
            if any(operand in reached for operand in node.operands):
                reached.add(node)
            continue
        reached.add(node)
        t = _moved(node, moving, journal)
        if t is not None:
            moving[node] = t
    return [_change(output, moving, reached, journal) for output in outputs]


def _moved(node: Node, moving: Mapping[Node, Node], journal: Journal | None) -> Node | None:
    """The tangent of `node`, in its shape; None where its slopes are 0."""
    rule = TANGENTS[type(node)]
    below = tuple(
        moving.get(operand) if operand.dtype == FLOAT else None for operand in node.operands
    )
    with writing(journal):
        t = rule(below, node, *node.operands)
    if t is None:
        return None
    fitted = stretch(t, node.shape)
    if journal is not None:
        journal.record(
            FORWARD, "rule", node, t, tuple(b for b in below if b is not None), rule=rule
        )
        if fitted is not t:
            journal.record(FORWARD, "broadcast", node, fitted, (t,))
        journal.belongs(FORWARD, fitted, node)
    return fitted


def _change(
    output: Node, moving: Mapping[Node, Node], reached: set[Node], journal: Journal | None
) -> Node:
    t = moving.get(output)
    if t is not None:
        return t
    zero = Constant(sympy.S.Zero, output.shape, FLOAT)
    if journal is not None:
        journal.record(FORWARD, "zero" if output in reached else "independent", output, zero)
    return zero
