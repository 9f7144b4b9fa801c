"""Which tensors of a step depend on no state: the largest ones, and parts of formulas.

tanh(_0 + _1 + _2) over x[t] @ W, b, h @ U   ->   tanh(_0 + _1) over (x[t] @ W + b), h @ U
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.formula import operation_count, slot, slots_of
from symgrad.expr.leaf import Leaf
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import rebuild
from symgrad.expr.walk import depends_on, postorder, rewrite
from symgrad.passes.maps import map_of, renumbered


@dataclass(frozen=True)
class Independent:
    """`found`: the largest independent tensors. `became`: roots, with formulas taken apart."""

    found: tuple[Node, ...]
    became: dict[Node, Node]


def independent_tensors(roots: Sequence[Node], states: Iterable[Node]) -> Independent:
    """The largest tensors below `roots` that are computed, but not from `states`."""
    states = tuple(states)
    became = rewrite(roots, _Parting(roots, states).rule)
    now = [became[root] for root in roots]
    dependent = depends_on(now, states)
    found: dict[Node, None] = {}

    def note(node: Node) -> None:
        while _is_free(node):
            (node,) = node.operands
        if node not in dependent and not isinstance(node, Leaf):
            found.setdefault(node)

    for node in postorder(now):
        if node in dependent:
            for operand in node.operands:
                note(operand)
    for root in now:
        note(root)
    return Independent(tuple(found), became)


def _is_free(node: Node) -> bool:
    """Whether it only shows another tensor in another shape: that is as well done in the loop."""
    return isinstance(node, Contraction) and node.is_view


class _Parting:
    """Takes the independent part out of each formula that depends on a state."""

    def __init__(self, roots: Sequence[Node], states: tuple[Node, ...]) -> None:
        self._dependent = depends_on(roots, states)

    def rule(self, now: Node, was: Node) -> Node:
        if not isinstance(was, Map) or not isinstance(now, Map) or was not in self._dependent:
            return now
        own = {i for i, operand in enumerate(was.operands) if operand in self._dependent}
        operands = list(now.operands)
        formula = self._without(now.formula, own, operands)
        if formula == now.formula:
            return now
        return map_of(formula, operands, now.shape, now.dtype)

    def _without(self, formula: sympy.Expr, own: set[int], operands: list[Node]) -> sympy.Expr:
        """`formula` with its independent parts as further operands; `own`: the dependent slots."""
        used = set(slots_of(formula))
        if not used & own:
            return self._part(formula, operands) if operation_count(formula) else formula
        if formula.is_Add or formula.is_Mul:
            apart = [arg for arg in formula.args if slots_of(arg) and not set(slots_of(arg)) & own]
            if len(apart) > 1:
                rest = [arg for arg in formula.args if arg not in apart]
                part = self._part(formula.func(*apart), operands)
                kept = [self._without(arg, own, operands) for arg in rest]
                return formula.func(part, *kept)
        return rebuild(formula, tuple(self._without(arg, own, operands) for arg in formula.args))

    def _part(self, formula: sympy.Expr, operands: list[Node]) -> sympy.Expr:
        """A slot for `formula`, which becomes a map of its own."""
        used = slots_of(formula)
        if not used:
            return formula
        moved = tuple((i, k) for k, i in enumerate(used))
        operands.append(Map(renumbered(formula, moved), *(operands[i] for i in used)))
        return slot(len(operands) - 1)
