"""A gate's complement from the gate, where the gate is kept and its argument is not.

    sigmoid(-z) over z   ->   1 - y   over y = sigmoid(z), kept by the forward loop

In straight-line code both are read from one exponential; across loops that would mean to keep z
and to compute the exponential again. The difference is as exact as y itself, in absolute terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy

from symgrad.expr.formula import slot, slots_of
from symgrad.expr.functions import sigmoid
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import fold, rebuild
from symgrad.passes.maps import map_of, renumbered

Gates = Mapping[frozenset[Node], list[Map]]


def gates(nodes: Iterable[Node]) -> Gates:
    """The sigmoids among `nodes`, by the operands that they are computed from."""
    found: dict[frozenset[Node], list[Map]] = {}
    for node in nodes:
        if isinstance(node, Map) and isinstance(node.formula, sigmoid):
            found.setdefault(frozenset(node.operands), []).append(node)
    return found


def with_complements(node: Node, kept: Gates) -> Node:
    """`node`, reading 1 - y for sigmoid(-z) wherever y = sigmoid(z) is among `kept`."""
    if not isinstance(node, Map) or not node.formula.has(sigmoid):
        return node
    operands = list(node.operands)

    def combine(part: sympy.Basic, args: tuple[sympy.Basic, ...]) -> sympy.Basic:
        if isinstance(part, sigmoid):
            read = frozenset(node.operands[i] for i in slots_of(part))
            for gate in kept.get(read, ()):
                own = tuple((k, node.operands.index(x)) for k, x in enumerate(gate.operands))
                if renumbered(gate.formula, own) == sigmoid(-part.args[0]):
                    operands.append(gate)
                    return 1 - slot(len(operands) - 1)
        return rebuild(part, args)

    formula = fold(node.formula, combine)
    if formula == node.formula:
        return node
    return map_of(formula, operands, node.shape, node.dtype)
