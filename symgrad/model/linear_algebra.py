"""Linear algebra on tensor expressions, by NumPy's names: what `sg.linalg` and formulas offer.

Matrices lie on the last two axes, the axes before them are a batch. Where a matrix has no result
(a singular one, or coinciding eigenvalues whose vectors are differentiated), the emitted function
raises `numpy.linalg.LinAlgError` with the matrix's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import decompositions, linear_algebra
from symgrad.expr.contraction import contract, spread
from symgrad.expr.dimension import same, shape_text
from symgrad.expr.leaf import Identity
from symgrad.expr.linear_algebra import matrix_transpose
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import as_node, elementwise
from symgrad.expr.operators import matmul
from symgrad.model.operations.operation import operation, refuse, whole_number

NOT_GIVEN: Any = object()


class SlogdetResult(NamedTuple):
    """The sign of a determinant and the logarithm of its size."""

    sign: Node
    logabsdet: Node


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and eigenvectors as columns."""

    eigenvalues: Node
    eigenvectors: Node


class SVDResult(NamedTuple):
    """Left singular vectors, singular values, descending, and right singular vectors as rows."""

    U: Node
    S: Node
    Vh: Node


@operation
def solve(a: Any, b: Any) -> Node:
    """The solution x of a x = b, for a: [..., n, n]; b is a vector if it has one axis (NumPy 2)."""
    return _solved(a, b, linear_algebra.Solve)


@operation
def inv(a: Any) -> Node:
    """The inverse. For inv(a) @ b, `solve(a, b)` is faster and more accurate."""
    return linear_algebra.Inverse(_square(a))


@operation
def det(a: Any) -> Node:
    """The determinant. It and two derivatives exist for singular matrices too; a third derivative
    needs an inverse. The logarithm of a determinant is that of `slogdet`."""
    return linear_algebra.Determinant(_square(a))


@operation
def slogdet(a: Any) -> SlogdetResult:
    """The sign of the determinant and log|det a|, which cannot overflow.

    A singular matrix has the sign 0 and -inf; its gradient raises an error, there being none.
    """
    a = _square(a)
    return SlogdetResult(linear_algebra.SignDeterminant(a), linear_algebra.LogAbsDeterminant(a))


@operation
def logdet(a: Any) -> Node:
    """log(det a), as `torch.logdet`: nan where the determinant is negative, -inf where it is 0."""
    sign, log = slogdet(a)
    return elementwise(lambda s, x: sympy.log(s) + x, sign, log)


@operation
def cholesky(a: Any, /, *, upper: bool = False) -> Node:
    """The lower triangular L with L L^T = a, or L^T, for a positive definite matrix.

    As NumPy, it reads only the lower triangle (the upper one for `upper`) and takes the matrix to
    be symmetric. As PyTorch's, the gradient is symmetric: the one along symmetric changes of `a`.
    """
    a = _square(a)
    if upper:
        return matrix_transpose(decompositions.Cholesky(matrix_transpose(a)))
    return decompositions.Cholesky(a)


@operation
def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False,
                     unit_diagonal: bool = False, *, left: bool = True) -> Node:  # fmt: skip
    """The solution x of a x = b for a triangular matrix, with SciPy's arguments and defaults.

    Only the triangle that `lower` says is read. `trans`: 0 or "N" for a x = b, 1 or "T" for
    a^T x = b. `unit_diagonal`: the diagonal counts as ones and is not read. `left=False`, which is
    PyTorch's, solves x a = b. b is a vector if it has one axis.
    """
    if trans not in (0, 1, "N", "T"):
        raise DefinitionError(f"trans must be 0 or 'N', or 1 or 'T', not {trans!r}")
    a, b = _square(a), _float(b)
    is_transposed = trans in (1, "T")
    if not left:
        if b.ndim < 2:
            raise ShapeError("x a = b needs a matrix b", fix="leave left=False out, and set trans")
        b, is_transposed = matrix_transpose(b), not is_transposed
    if is_transposed:
        a, lower = matrix_transpose(a), not lower
    x = _solved(a, b, lambda p, q: linear_algebra.TriangularSolve(p, q, lower, unit_diagonal))
    return x if left else matrix_transpose(x)


@operation
def matrix_power(a: Any, n: int) -> Node:
    """a multiplied with itself n times, by repeated squaring; of the inverse for n < 0."""
    a, n = _square(a), whole_number(n, "n")
    if n == 0:
        identity = Identity(a.shape[-1])
        return spread(identity, dict(enumerate(a.shape[:-2])))
    square = linear_algebra.Inverse(a) if n < 0 else a
    result: Node | None = None
    remaining = abs(n)
    while True:
        remaining, is_odd = divmod(remaining, 2)
        if is_odd:
            result = square if result is None else matmul(result, square)
        if not remaining:
            assert result is not None
            return result
        square = matmul(square, square)


