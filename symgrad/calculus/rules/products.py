"""Products along an axis: right with any number of zeros, to any order.

The derivative of a product is the product of all other entries, which is again a node; its own
derivative needs the products of all entries but two, `ProdOthers` of a matrix in which entry i of
row i is 1.
"""

from __future__ import annotations

import sympy

from symgrad.calculus.axes import insert_axes, insert_axis
from symgrad.calculus.rules.registry import Contributions, adjoint, tangent
from symgrad.expr.contraction import contract, sum_over
from symgrad.expr.formula import f, slot
from symgrad.expr.leaf import Arange
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import Prod, ProdOthers


@adjoint(Prod)
def prod_adjoint(g: Node, node: Prod, x: Node) -> Contributions:
    """y = prod_j x_j  =>  x_k' = G prod_{j != k} x_j."""
    others = ProdOthers(x, node.axis)
    return (Map(slot(0) * slot(1), others, insert_axis(g, node.axis)),)


@tangent(Prod)
def prod_tangent(tangents: tuple[Node | None, ...], node: Prod, x: Node) -> Node | None:
    """y = prod_j x_j  =>  dy = sum_k (prod_{j != k} x_j) dx_k."""
    (t,) = tangents
    if t is None:
        return None
    return sum_over(Map(slot(0) * slot(1), ProdOthers(x, node.axis), t), [node.axis])


@adjoint(ProdOthers)
def prod_others_adjoint(g: Node, node: ProdOthers, x: Node) -> Contributions:
    """y_i = prod_{j != i} x_j  =>  x_k' = sum_{i != k} G_i prod_{j != i, k} x_j."""
    return (_times_pairs(g, node.axis, x),)


@tangent(ProdOthers)
def prod_others_tangent(
    tangents: tuple[Node | None, ...], node: ProdOthers, x: Node
) -> Node | None:
    """y_i = prod_{j != i} x_j  =>  dy_i = sum_{k != i} (prod_{j != i, k} x_j) dx_k."""
    (t,) = tangents
    return None if t is None else _times_pairs(t, node.axis, x)


def _times_pairs(v: Node, axis: int, x: Node) -> Node:
    """sum_{i != k} v_i P_ik, where P_ik = prod_{j != i, k} x_j is symmetric."""
    pairs = _pairs(x, axis)
    rank = pairs.ndim
    summed = [a for a in range(rank) if a != axis + 1]
    return contract([a for a in range(rank) if a != axis], [(v, summed), (pairs, range(rank))])


def _pairs(x: Node, axis: int) -> Node:
    """P[..., i, k, ...] = prod_{j != i, k} x_j, and 0 where i = k."""
    size = x.shape[axis]
    rank = x.ndim + 1
    row = insert_axes(Arange(size), [a for a in range(rank) if a != axis])
    column = insert_axes(Arange(size), [a for a in range(rank) if a != axis + 1])
    on_diagonal = f.equal(slot(0), slot(1))
    masked = Map(f.where(on_diagonal, sympy.S.One, slot(2)), row, column, insert_axis(x, axis))
    return Map(
        f.where(on_diagonal, sympy.S.Zero, slot(2)), row, column, ProdOthers(masked, axis + 1)
    )
