"""What the nodes of linear algebra mean. A matrix without a result gives NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.evaluation.carried import Array, by_differences, change, moving, real
from symgrad.evaluation.sizes import Sizes
from symgrad.expr import decompositions as d
from symgrad.expr import linear_algebra as la

Rule = Callable[[Any, list[Array], Sizes], Array]

# Their operand is taken to be symmetric, and so are its changes.
SYMMETRIC: tuple[type, ...] = (d.Cholesky, d.Eigenvalues, d.Eigenvectors)


def _analytic(function: Callable[..., Array]) -> Rule:
    """A function that NumPy has for complex matrices, too."""

    def computed(node: Any, below: list[Array], sizes: Sizes) -> Array:
        try:
            return function(node, *below)
        except np.linalg.LinAlgError:
            return np.full(sizes.shape(node.shape), np.nan)

    return computed


def _by_differences(function: Callable[..., Array]) -> Rule:
    """A function of real matrices only."""

    def computed(node: Any, below: list[Array], sizes: Sizes) -> Array:
        try:
            return by_differences(lambda *arrays: function(node, *arrays), below, False)
        except np.linalg.LinAlgError:
            return np.full(sizes.shape(node.shape), np.nan)

    return computed


def _triangular(node: Any, a: Array, b: Array) -> Array:
    first = -1 if node.unit else 0
    kept = np.tril(a, first) if node.lower else np.triu(a, -first)
    return np.linalg.solve(kept + np.eye(a.shape[-1]) if node.unit else kept, b)


def cofactors(node: Any, a: Array) -> Array:
    """By minors, one at a time: of singular matrices, too."""
    count = a.shape[-1]
    result = np.empty(a.shape, np.result_type(a, float))
    for i in range(count):
        for j in range(count):
            minor = np.delete(np.delete(a, i, -2), j, -1)
            result[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return result


def _change_of_cofactors(node: Any, a: Array, h: Array) -> Array:
    """How they change along h."""
    return change(cofactors(node, moving(a, h)))


def _symmetric_cholesky(node: Any, a: Array) -> Array:
    return np.linalg.cholesky(_mirrored(a))


def _mirrored(a: Array) -> Array:
    """The symmetric matrix whose lower triangle is that of `a`."""
    return np.tril(a) + np.swapaxes(np.tril(a, -1), -1, -2)


def _gaps(node: Any, w: Array) -> Array:
    diagonal = np.eye(w.shape[-1])
    return (1 - diagonal) / (w[..., None, :] - w[..., :, None] + diagonal)


def _vectors(part: Callable[[Array], Array], axis: int) -> Rule:
    """Vectors along `axis`, whose signs are those that they have where they do not change."""

    def computed(node: Any, below: list[Array], sizes: Sizes) -> Array:
        try:
            base = part(real(below[0]))

            def like_base(a: Array) -> Array:
                found = part(a)
                return found * np.where(np.sum(found * base, axis, keepdims=True) < 0, -1, 1)

            return by_differences(like_base, below, False)
        except np.linalg.LinAlgError:
            return np.full(sizes.shape(node.shape), np.nan)

    return computed


def _svd(a: Array) -> Any:
    return np.linalg.svd(a, full_matrices=False)


def _pseudo_inverse(node: Any, a: Array) -> Array:
    return np.linalg.pinv(a, **({} if node.cutoff is None else {"rcond": node.cutoff}))


MATRIX_RULES: dict[type, Rule] = {
    la.Solve: _analytic(lambda node, a, b: np.linalg.solve(a, b)),
    la.TriangularSolve: _analytic(_triangular),
    la.Inverse: _analytic(lambda node, a: np.linalg.inv(a)),
    la.Determinant: _analytic(lambda node, a: np.linalg.det(a)),
    la.SignDeterminant: _analytic(lambda node, a: np.linalg.slogdet(real(a))[0]),
    la.LogAbsDeterminant: _by_differences(lambda node, a: np.linalg.slogdet(a)[1]),
    la.Cofactor: _analytic(cofactors),
    la.SecondCofactor: _by_differences(_change_of_cofactors),
    la.PseudoInverse: _by_differences(_pseudo_inverse),
    d.Cholesky: _by_differences(_symmetric_cholesky),
    d.Eigenvalues: _by_differences(lambda node, a: np.linalg.eigh(a)[0]),
    d.Eigenvectors: _vectors(lambda a: np.linalg.eigh(a)[1], -2),
    d.LeftSingularVectors: _vectors(lambda a: _svd(a)[0], -2),
    d.SingularValues: _by_differences(lambda node, a: _svd(a)[1]),
    d.RightSingularVectors: _vectors(lambda a: _svd(a)[2], -1),
    d.ReciprocalGaps: _analytic(_gaps),
}
