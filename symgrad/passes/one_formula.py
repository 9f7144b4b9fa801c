"""A result in one formula of given tensors: what lies between is put in, products become one.

    u = (p - y)/n;      g = X.T @ u      ->   sum_k X[k,i] (p - y)[k] / n
    u = X.T*p*(1 - p);  h = X.T @ u.T    ->   sum_k X[k,i] (p*(1 - p))[k] X[k,j]

For readers: how often a part is computed does not count.
"""

from __future__ import annotations

from collections.abc import Collection

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.formula import operation_count, slots_of
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.walk import rewrite
from symgrad.passes.contractions import beside
from symgrad.passes.fold import folded
from symgrad.passes.maps import composed, map_of, renumbered
from symgrad.passes.term_rules import normal
from symgrad.passes.terms import Terms
from symgrad.passes.tidy import finished

MOST_OPERATIONS = 30  # of the formula of a map
MOST_TERMS = 8  # of a product


def in_one_formula(node: Node, given: Collection[Node]) -> Node:
    """The same value, computed from `given` in as few products and maps as there can be."""

    def rule(rebuilt: Node, original: Node) -> Node:
        now = folded(rebuilt)
        if isinstance(now, Map) and now not in given:
            return _one_map(now, given)
        if isinstance(now, Contraction) and now not in given:
            return folded(_one_product(now, given))
        return now

    known = {x: x for x in given if x is not node}
    return rewrite([node], rule, known)[node]


def _one_map(node: Map, given: Collection[Node]) -> Node:
    """`node` with the formulas of the maps that it reads in its own."""
    room = MOST_OPERATIONS - operation_count(node.formula)
    inner = {}
    for position, operand in enumerate(node.operands):
        if isinstance(operand, Map) and operand not in given:
            needed = operation_count(operand.formula)
            if needed <= room:
                room -= needed
                inner[position] = operand.formula, operand.operands
    if not inner:
        return node
    formula, operands = composed(node.formula, node.operands, inner)
    return folded(map_of(finished(formula), operands, node.shape, node.dtype))


def _one_product(node: Contraction, given: Collection[Node]) -> Node:
    """`node` with the factors of its operands as its own."""
    terms = Terms.of(node)
    position = 0
    while position < len(terms.terms):
        operand, labels = terms.terms[position]
        room = MOST_TERMS - len(terms.terms) + 1
        if isinstance(operand, Contraction) and operand not in given:
            if len(operand.operands) <= room:
                terms.absorb(position)
                continue
        elif isinstance(operand, Map) and operand not in given:
            scale, parts = _factors(operand)
            if len(parts) <= room and parts != [operand]:
                terms.scale = terms.scale * scale
                terms.terms[position : position + 1] = [
                    beside(part, operand, labels) for part in parts
                ]
                continue
        position += 1
    return normal(terms).node()


def _factors(node: Map) -> tuple[sympy.Expr, list[Node]]:
    """A number, and factors of which `node` is the product: one for each set of axes they vary on.

    So a vector that scales rows is told from the matrix that it scales.
    """
    axes = [
        frozenset(node.ndim - x.ndim + axis for axis, size in enumerate(x.shape) if size != 1)
        for x in node.operands
    ]
    scale: sympy.Expr = sympy.S.One
    groups: dict[frozenset[int], sympy.Expr] = {}
    for factor in sympy.Mul.make_args(node.formula):
        slots = slots_of(factor)
        if not slots:
            scale = scale * factor
            continue
        varying = frozenset[int]().union(*(axes[i] for i in slots))
        groups[varying] = groups.get(varying, sympy.S.One) * factor
    if len(groups) == 1 and scale == 1:
        return scale, [node]
    return scale, [_over_its_own(formula, node) for formula in groups.values()]


def _over_its_own(formula: sympy.Expr, node: Map) -> Node:
    """`formula` over those operands of `node` that it reads, in their shape."""
    slots = slots_of(formula)
    own = renumbered(formula, tuple((i, k) for k, i in enumerate(slots)))
    operands = [node.operands[i] for i in slots]
    return map_of(own, operands, Map(own, *operands).shape, node.dtype)
