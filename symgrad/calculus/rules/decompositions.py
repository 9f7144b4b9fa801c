"""Cholesky, eigenvalues and eigenvectors, singular values and vectors.

A symmetric matrix is taken along symmetric changes only: the gradients of `Cholesky`, `Eigenvalues`
and `Eigenvectors` are symmetric, as PyTorch's are.  [Murray 2016; Giles 2008]
"""

from __future__ import annotations

import sympy

from symgrad.calculus.axes import insert_axis
from symgrad.calculus.matrices import (
    antisymmetric,
    chain,
    column_scaled,
    diagonal,
    identity_minus,
    lower_with_half_diagonal,
    matmul,
    matrix_transpose,
    minus,
    symmetric,
    times,
)
from symgrad.calculus.rules.contraction import total
from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.contraction import contract
from symgrad.expr.decompositions import (
    EIGENVALUES,
    SINGULAR_VALUES,
    SINGULAR_VALUES_AND_ZERO,
    Cholesky,
    Eigenvalues,
    Eigenvectors,
    LeftSingularVectors,
    ReciprocalGaps,
    RightSingularVectors,
    Singular,
    SingularValues,
)
from symgrad.expr.dimension import same
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Constant, Identity
from symgrad.expr.linear_algebra import TriangularSolve
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reindex import Concat, Slice

Tangents = tuple[Node | None, ...]


@adjoint(Cholesky)
def cholesky_adjoint(g: Node, node: Cholesky, a: Node) -> Contributions:
    """L L^T = A  =>  A' = L^-T (P + P^T) L^-1 / 2,  P = Phi(L^T G).   [Murray 2016, 3.2]

    Phi keeps the lower triangle and half of the diagonal.
    """
    upper = matrix_transpose(node)
    p = lower_with_half_diagonal(matmul(upper, g))
    left = TriangularSolve(upper, symmetric(p), False)
    return (TriangularSolve(upper, matrix_transpose(left), False),)


@tangent(Cholesky)
def cholesky_tangent(tangents: Tangents, node: Cholesky, a: Node) -> Node | None:
    """L L^T = A  =>  dL = L Phi(L^-1 dA L^-T).   [Murray 2016, 3.1]"""
    (d_a,) = tangents
    if d_a is None:
        return None
    left = TriangularSolve(node, symmetric(d_a), True)
    both = TriangularSolve(node, matrix_transpose(left), True)
    return matmul(node, lower_with_half_diagonal(both))


@adjoint(Eigenvalues)
def eigenvalues_adjoint(g: Node, node: Eigenvalues, a: Node) -> Contributions:
    """A V = V diag(w)  =>  A' = V diag(G) V^T.   [Giles 2008, 3.1]"""
    v = Eigenvectors(a)
    return (matmul(column_scaled(v, g), matrix_transpose(v)),)


@tangent(Eigenvalues)
def eigenvalues_tangent(tangents: Tangents, node: Eigenvalues, a: Node) -> Node | None:
    """A V = V diag(w)  =>  dw = diag(V^T dA V)."""
    (d_a,) = tangents
    if d_a is None:
        return None
    v = Eigenvectors(a)
    return diagonal(chain(matrix_transpose(v), d_a, v))


@adjoint(Eigenvectors)
def eigenvectors_adjoint(g: Node, node: Eigenvectors, a: Node) -> Contributions:
    """A V = V diag(w)  =>  A' = V sym(F * V^T G) V^T,  F_ij = 1 / (w_j - w_i), F_ii = 0.

    [Giles 2008, 3.1, its symmetric part]
    """
    transposed = matrix_transpose(node)
    gaps = ReciprocalGaps(Eigenvalues(a), EIGENVALUES)
    return (chain(node, symmetric(times(gaps, matmul(transposed, g))), transposed),)


@tangent(Eigenvectors)
def eigenvectors_tangent(tangents: Tangents, node: Eigenvectors, a: Node) -> Node | None:
    """A V = V diag(w)  =>  dV = V (F * V^T dA V),  F_ij = 1 / (w_j - w_i), F_ii = 0."""
    (d_a,) = tangents
    if d_a is None:
        return None
    gaps = ReciprocalGaps(Eigenvalues(a), EIGENVALUES)
    return matmul(node, times(gaps, chain(matrix_transpose(node), symmetric(d_a), node)))


