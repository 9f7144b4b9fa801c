"""Stabilising graphs: naive formulas, spread over several nodes, become accurate ones.

    log(sum(exp(z)))                  ->   logsumexp(z)
    exp(z)/sum(exp(z))                ->   exp(z - logsumexp(z))
    log(exp(z)/sum(exp(z)))           ->   z - logsumexp(z)
    -log(1/(1 + exp(-x)))             ->   softplus(-x)

It runs before differentiation: afterwards the information is gone. What no rewrite asks for stays
as the definition wrote it.
"""

from __future__ import annotations

from symgrad.expr.dimension import Shape
from symgrad.expr.formula import slot, slots_of
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.walk import rewrite
from symgrad.passes.form import Form, repeated
from symgrad.passes.logspace import Logarithm, logarithm_of_sum
from symgrad.passes.maps import map_of
from symgrad.passes.regions import Regions
from symgrad.passes.stability import stabilise_formula


def stabilise(form: Form) -> Form:
    """The same outputs, accurate over the whole range of a float."""
    return repeated(form, _stabilised_once)


def _stabilised_once(form: Form) -> Form:
    regions = Regions()

    def rule(rebuilt: Node, _: Node) -> Node:
        if isinstance(rebuilt, LogSumExp):
            return _without_shift(rebuilt)
        if isinstance(rebuilt, Map) and rebuilt.dtype == FLOAT:
            return _stable(rebuilt, regions)
        return rebuilt

    return form.rewritten(rewrite(form.outputs.values(), rule))


def _stable(node: Map, regions: Regions) -> Node:
    whole = regions.stable(node)
    if whole is not None:
        return map_of(whole.formula, whole.operands, node.shape, node.dtype)
    formula = stabilise_formula(node.formula)
    if formula == node.formula:
        return node
    return map_of(formula, node.operands, node.shape, node.dtype)


def _without_shift(node: LogSumExp) -> Node:
    """logsumexp(z - m) with m the same along the axis  ->  logsumexp(z) - m."""
    (operand,) = node.operands
    if not isinstance(operand, Map) or not _has_shift(operand, node.axis):
        return node
    inner = Logarithm(operand.formula, operand.operands)
    found = logarithm_of_sum(inner, operand.shape, [node.axis])
    shape: Shape = node.shape
    return map_of(found.formula, found.operands, shape, node.dtype)


def _has_shift(operand: Map, axis: int) -> bool:
    """Whether some term of a sum has the same value all along `axis`."""
    inner = Logarithm(operand.formula, operand.operands)
    found = logarithm_of_sum(inner, operand.shape, [axis])
    return found.formula != slot(len(found.operands) - 1) or not slots_of(found.formula)


