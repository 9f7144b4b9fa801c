"""Functions of matrices: systems of equations, inverses, determinants.

Matrices lie on the last two axes. The axes before them are a batch, and those of two operands are
broadcast as NumPy does. `symgrad.expr.decompositions` holds factors, eigenvalues, singular values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import sympy

from symgrad.errors import ShapeError
from symgrad.expr.contraction import transpose
from symgrad.expr.dimension import Shape, broadcast, same, shape_text
from symgrad.expr.node import FLOAT, Node


class LinearAlgebra(Node):
    """A function of matrices. `function`: what the formula calls it; `noun`: what its result is."""

    function: ClassVar[str]
    noun: ClassVar[str]
    core: ClassVar[int] = 2

    def __new__(cls, *args: object) -> Node:
        return super().__new__(cls, *(sympy.sympify(arg) for arg in args))

    def written(self, names: Sequence[str]) -> str:
        """The formula, given what the operands are called."""
        return f"{self.function}({', '.join(names)})"

    def _infer(self) -> tuple[Shape, str]:
        batches = []
        for operand, core in zip(self.operands, self.cores, strict=True):
            if operand.ndim < core:
                raise ShapeError(f"a matrix is expected, not a tensor of {operand.ndim} axes")
            batches.append(operand.shape[: operand.ndim - core])
        batch = broadcast(batches) if len(batches) > 1 else batches[0]
        return (*batch, *self._core_shape()), FLOAT

    @property
    def cores(self) -> tuple[int, ...]:
        """How many last axes of each operand are not a batch."""
        return (self.core,) * len(self.operands)

    def _core_shape(self) -> Shape:
        """The shape of the result for one matrix of each operand."""
        raise NotImplementedError

    def _square(self) -> sympy.Expr:
        """The size of the first operand, which must be square."""
        rows, columns = self.operands[0].shape[-2:]
        if not same(rows, columns):
            raise ShapeError(
                f"the matrix must be square, and it has {rows} rows and {columns} columns",
                facts={"matrix": shape_text(self.operands[0].shape)},
            )
        return rows


class SquareToSquare(LinearAlgebra):
    """A function from a square matrix to one of the same size."""

    def _core_shape(self) -> Shape:
        size = self._square()
        return size, size


class SquareToNumber(LinearAlgebra):
    """A function from a square matrix to a number."""

    def _core_shape(self) -> Shape:
        self._square()
        return ()


class System(LinearAlgebra):
    """What is made of a square matrix a: [..., n, n] and right sides b: [..., n, k].

    One right side b: [n] of one matrix a: [n, n] is a vector, and so is the result.
    """

    @property
    def cores(self) -> tuple[int, ...]:
        return (2, 1 if self.is_of_vector else 2)

    @property
    def is_of_vector(self) -> bool:
        """Whether the right side is a vector."""
        return self.operands[1].ndim == 1

    def _core_shape(self) -> Shape:
        size = self._square()
        b = self.operands[1]
        assert self.operands[0].ndim == 2 or not self.is_of_vector, "vectors come one at a time"
        rows, *columns = b.shape[b.ndim - self.cores[1] :]
        if not same(size, rows):
            raise ShapeError(f"a matrix of size {size} does not fit to {rows} rows of b")
        return (rows, *columns)


class Solve(System):
    """The solution X of A X = B."""

    function, noun = "solve", "solution"


class TriangularSolve(System):
    """The solution X of A X = B, of A only the triangle being read; its diagonal is 1 if `unit`."""

    function, noun = "solve_triangular", "solution"
    lower: bool
    unit: bool

    def __new__(cls, a: Node, b: Node, lower: object, unit: object = False) -> Node:
        return super().__new__(
            cls, a, b, sympy.true if lower else sympy.false, sympy.true if unit else sympy.false
        )

    def _infer(self) -> tuple[Shape, str]:
        self.lower, self.unit = (flag is sympy.true for flag in self.args[2:])
        return super()._infer()

    def written(self, names: Sequence[str]) -> str:
        options = ["lower" if self.lower else "upper", *(["unit diagonal"] if self.unit else [])]
        return f"{self.function}({', '.join([*names, *options])})"


class Inverse(SquareToSquare):
    """The inverse of a matrix."""

    function, noun = "inv", "inverse"


class Determinant(SquareToNumber):
    """The determinant."""

    function, noun = "det", "determinant"


class SignDeterminant(SquareToNumber):
    """The sign of the determinant: -1, 0 or 1. It has no slope."""

    function = noun = "sign_of_det"


class LogAbsDeterminant(SquareToNumber):
    """log|det A|, without overflow; -inf for a singular matrix."""

    function = noun = "log_abs_det"


class Cofactor(SquareToSquare):
    """The cofactors of a matrix, the slope of its determinant: det(A) A^-T where A has an inverse.

    They are polynomials of the entries, so they exist for a singular matrix, too.
    """

    function = noun = "cofactors"


class SecondCofactor(System):
    """How the cofactors of A change along H: sum_kl (d cof(A) / d A_kl) H_kl. Linear in H."""

    function = noun = "change_of_cofactors"


class PseudoInverse(LinearAlgebra):
    """The inverse of Moore and Penrose. `cutoff`: singular values up to this part of the largest
    count as 0; NumPy's own choice where it is None."""

    function, noun = "pinv", "pseudo_inverse"
    cutoff: float | None

    def _infer(self) -> tuple[Shape, str]:
        self.cutoff = float(self.args[1]) if len(self.args) > 1 else None
        return super()._infer()

    def _core_shape(self) -> Shape:
        rows, columns = self.operands[0].shape[-2:]
        return columns, rows


def matrix_transpose(x: Node) -> Node:
    """`x` with its last two axes exchanged."""
    return transpose(x, [*range(x.ndim - 2), x.ndim - 1, x.ndim - 2])
