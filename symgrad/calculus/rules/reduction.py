"""Extrema, log-sum-exp and running sums. Ties of an extremum go to the first entry."""

from __future__ import annotations

import sympy

from symgrad.calculus.axes import flip, insert_axis
from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.contraction import sum_over
from symgrad.expr.formula import slot
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import (
    ArgMax,
    ArgMin,
    CumSum,
    LogSumExp,
    Max,
    Min,
    Prod,
    ProdOthers,
    Reduction,
)
from symgrad.expr.reindex import ScatterAlong, TakeAlong

WHERE: dict[type[Node], type[Reduction]] = {Max: ArgMax, Min: ArgMin}


@adjoint(Max, Min)
def extremum_adjoint(g: Node, node: Reduction, x: Node) -> Contributions:
    """y = max_j x_j (or min)  =>  x' = G at the first j with x_j = y, else 0.

    [PyTorch, "Gradients for non-differentiable functions": one index is chosen]
    """
    first = insert_axis(WHERE[type(node)](x, node.axis), node.axis)
    return (ScatterAlong(insert_axis(g, node.axis), first, node.axis, x.shape[node.axis]),)


@tangent(Max, Min)
def extremum_tangent(tangents: tuple[Node | None, ...], node: Reduction, x: Node) -> Node | None:
    """y = max_j x_j (or min)  =>  dy = dx_j at the first j with x_j = y."""
    (t,) = tangents
    if t is None:
        return None
    first = insert_axis(WHERE[type(node)](x, node.axis), node.axis)
    return sum_over(TakeAlong(t, first, node.axis), [node.axis])


@adjoint(ArgMax, ArgMin)
def argument_adjoint(g: Node, node: Reduction, x: Node) -> Contributions:
    """An index is a whole number: it has no gradient."""
    return (None,)


@tangent(ArgMax, ArgMin)
def argument_tangent(tangents: tuple[Node | None, ...], node: Reduction, x: Node) -> None:
    """An index is a whole number: it has no tangent."""
    return None


@adjoint(LogSumExp)
def logsumexp_adjoint(g: Node, node: LogSumExp, x: Node) -> Contributions:
    """y = log sum_j exp(x_j)  =>  x_j' = G exp(x_j - y)."""
    return (_times_weights(insert_axis(g, node.axis), node, x),)


@tangent(LogSumExp)
def logsumexp_tangent(tangents: tuple[Node | None, ...], node: LogSumExp, x: Node) -> Node | None:
    """y = log sum_j exp(x_j)  =>  dy = sum_j exp(x_j - y) dx_j."""
    (t,) = tangents
    return None if t is None else sum_over(_times_weights(t, node, x), [node.axis])


def _times_weights(v: Node, node: LogSumExp, x: Node) -> Node:
    weight = sympy.exp(slot(0) - slot(1))
    return Map(weight * slot(2), x, insert_axis(node, node.axis), v)


@adjoint(CumSum)
def cumsum_adjoint(g: Node, node: CumSum, x: Node) -> Contributions:
    """y_i = sum_{j <= i} x_j  =>  x_j' = sum_{i >= j} G_i."""
    return (flip(CumSum(flip(g, node.axis), node.axis), node.axis),)


@tangent(CumSum)
def cumsum_tangent(tangents: tuple[Node | None, ...], node: CumSum, x: Node) -> Node | None:
    """y_i = sum_{j <= i} x_j  =>  dy_i = sum_{j <= i} dx_j."""
    (t,) = tangents
    return None if t is None else CumSum(t, node.axis)


@batcher(Max, Min, ArgMax, ArgMin, Prod, LogSumExp, CumSum, ProdOthers)
def reduction_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """The same reduction, one axis further on."""
    assert isinstance(node, Reduction)
    return type(node)(operands[0], node.axis + 1)