@operation
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = NOT_GIVEN) -> Node:
    """The pseudo-inverse of Moore and Penrose, [..., n, m] for a: [..., m, n].

    Singular values up to `rcond` (or `rtol`) times the largest count as 0; 1e-15 by default, as in
    NumPy. The gradient is that at a constant rank.
    """
    refuse("leave it out", hermitian=hermitian or None)
    if rtol is not NOT_GIVEN:
        if rcond is not None:
            raise DefinitionError("rcond and rtol are two names of one argument", fix="give one")
        rcond = rtol
    if rcond is None:
        return linear_algebra.PseudoInverse(_matrix(a))
    if isinstance(rcond, Node) or not hasattr(rcond, "__float__"):
        raise UnsupportedError(f"rcond must be a number known now, not {rcond!r}")
    return linear_algebra.PseudoInverse(_matrix(a), float(rcond))


@operation
def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix.

    As NumPy, it reads only the lower triangle (the upper one for UPLO="U"). The gradient is the
    symmetric one, along symmetric changes of `a`. That of the eigenvectors exists only where all
    eigenvalues differ: the emitted function raises an error elsewhere. An eigenvector is
    determined up to its sign, so that a loss must not depend on the sign.
    """
    a = _triangle(a, UPLO)
    return EighResult(decompositions.Eigenvalues(a), decompositions.Eigenvectors(a))


@operation
def eigvalsh(a: Any, UPLO: str = "L") -> Node:
    """The eigenvalues of a symmetric matrix, ascending; they have a gradient also where they
    coincide."""
    return decompositions.Eigenvalues(_triangle(a, UPLO))


@operation
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True,
        hermitian: bool = False) -> Any:  # fmt: skip
    """U, S, Vh with a = U diag(S) Vh; only S if `compute_uv` is False.

    A matrix that is not square needs full_matrices=False: the vectors beyond the shorter side are
    not functions of the matrix. The gradients of U and Vh exist only where all singular values
    differ (and, if the matrix is not square, none is 0): the emitted function raises an error
    elsewhere. Singular vectors are determined up to a common sign, on which a loss must not depend.
    """
    refuse("leave it out", hermitian=hermitian or None)
    a = _matrix(a)
    if not compute_uv:
        return decompositions.SingularValues(a)
    if full_matrices and not same(*a.shape[-2:]):
        raise UnsupportedError(
            "all singular vectors of a matrix that is not square are not determined by it",
            facts={"a": shape_text(a.shape)},
            fix="pass full_matrices=False",
        )
    return SVDResult(
        decompositions.LeftSingularVectors(a),
        decompositions.SingularValues(a),
        decompositions.RightSingularVectors(a),
    )


@operation
def svdvals(x: Any, /) -> Node:
    """The singular values, descending; they have a gradient also where they coincide."""
    return decompositions.SingularValues(_matrix(x))


def _float(value: Any) -> Node:
    node = as_node(value)
    return node if node.dtype == FLOAT else elementwise(lambda x: sympy.Float(1) * x, node)


def _matrix(value: Any) -> Node:
    node = _float(value)
    if node.ndim < 2:
        raise ShapeError(
            f"a matrix is expected, not a {'vector' if node.ndim else 'number'}"
        )
    return node


def _square(value: Any) -> Node:
    node = _matrix(value)
    rows, columns = node.shape[-2:]
    if not same(rows, columns):
        raise ShapeError(f"the matrix must be square, and it has {rows} rows, {columns} columns")
    return node


def _triangle(a: Any, which: str) -> Node:
    if which not in ("L", "U", "l", "u"):
        raise DefinitionError(f"UPLO must be 'L' or 'U', not {which!r}")
    return _square(a) if which in "Ll" else matrix_transpose(_square(a))


def _solved(a: Any, b: Any, build: Callable[[Node, Node], Node]) -> Node:
    """The solution by `build`, of a vector b as one column."""
    a, b = _square(a), _float(b)
    if not b.ndim:
        raise ShapeError("b must be a vector or a matrix, not a number")
    size, rows = a.shape[-1], b.shape[-2] if b.ndim > 1 else b.shape[0]
    if not same(size, rows):
        raise ShapeError(
            f"the matrix has {size} rows, and b has {rows}",
            fix="write a batch of vectors as matrices of one column: b[..., None]"
            if 1 < b.ndim < a.ndim
            else None,
        )
    if b.ndim > 1 or a.ndim == 2:
        return build(a, b)
    column = build(a, spread(b, {1: sympy.S.One}))
    axes = list(range(column.ndim))
    return contract(axes[:-1], [(column, axes)])


LINEAR_ALGEBRA: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        cholesky, det, eigh, eigvalsh, inv, logdet, matrix_power, pinv, slogdet, solve,
        solve_triangular, svd, svdvals,
    )
}  # fmt: skip

__all__ = [
    *sorted(LINEAR_ALGEBRA),
    "EighResult",
    "SVDResult",
    "SlogdetResult",
]
