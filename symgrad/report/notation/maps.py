"""What a reader knows by name inside a map: softmax, and 1 - y for the other half of a sigmoid.

exp(z - logsumexp(z))      ->  softmax(z)
sigmoid(-x), y = sigmoid(x) ->  1 - y
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.expr import functions as f
from symgrad.expr.contraction import Contraction
from symgrad.expr.leaf import Constant
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.reindex import Reshape
from symgrad.expr.slots import slot, slot_index, slots_of
from symgrad.report.notation import formula as m

Softmax = tuple[Node, int]
DEEPEST = 4  # operations between a number and what it fills: a seed, a scale, a stretch


def readable(
    node: Map, name_of: Callable[[Node], m.Math | None], with_named: bool
) -> tuple[sympy.Expr, list[Softmax]]:
    """The formula with slots for each softmax after those of the operands: its scores, its axis.

    `with_named`: also where the logarithm of the sum has a name of its own.
    """
    formula = _with_complements(_with_numbers(node), node)
    found: list[Softmax] = []
    by: dict[Any, Any] = {}
    for i, scores in enumerate(node.operands):
        for j, weight in enumerate(node.operands):
            axis = _normalised_axis(node, scores, weight, name_of, with_named)
            parts = (sympy.exp(slot(i) - slot(j)), f.divide(sympy.exp(slot(i)), sympy.exp(slot(j))))
            if axis is not None and any(formula.has(part) for part in parts):
                by |= dict.fromkeys(parts, slot(len(node.operands) + len(found)))
                found.append((scores, axis))
    return (formula.xreplace(by) if by else formula), found


def _normalised_axis(
    node: Map,
    scores: Node,
    weight: Node,
    name_of: Callable[[Node], m.Math | None],
    with_named: bool,
) -> int | None:
    """The axis along which `weight` is the log-sum-exp of `scores`, as they meet in `node`."""
    if scores.shape != node.shape:
        return None
    inner = weight
    while isinstance(inner, Reshape) or (isinstance(inner, Contraction) and inner.is_view):
        if name_of(inner) is not None and not with_named:
            return None
        inner = inner.operands[0]
    if not isinstance(inner, LogSumExp) or inner.operands[0] is not scores:
        return None
    if name_of(inner) is not None and not with_named:
        return None
    axis = inner.axis
    if not _keeps_order(weight, inner):
        return None
    stretched = (1,) * (node.ndim - weight.ndim) + weight.shape
    kept = (*scores.shape[:axis], 1, *scores.shape[axis + 1 :])
    return axis if stretched == kept and scores.shape[axis] != 1 else None


def _keeps_order(weight: Node, inner: Node) -> bool:
    """Whether `weight` is `inner` with axes of size 1 added, none moved or stretched."""
    while weight is not inner:
        below = weight.operands[0]
        if [s for s in weight.shape if s != 1] != [s for s in below.shape if s != 1]:
            return False
        if isinstance(weight, Contraction):
            own = [i for i in weight.indices[0] if weight.sizes[i] != 1]
            if own != [i for i in weight.output if weight.sizes[i] != 1]:
                return False
        weight = below
    return True


def _with_numbers(node: Map) -> sympy.Expr:
    """The formula, what is the same number everywhere in its place: `2 g` for `g (2 1)`."""
    values = {slot(i): value_of(x) for i, x in enumerate(node.operands)}
    known = {place: value for place, value in values.items() if value is not None}
    return node.formula.xreplace(known) if known else node.formula


def value_of(node: Node, depth: int = DEEPEST) -> sympy.Expr | None:
    """The number that all entries of a tensor are, None if they differ or it is far to see."""
    if isinstance(node, Constant):
        return sympy.sympify(node.value)
    if depth == 0 or not isinstance(node, Reshape | Contraction | Map):
        return None
    values = []
    for operand in node.operands:
        value = value_of(operand, depth - 1)
        if value is None:
            return None
        values.append(value)
    if isinstance(node, Reshape):
        return values[0]
    if isinstance(node, Map):
        return node.formula.xreplace({slot(i): value for i, value in enumerate(values)})
    return sympy.Mul(node.scale, *values, *(node.sizes[i] for i in node.summed))


def _with_complements(formula: sympy.Expr, node: Map) -> sympy.Expr:
    """The other half of a sigmoid as 1 - y: of one that has a name, and of one beside it."""
    position = {x: i for i, x in enumerate(node.operands)}
    complements = {
        f.sigmoid(-slot(position[y.operands[0]])): 1 - slot(j)
        for j, y in enumerate(node.operands)
        if isinstance(y, Map) and y.formula == f.sigmoid(slot(0)) and y.operands[0] in position
    }
    for half in formula.atoms(f.sigmoid):
        if formula.has(f.sigmoid(-half.args[0])) and not half.args[0].could_extract_minus_sign():
            complements.setdefault(f.sigmoid(-half.args[0]), 1 - half)
    return formula.xreplace(complements) if complements else formula


def without_number(
    operand: Node, name_of: Callable[[Node], m.Math | None]
) -> tuple[sympy.Expr, Node]:
    """A number that stands in front of an operand without a name, and what is left of it."""
    if name_of(operand) is not None:
        return sympy.S.One, operand
    if isinstance(operand, Contraction) and operand.scale != 1:
        _, output, sizes, indices, *operands = operand.args
        return operand.scale, Contraction(sympy.S.One, output, sizes, indices, *operands)
    if isinstance(operand, Map) and operand.formula.is_Mul:
        free = [arg for arg in operand.formula.args if not slots_of(arg)]
        rest = sympy.Mul(*(arg for arg in operand.formula.args if slots_of(arg)))
        if free and slots_of(rest):
            index = slot_index(rest)
            if index is not None and operand.operands[index].shape == operand.shape:
                return sympy.Mul(*free), operand.operands[index]
            return sympy.Mul(*free), Map(rest, *operand.operands)
    return sympy.S.One, operand