@adjoint(SingularValues)
def singular_values_adjoint(g: Node, node: SingularValues, a: Node) -> Contributions:
    """A = U diag(s) V^T  =>  A' = U diag(G) V^T.   [Giles 2008, 3.2]"""
    return (matmul(column_scaled(LeftSingularVectors(a), g), RightSingularVectors(a)),)


@tangent(SingularValues)
def singular_values_tangent(tangents: Tangents, node: SingularValues, a: Node) -> Node | None:
    """A = U diag(s) V^T  =>  ds = diag(U^T dA V)."""
    (d_a,) = tangents
    if d_a is None:
        return None
    u, v = LeftSingularVectors(a), matrix_transpose(RightSingularVectors(a))
    return diagonal(chain(matrix_transpose(u), d_a, v))


@adjoint(LeftSingularVectors)
def left_singular_vectors_adjoint(g: Node, node: LeftSingularVectors, a: Node) -> Contributions:
    """A = U diag(s) V^T  =>  A' = U (sym(F * Q) + anti(H * Q)) V^T + (I - U U^T) G diag(1/s) V^T,

    Q = U^T G,  F_ij = 1 / (s_j - s_i),  H_ij = 1 / (s_j + s_i).   [Giles 2008, 3.2, whose
    1 / (s_j^2 - s_i^2) is split into F and H, which lose no digits]
    """
    u, vh = node, RightSingularVectors(a)
    gaps, sums, reciprocals = _of_singular_values(node, a)
    q = matmul(matrix_transpose(u), g)
    inside = _plus(symmetric(times(gaps, q)), antisymmetric(times(sums, q)))
    terms = [chain(u, inside, vh)]
    if not same(a.shape[-2], node.count):
        beside = matmul(_outside(u), column_scaled(g, _known(reciprocals)))
        terms.append(matmul(beside, vh))
    return (total(terms),)


@adjoint(RightSingularVectors)
def right_singular_vectors_adjoint(g: Node, node: RightSingularVectors, a: Node) -> Contributions:
    """A = U diag(s) V^T  =>  A' = U (sym(F * Q) - anti(H * Q)) V^T + U diag(1/s) G (I - V V^T),

    Q = V^T G^T,  F_ij = 1 / (s_j - s_i),  H_ij = 1 / (s_j + s_i).   [Giles 2008, 3.2]
    """
    u, vh = LeftSingularVectors(a), node
    gaps, sums, reciprocals = _of_singular_values(node, a)
    g_t = matrix_transpose(g)
    q = matmul(vh, g_t)
    inside = _plus(symmetric(times(gaps, q)), minus(antisymmetric(times(sums, q))))
    terms = [chain(u, inside, vh)]
    if not same(a.shape[-1], node.count):
        v = matrix_transpose(vh)
        beside = matmul(_outside(v), column_scaled(g_t, _known(reciprocals)))
        terms.append(matmul(u, matrix_transpose(beside)))
    return (total(terms),)


@tangent(LeftSingularVectors)
def left_singular_vectors_tangent(
    tangents: Tangents, node: LeftSingularVectors, a: Node
) -> Node | None:
    """A = U diag(s) V^T  =>  dU = U (F * sym(P) + H * anti(P)) + (I - U U^T) dA V diag(1/s),

    P = U^T dA V,  F_ij = 1 / (s_j - s_i),  H_ij = 1 / (s_j + s_i).   [Giles 2008, 3.2]
    """
    (d_a,) = tangents
    if d_a is None:
        return None
    v = matrix_transpose(RightSingularVectors(a))
    gaps, sums, reciprocals = _of_singular_values(node, a)
    moved = matmul(d_a, v)
    p = matmul(matrix_transpose(node), moved)
    inside = _plus(times(gaps, symmetric(p)), times(sums, antisymmetric(p)))
    terms = [matmul(node, inside)]
    if not same(a.shape[-2], node.count):
        terms.append(matmul(_outside(node), column_scaled(moved, _known(reciprocals))))
    return total(terms)


