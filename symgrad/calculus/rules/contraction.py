"""Contractions are linear in each operand: adjoint, tangent and batch are contractions."""

from __future__ import annotations

import sympy

from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.contraction import Contraction, Term, contract
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Identity
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node


@adjoint(Contraction)
def contraction_adjoint(g: Node, node: Contraction, *operands: Node) -> Contributions:
    """Y[o] = c sum prod_k X_k[i_k]  =>  X_k'[i_k] = c sum G[o] prod_{j != k} X_j[i_j].

    An index that only X_k carries is broadcast; one that X_k carries twice is a diagonal, so its
    second axis enters as a Kronecker delta.  [Laue, Mitterreiter, Giesen 2020, Theorem 8]
    """
    return tuple(
        _without(k, g, node) if operand.dtype == FLOAT else None
        for k, operand in enumerate(operands)
    )


def _without(k: int, g: Node, node: Contraction) -> Node:
    """The contraction in which `g` takes the place of the result and operand k is the result."""
    others: list[Term] = [term for j, term in enumerate(node.terms) if j != k]
    wanted: list[int] = []
    deltas: list[Term] = []
    for index in node.indices[k]:
        if index in wanted:
            fresh = len(node.sizes) + len(deltas)
            deltas.append((Identity(node.sizes[index]), (index, fresh)))
            index = fresh
        wanted.append(index)
    return contract(wanted, [(g, node.output), *others, *deltas], node.scale, node.sizes)


@tangent(Contraction)
def contraction_tangent(
    tangents: tuple[Node | None, ...], node: Contraction, *operands: Node
) -> Node | None:
    """Y = c sum prod_k X_k  =>  dY = sum_k c sum dX_k prod_{j != k} X_j."""
    terms = [
        node.with_operands((*operands[:k], t, *operands[k + 1 :]))
        for k, t in enumerate(tangents)
        if t is not None
    ]
    return total(terms)


def total(terms: list[Node]) -> Node | None:
    """The sum of `terms`, which have one shape, as one map; None for no terms."""
    if len(terms) < 2:
        return terms[0] if terms else None
    return Map(sympy.Add(*(slot(k) for k in range(len(terms)))), *terms)


@batcher(Contraction)
def contraction_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """One more index, first on the result and on each batched operand: Y[b, o] = c sum ..."""
    assert isinstance(node, Contraction)
    b = len(node.sizes)
    terms: list[Term] = [
        (x, (b, *indices) if moves else indices)
        for x, indices, moves in zip(operands, node.indices, batched, strict=True)
    ]
    return contract((b, *node.output), terms, node.scale, node.sizes)
