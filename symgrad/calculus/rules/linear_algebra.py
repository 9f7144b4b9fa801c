"""Systems, inverses, determinants.  [Giles 2008, "Collected matrix derivative results"]

G is the gradient that arrives at the node, X' the one that it contributes to X, dX a tangent.
"""

from __future__ import annotations

import sympy

from symgrad.calculus.axes import insert_axes, insert_axis
from symgrad.calculus.matrices import (
    as_matrix,
    chain,
    identity_minus,
    inner,
    matmul,
    matrix_transpose,
    minus,
    product_with_transpose,
    times,
    trace,
    triangle,
)
from symgrad.calculus.rules.contraction import total
from symgrad.calculus.rules.registry import Contributions, adjoint, batcher, tangent
from symgrad.expr.contraction import contract, transpose
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Identity
from symgrad.expr.linear_algebra import (
    Cofactor,
    Determinant,
    Inverse,
    LinearAlgebra,
    LogAbsDeterminant,
    PseudoInverse,
    SecondCofactor,
    SignDeterminant,
    Solve,
    System,
    TriangularSolve,
)
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import Reshape

Tangents = tuple[Node | None, ...]


@adjoint(Solve)
def solve_adjoint(g: Node, node: Solve, a: Node, b: Node) -> Contributions:
    """X = A^-1 B  =>  B' = A^-T G,  A' = -B' X^T.   [Giles 2008, 2.3.1]"""
    d_b = Solve(matrix_transpose(a), g)
    return minus(product_with_transpose(d_b, node)), d_b


@tangent(Solve)
def solve_tangent(tangents: Tangents, node: Solve, a: Node, b: Node) -> Node | None:
    """X = A^-1 B  =>  dX = A^-1 (dB - dA X)."""
    d_a, d_b = tangents
    change = _residual(d_b, None if d_a is None else matmul(d_a, node))
    return None if change is None else Solve(a, change)


def _residual(d_b: Node | None, product: Node | None) -> Node | None:
    """dB - dA X, where either may be absent."""
    return total([x for x in (d_b, None if product is None else minus(product)) if x is not None])


@adjoint(TriangularSolve)
def triangular_solve_adjoint(g: Node, node: TriangularSolve, a: Node, b: Node) -> Contributions:
    """X = A^-1 B, A triangular  =>  B' = A^-T G,  A' = -tri(B' X^T)."""
    d_b = TriangularSolve(matrix_transpose(a), g, not node.lower, node.unit)
    d_a = minus(product_with_transpose(d_b, node))
    return triangle(d_a, node.lower, strict=node.unit), d_b


@tangent(TriangularSolve)
def triangular_solve_tangent(
    tangents: Tangents, node: TriangularSolve, a: Node, b: Node
) -> Node | None:
    """X = A^-1 B, A triangular  =>  dX = A^-1 (dB - tri(dA) X)."""
    d_a, d_b = tangents
    moved = None if d_a is None else matmul(triangle(d_a, node.lower, strict=node.unit), node)
    change = _residual(d_b, moved)
    return None if change is None else TriangularSolve(a, change, node.lower, node.unit)


@adjoint(Inverse)
def inverse_adjoint(g: Node, node: Inverse, a: Node) -> Contributions:
    """C = A^-1  =>  A' = -C^T G C^T.   [Giles 2008, 2.2.3]"""
    c = matrix_transpose(node)
    return (minus(chain(c, g, c)),)


@tangent(Inverse)
def inverse_tangent(tangents: Tangents, node: Inverse, a: Node) -> Node | None:
    """C = A^-1  =>  dC = -C dA C."""
    (d_a,) = tangents
    return None if d_a is None else minus(chain(node, d_a, node))


@adjoint(Determinant)
def determinant_adjoint(g: Node, node: Determinant, a: Node) -> Contributions:
    """c = det A  =>  A' = G cof(A), the cofactors: det(A) A^-T where A has an inverse."""
    return (times(as_matrix(g), Cofactor(a)),)


@tangent(Determinant)
def determinant_tangent(tangents: Tangents, node: Determinant, a: Node) -> Node | None:
    """c = det A  =>  dc = sum(cof(A) * dA).   [Jacobi]"""
    (d_a,) = tangents
    return None if d_a is None else inner(Cofactor(a), d_a)


@adjoint(LogAbsDeterminant)
def log_abs_determinant_adjoint(g: Node, node: LogAbsDeterminant, a: Node) -> Contributions:
    """c = log|det A|  =>  A' = G A^-T.   [Giles 2008, 2.2.4]"""
    return (times(as_matrix(g), matrix_transpose(Inverse(a))),)


@tangent(LogAbsDeterminant)
def log_abs_determinant_tangent(
    tangents: Tangents, node: LogAbsDeterminant, a: Node
) -> Node | None:
    """c = log|det A|  =>  dc = trace(A^-1 dA)."""
    (d_a,) = tangents
    return None if d_a is None else inner(matrix_transpose(Inverse(a)), d_a)


@adjoint(SignDeterminant)
def sign_determinant_adjoint(g: Node, node: SignDeterminant, a: Node) -> Contributions:
    """A sign is constant wherever it has a slope: it has no gradient."""
    return (None,)


@tangent(SignDeterminant)
def sign_determinant_tangent(tangents: Tangents, node: SignDeterminant, a: Node) -> None:
    """A sign is constant wherever it has a slope: it has no tangent."""
    return None


@adjoint(Cofactor)
def cofactor_adjoint(g: Node, node: Cofactor, a: Node) -> Contributions:
    """C = cof(A)  =>  A' = sum_ij G_ij (d C_ij / dA), the change of the cofactors along G.

    The second derivative of a determinant is symmetric, so the change along G is the gradient.
    """
    return (SecondCofactor(a, g),)


