"""The form with indices of functions of matrices: an entry of the function of whole matrices.

A matrix that has no name is written in matrix notation, or, where it has none, by its entries.
"""

from __future__ import annotations

from symgrad.expr.decompositions import ReciprocalGaps
from symgrad.expr.dimension import same
from symgrad.expr.linear_algebra import LinearAlgebra
from symgrad.expr.node import Node
from symgrad.report.notation import formula as m
from symgrad.report.notation.algebra import algebra
from symgrad.report.notation.build import negative, ratio, total
from symgrad.report.notation.entry import Entry, entry_of
from symgrad.report.notation.index_form import WRITERS, IndexForm, aligned
from symgrad.report.notation.matrix_form import NoMatrices


def _algebra(w: IndexForm, node: LinearAlgebra, at: Entry) -> m.Math:
    rank = len(node._core_shape())
    batch, own = at[: node.ndim - rank], at[node.ndim - rank :]
    parts = []
    for operand, core in zip(node.operands, node.cores, strict=True):
        places = batch[len(batch) - (operand.ndim - core) :] if operand.ndim > core else ()
        sizes = operand.shape[: operand.ndim - core]
        parts.append(
            _matrix(
                w,
                operand,
                tuple(m.ZERO if same(s, 1) else i for s, i in zip(sizes, places, strict=True)),
            )
        )
    found = algebra(node, parts)
    assert found is not None, node
    return entry_of(found, own)


def _matrix(w: IndexForm, node: Node, at: Entry) -> m.Math:
    """The matrix, or vector, that lies at `at` of the first axes of a tensor."""
    name = w.name_of(node)
    if name is not None:
        return entry_of(name, at)
    try:
        return w.whole(node, at)
    except NoMatrices:
        letters = tuple(w.fresh(size) for size in node.shape[len(at) :])
        return m.Entries(w.right_side(node, (*at, *letters)), letters)


def _reciprocal_gaps(w: IndexForm, node: ReciprocalGaps, at: Entry) -> m.Math:
    (values,) = node.operands
    *batch, i, j = at
    if i == j:
        return m.ZERO
    first, second = (w.entry(values, aligned(values, (*batch, k))) for k in (i, j))
    gap = ratio(m.ONE, total(second, negative(first)))
    return m.Cases(((m.ZERO, m.Relation("=", i, j)), (gap, None)))


WRITERS |= {LinearAlgebra: _algebra, ReciprocalGaps: _reciprocal_gaps}