@tangent(RightSingularVectors)
def right_singular_vectors_tangent(
    tangents: Tangents, node: RightSingularVectors, a: Node
) -> Node | None:
    """A = U diag(s) V^T  =>  dV = V (F * sym(P) - H * anti(P)) + (I - V V^T) dA^T U diag(1/s),

    P = U^T dA V,  F_ij = 1 / (s_j - s_i),  H_ij = 1 / (s_j + s_i).   [Giles 2008, 3.2]
    """
    (d_a,) = tangents
    if d_a is None:
        return None
    u, v = LeftSingularVectors(a), matrix_transpose(node)
    gaps, sums, reciprocals = _of_singular_values(node, a)
    moved = matmul(matrix_transpose(d_a), u)
    p = matmul(matrix_transpose(moved), v)
    inside = _plus(times(gaps, symmetric(p)), minus(times(sums, antisymmetric(p))))
    terms = [matmul(v, inside)]
    if not same(a.shape[-1], node.count):
        terms.append(matmul(_outside(v), column_scaled(moved, _known(reciprocals))))
    change = total(terms)
    return None if change is None else matrix_transpose(change)


def _plus(x: Node, y: Node) -> Node:
    return Map(slot(0) + slot(1), x, y)


def _outside(u: Node) -> Node:
    """I - U U^T, the projection on what the columns of U do not span."""
    return identity_minus(matmul(u, matrix_transpose(u)))


def _known(reciprocals: Node | None) -> Node:
    assert reciprocals is not None
    return reciprocals


def _of_singular_values(node: Singular, a: Node) -> tuple[Node, Node, Node | None]:
    """1 / (s_j - s_i), 1 / (s_j + s_i), and 1 / s if A is no square.

    A matrix that is no square has singular vectors of 0, too, so that no singular value may be 0.
    """
    s = SingularValues(a)
    batch, count = s.shape[:-1], node.count
    row, column = insert_axis(s, s.ndim - 1), insert_axis(s, s.ndim)
    # the diagonal of the sums meets nothing but zeros; one more there keeps it finite
    sums = Map(1 / (slot(0) + slot(1) + slot(2)), row, column, Identity(count))
    if same(*a.shape[-2:]):
        return ReciprocalGaps(s, SINGULAR_VALUES), sums, None
    zero = Constant(0, (*batch, sympy.S.One), FLOAT)
    gaps = ReciprocalGaps(Concat(s.ndim - 1, s, zero), SINGULAR_VALUES_AND_ZERO)
    whole = [(sympy.S.Zero, size, 1) for size in batch]
    both = Slice(gaps, [*whole, (sympy.S.Zero, count, 1), (sympy.S.Zero, count, 1)])
    last = Slice(gaps, [*whole, (count, sympy.S.One, 1), (sympy.S.Zero, count, 1)])
    axes = list(range(last.ndim))
    return both, sums, contract([*axes[:-2], axes[-1]], [(last, axes)])


@adjoint(ReciprocalGaps)
def reciprocal_gaps_adjoint(g: Node, node: ReciprocalGaps, w: Node) -> Contributions:
    """R_ij = 1 / (w_j - w_i)  =>  w_k' = sum_j M_kj - sum_i M_ik,  M = G * R^2."""
    m = Map(slot(0) * slot(1) ** 2, g, node)
    axes = list(range(m.ndim))
    return (
        Map(
            slot(0) - slot(1),
            contract([*axes[:-2], axes[-2]], [(m, axes)]),
            contract([*axes[:-2], axes[-1]], [(m, axes)]),
        ),
    )


@tangent(ReciprocalGaps)
def reciprocal_gaps_tangent(tangents: Tangents, node: ReciprocalGaps, w: Node) -> Node | None:
    """R_ij = 1 / (w_j - w_i)  =>  dR_ij = R_ij^2 (dw_i - dw_j)."""
    (d_w,) = tangents
    if d_w is None:
        return None
    row, column = insert_axis(d_w, d_w.ndim - 1), insert_axis(d_w, d_w.ndim)
    return Map(slot(0) ** 2 * (slot(1) - slot(2)), node, column, row)


@batcher(
    Cholesky, Eigenvalues, Eigenvectors, SingularValues, LeftSingularVectors,
    RightSingularVectors, ReciprocalGaps,
)  # fmt: skip
def decomposition_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """The same function of one matrix for each entry of the new axis."""
    return node.with_operands(operands)
