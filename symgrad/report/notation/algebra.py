"""Functions of matrices as they stand on paper, for one matrix of each operand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symgrad.expr import decompositions as d
from symgrad.expr import linear_algebra as la
from symgrad.expr.node import Node
from symgrad.report.notation import formula as m
from symgrad.report.notation.build import chain, negative, total
from symgrad.report.notation.remarks import Convention
from symgrad.report.notation.scalar import number


def algebra(node: la.LinearAlgebra, parts: Sequence[m.Math]) -> m.Math | None:
    """The function of `parts`, or None for one that is said entry by entry only."""
    write = ALGEBRA[type(node)]
    return None if write is None else write(node, *parts)


def _apply(name: str) -> Callable[..., m.Math]:
    return lambda node, *parts: m.Apply(name, tuple(parts))


def _det(a: m.Math) -> m.Math:
    return m.Apply("det", (a,))


def _triangular(node: la.TriangularSolve, a: m.Math, b: m.Math) -> m.Math:
    """tril(A)^-1 B; I + tril(A, -1) where the diagonal counts as 1."""
    word, next_diagonal = ("tril", negative(m.ONE)) if node.lower else ("triu", m.ONE)
    read: m.Math = m.Apply(word, (a,))
    if node.unit:
        size = number(node.operands[0].shape[-1])
        read = total(m.Unit(size), m.Apply(word, (a, next_diagonal)))
    return chain(m.Inverted(read), b)


ALGEBRA: dict[type[Node], Callable[..., m.Math] | None] = {
    la.Inverse: lambda node, a: m.Inverted(a),
    la.Solve: lambda node, a, b: chain(m.Inverted(a), b),
    la.TriangularSolve: _triangular,
    la.Determinant: lambda node, a: _det(a),
    la.SignDeterminant: lambda node, a: m.Apply("sgn", (_det(a),)),
    la.LogAbsDeterminant: lambda node, a: m.Apply("log", (m.Between("absolute", (_det(a),)),)),
    la.Cofactor: _apply("cof"),
    la.SecondCofactor: _apply("Dcof"),
    la.PseudoInverse: lambda node, a: m.Power(a, m.Symbol("+", (), True)),
    d.Cholesky: _apply("chol"),
    d.Eigenvalues: _apply("eigenvalues"),
    d.Eigenvectors: _apply("eigenvectors"),
    d.SingularValues: _apply("singular values"),
    d.LeftSingularVectors: _apply("left singular vectors"),
    d.RightSingularVectors: lambda node, a: m.Transposed(m.Apply("right singular vectors", (a,))),
    d.ReciprocalGaps: None,
}
REMARKS: dict[type[Node], str] = {
    la.TriangularSolve: "tril and triu keep the lower and the upper triangle of a matrix",
    la.Cofactor: "cof(A): the cofactors of A, det(A) times its inverse transposed, if it has one",
    la.SecondCofactor: "Dcof(A, H): how the cofactors of A change along H",
    la.PseudoInverse: "the raised + is the inverse of Moore and Penrose",
    d.Cholesky: "chol(A): the lower triangular matrix C with C times its transpose equal to A",
    d.Eigenvalues: "eigenvalues ascend",
    d.Eigenvectors: "eigenvectors are columns, in the order of ascending eigenvalues",
    d.SingularValues: "singular values descend",
    d.LeftSingularVectors: "singular vectors are columns, in the order of descending values",
    d.RightSingularVectors: "singular vectors are columns, in the order of descending values",
}


def remark_of(node: Any) -> Convention | None:
    """What the function's name in a formula stands for, where it is not known to all."""
    found = REMARKS.get(type(node))
    return None if found is None else Convention(found)