@tangent(Cofactor)
def cofactor_tangent(tangents: Tangents, node: Cofactor, a: Node) -> Node | None:
    """C = cof(A)  =>  dC = sum_kl (dC / dA_kl) dA_kl."""
    (d_a,) = tangents
    return None if d_a is None else SecondCofactor(a, d_a)


@adjoint(SecondCofactor)
def second_cofactor_adjoint(g: Node, node: SecondCofactor, a: Node, h: Node) -> Contributions:
    """S = cof'(A; H)  =>  H' = cof'(A; G),  A' = cof''(A; H, G), for which A needs an inverse."""
    return _third_cofactor(a, h, g), SecondCofactor(a, g)


@tangent(SecondCofactor)
def second_cofactor_tangent(
    tangents: Tangents, node: SecondCofactor, a: Node, h: Node
) -> Node | None:
    """S = cof'(A; H)  =>  dS = cof'(A; dH) + cof''(A; H, dA)."""
    d_a, d_h = tangents
    parts = [None if d_h is None else SecondCofactor(a, d_h)]
    parts.append(None if d_a is None else _third_cofactor(a, h, d_a))
    return total([part for part in parts if part is not None])


def _third_cofactor(a: Node, h: Node, k: Node) -> Node:
    """The change along K of cof'(A; H), symmetric in H and K; A must have an inverse.

    With d = det A, B = A^-1, x = B H, y = B K, the third derivative of d along H, K and any E is
    d (tr x tr y tr z - tr x tr yz - tr y tr xz - tr z tr xy + tr xyz + tr xzy) for z = B E; this
    is its gradient with respect to E.
    """
    inverse = Inverse(a)
    x, y = matmul(inverse, h), matmul(inverse, k)
    xy, yx = matmul(x, y), matmul(y, x)
    tx, ty, txy = (as_matrix(trace(p)) for p in (x, y, xy))
    # the third derivative is d tr(M z) = d tr(M B E), and d (M B)^T its gradient
    m = Map(
        slot(0) * (slot(1) * slot(2) - slot(3)) - slot(1) * slot(5) - slot(2) * slot(4)
        + slot(6) + slot(7),
        Identity(x.shape[-1]), tx, ty, txy, x, y, xy, yx,
    )  # fmt: skip
    return times(as_matrix(Determinant(a)), matrix_transpose(matmul(m, inverse)))


@adjoint(PseudoInverse)
def pseudo_inverse_adjoint(g: Node, node: PseudoInverse, a: Node) -> Contributions:
    """P = A^+  =>  A' = -P^T G P^T + (I - A P) G^T P P^T + P^T P G^T (I - P A).

    [Golub and Pereyra 1973; where the rank does not change]
    """
    p, g_t = matrix_transpose(node), matrix_transpose(g)
    terms = [
        minus(chain(p, g, p)),
        chain(identity_minus(matmul(a, node)), g_t, matmul(node, p)),
        chain(matmul(p, node), g_t, identity_minus(matmul(node, a))),
    ]
    return (total(terms),)


@tangent(PseudoInverse)
def pseudo_inverse_tangent(tangents: Tangents, node: PseudoInverse, a: Node) -> Node | None:
    """P = A^+  =>  dP = -P dA P + P P^T dA^T (I - A P) + (I - P A) dA^T P^T P."""
    (d_a,) = tangents
    if d_a is None:
        return None
    p, d_t = matrix_transpose(node), matrix_transpose(d_a)
    terms = [
        minus(chain(node, d_a, node)),
        chain(matmul(node, p), d_t, identity_minus(matmul(a, node))),
        chain(identity_minus(matmul(node, a)), d_t, matmul(p, node)),
    ]
    return total(terms)


@batcher(
    Inverse, Determinant, SignDeterminant, LogAbsDeterminant, Cofactor, SecondCofactor,
    PseudoInverse, Solve, TriangularSolve,
)  # fmt: skip
def linear_algebra_batch(
    size: sympy.Expr, node: Node, operands: tuple[Node, ...], batched: tuple[bool, ...]
) -> Node:
    """The same function of one matrix for each entry of the new axis; equations that share one
    matrix are columns of one system: A^-1 [B_1 B_2 ...]."""
    assert isinstance(node, LinearAlgebra)
    if isinstance(node, System):
        if node.is_of_vector:
            return _of_vectors(node, *operands)
        shares_matrix = batched == (False, True) and operands[0].ndim == 2
        if shares_matrix and isinstance(node, Solve | TriangularSolve):
            return _more_columns(node, *operands)
    rank = node.ndim if len(operands) > 1 else operands[0].ndim - 1
    aligned = tuple(
        insert_axes(x, range(1, 1 + rank - (x.ndim - 1))) if moves and x.ndim - 1 < rank else x
        for x, moves in zip(operands, batched, strict=True)
    )
    return node.with_operands(aligned)


def _of_vectors(node: System, a: Node, b: Node) -> Node:
    """Each vector as a column: of one matrix, where that is not batched, else of its own."""
    if a.ndim == 2:
        return matrix_transpose(node.with_operands((a, matrix_transpose(b))))
    x = node.with_operands((a, insert_axis(b, b.ndim)))
    axes = list(range(x.ndim))
    return contract(axes[:-1], [(x, axes)])


def _more_columns(node: Node, a: Node, b: Node) -> Node:
    """A^-1 B for B: [size, ..., n, k], the new axis being carried among the columns."""
    rank = b.ndim
    size, *batch, rows, columns = b.shape
    wide = Reshape(transpose(b, [*range(1, rank), 0]), (*batch, rows, columns * size))
    x = Reshape(node.with_operands((a, wide)), (*batch, rows, columns, size))
    return transpose(x, [rank - 1, *range(rank - 1)])
