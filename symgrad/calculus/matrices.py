"""Matrix work that rules share: transposes, triangles, symmetric parts, scaled columns."""

from __future__ import annotations

import sympy

from symgrad.expr.contraction import contract, spread
from symgrad.expr.formula import f, slot
from symgrad.expr.leaf import Arange, Identity
from symgrad.expr.linear_algebra import matrix_transpose
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.operators import matmul

__all__ = [
    "antisymmetric",
    "as_matrix",
    "chain",
    "column_scaled",
    "diagonal",
    "identity_minus",
    "inner",
    "lower_with_half_diagonal",
    "matmul",
    "matrix_transpose",
    "minus",
    "product_with_transpose",
    "symmetric",
    "times",
    "trace",
    "triangle",
]


def chain(*factors: Node) -> Node:
    """The product of matrices, from the left."""
    product = factors[0]
    for factor in factors[1:]:
        product = matmul(product, factor)
    return product


def product_with_transpose(x: Node, y: Node) -> Node:
    """X Y^T of matrices, or of vectors as columns."""
    if x.ndim == y.ndim == 1:
        return contract([0, 1], [(x, [0]), (y, [1])])
    return matmul(x, matrix_transpose(y))


def minus(x: Node) -> Node:
    return Map(-slot(0), x)


def times(x: Node, y: Node) -> Node:
    """The product entry by entry."""
    return Map(slot(0) * slot(1), x, y)


def symmetric(x: Node) -> Node:
    """(X + X^T) / 2."""
    return Map((slot(0) + slot(1)) / 2, x, matrix_transpose(x))


def antisymmetric(x: Node) -> Node:
    """(X - X^T) / 2."""
    return Map((slot(0) - slot(1)) / 2, x, matrix_transpose(x))


def triangle(x: Node, lower: bool, strict: bool = False) -> Node:
    """The entries of one triangle, 0 elsewhere; without the diagonal if `strict`."""
    first, second = (slot(2), slot(1)) if lower else (slot(1), slot(2))
    inside = f.less(first, second) if strict else f.less_equal(first, second)
    return Map(f.where(inside, slot(0), sympy.S.Zero), x, *_positions(x))


def lower_with_half_diagonal(x: Node) -> Node:
    """Phi: the lower triangle with half of the diagonal, so that S = Phi(S) + Phi(S)^T."""
    weight = f.where(f.equal(slot(1), slot(2)), sympy.S.Half, sympy.S.One)
    kept = f.where(f.less_equal(slot(2), slot(1)), slot(0), sympy.S.Zero)
    return Map(weight * kept, x, *_positions(x))


def _positions(x: Node) -> tuple[Node, Node]:
    """The numbers of rows, as a column, and of columns."""
    return spread(Arange(x.shape[-2]), {1: sympy.S.One}), Arange(x.shape[-1])


def column_scaled(x: Node, scales: Node) -> Node:
    """X diag(s): each column times its own number."""
    return times(x, spread(scales, {scales.ndim - 1: sympy.S.One}))


def diagonal(x: Node) -> Node:
    """The diagonals of matrices, along the last axis."""
    axes = list(range(x.ndim - 1))
    return contract(axes, [(x, [*axes, axes[-1]])])


def trace(x: Node) -> Node:
    """The sum of the diagonal, one number for each matrix."""
    axes = list(range(x.ndim - 1))
    return contract(axes[:-1], [(x, [*axes, axes[-1]])])


def inner(x: Node, y: Node) -> Node:
    """sum_ij X_ij Y_ij, one number for each matrix."""
    rank = max(x.ndim, y.ndim)
    product = times(x, y)
    return contract(range(rank - 2), [(product, range(rank))])


def as_matrix(numbers: Node) -> Node:
    """Numbers, one for each matrix, with two axes of size 1 that stretch over a matrix."""
    return spread(numbers, {numbers.ndim: sympy.S.One, numbers.ndim + 1: sympy.S.One})


def identity_minus(x: Node) -> Node:
    """I - X."""
    return Map(slot(1) - slot(0), x, Identity(x.shape[-1]))
