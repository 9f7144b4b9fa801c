"""Factors of matrices: Cholesky, eigenvalues and eigenvectors, singular values and vectors.

What comes of one factorisation is one node for each part; the program computes them together.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy.core.symbol import Str

from symgrad.errors import ShapeError
from symgrad.expr.dimension import Shape, shape_text
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
    SquareToSquare,
    TriangularSolve,
)
from symgrad.expr.node import Node

EIGENVALUES, SINGULAR_VALUES, SINGULAR_VALUES_AND_ZERO = "eigh", "svd", "svd and 0"


class Cholesky(SquareToSquare):
    """The lower triangular L with L L^T = A. Only the lower triangle of A is read, and A is taken
    to be symmetric: derivatives are those along symmetric changes."""

    function, noun = "cholesky", "factor"


class Eigenvalues(LinearAlgebra):
    """The eigenvalues of a symmetric matrix, ascending; its lower triangle is read."""

    function = noun = "eigenvalues"

    def _core_shape(self) -> Shape:
        return (self._square(),)


class Eigenvectors(SquareToSquare):
    """The eigenvectors of a symmetric matrix as columns, in the order of `Eigenvalues`."""

    function = noun = "eigenvectors"


class Singular(LinearAlgebra):
    """A part of A = U diag(s) Vh, with as many singular values as the shorter side has entries."""

    @property
    def count(self) -> sympy.Expr:
        """How many singular values there are."""
        rows, columns = self.operands[0].shape[-2:]
        excess = sympy.expand(rows - columns)
        if excess.is_nonnegative:
            return columns
        if excess.is_nonpositive:
            return rows
        raise ShapeError(
            f"there are as many singular values as the smaller of {rows} and {columns}, which is "
            "not known now",
            facts={"matrix": shape_text(self.operands[0].shape)},
            fix="give both axes of the matrix whole numbers as sizes, or use eigh of A.T @ A",
        )


class SingularValues(Singular):
    """The singular values, descending."""

    function = noun = "singular_values"

    def _core_shape(self) -> Shape:
        return (self.count,)


class LeftSingularVectors(Singular):
    """U: the left singular vectors as columns."""

    function = noun = "left_singular_vectors"

    def _core_shape(self) -> Shape:
        return self.operands[0].shape[-2], self.count


class RightSingularVectors(Singular):
    """Vh: the right singular vectors as rows."""

    function = noun = "right_singular_vectors"

    def _core_shape(self) -> Shape:
        return self.count, self.operands[0].shape[-1]


class ReciprocalGaps(LinearAlgebra):
    """R_ij = 1 / (w_j - w_i), and 0 where i = j, for w: [..., n].

    Computing it fails where two values coincide, with an error that names `kind`, what they are:
    the vectors that belong to them are then not functions of the matrix.
    """

    function = noun = "reciprocal_gaps"
    core = 1
    kind: str

    def __new__(cls, values: Node, kind: object) -> Node:
        return super().__new__(cls, values, Str(str(kind)))

    def _infer(self) -> tuple[Shape, str]:
        self.kind = str(self.args[1])
        return super()._infer()

    def _core_shape(self) -> Shape:
        size = self.operands[0].shape[-1]
        return size, size

    def written(self, names: Sequence[str]) -> str:
        (w,) = names
        return f"1 / ({w}[j] - {w}[i]), 0 where i = j"


LINEAR_ALGEBRA: tuple[type[LinearAlgebra], ...] = (
    Solve, TriangularSolve, Inverse, Determinant, SignDeterminant, LogAbsDeterminant, Cofactor,
    SecondCofactor, PseudoInverse, Cholesky, Eigenvalues, Eigenvectors, SingularValues,
    LeftSingularVectors, RightSingularVectors, ReciprocalGaps,
)  # fmt: skip
