"""Branches become part of the selection that guards them, before they are differentiated.

    y = log(x); where(x > 0, y, 0)   ->   where(x > 0, log(x), 0)

Then the slope is where(x > 0, 1/x, 0), which is finite at x = 0. Kept apart, the selection would
send 0 to the logarithm, and the chain rule 0 * inf = nan on to x.
"""

from __future__ import annotations

import sympy

from symgrad.expr import functions as f
from symgrad.expr.formula import heads, operation_count, slots_of
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.walk import rewrite
from symgrad.passes.form import Form
from symgrad.passes.maps import composed

MOST_OPERATIONS = 60  # of a formula with its branches: beyond it branches stay apart


def join_branches(form: Form) -> Form:
    """Composes every selection with the maps that compute its branches."""

    def rule(rebuilt: Node, _: Node) -> Node:
        while isinstance(rebuilt, Map) and "where" in heads(rebuilt.formula):
            joined = _joined(rebuilt)
            if joined is rebuilt:
                break
            rebuilt = joined
        return rebuilt

    return form.rewritten(rewrite(form.outputs.values(), rule))


def _joined(node: Map) -> Node:
    branches: set[int] = set()
    for selection in node.formula.atoms(f.where):
        for branch in selection.args[1:]:
            branches.update(slots_of(branch))
    room = MOST_OPERATIONS - operation_count(node.formula)
    inner: dict[int, tuple[sympy.Expr, tuple[Node, ...]]] = {}
    for position in sorted(branches):
        operand = node.operands[position]
        if isinstance(operand, Map) and operand.dtype == node.dtype:
            room -= operation_count(operand.formula)
            if room < 0:
                break
            inner[position] = operand.formula, operand.operands
    if not inner:
        return node
    formula, operands = composed(node.formula, node.operands, inner)
    return Map(formula, *operands)
