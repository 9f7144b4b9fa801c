"""What the nodes of linear algebra mean, for the interpreter of the tests and for JAX.

A matrix for which a function is not defined gives NaN, which agrees with nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.expr import decompositions, linear_algebra

Array = Any


def _or_nan(function: Callable[[Any, list[Array]], Array]) -> Callable[..., Array]:
    def computed(node: Any, below: list[Array], sizes: Any) -> Array:
        try:
            return function(node, below)
        except np.linalg.LinAlgError:
            given = {str(s): n for x, b in zip(node.operands, below, strict=True)
                     for s, n in zip(x.shape, b.shape, strict=True)}  # fmt: skip
            return np.full([given.get(str(size), size) for size in node.shape], np.nan)

    return computed


def _triangular(node: Any, below: list[Array]) -> Array:
    a, b = below
    kept = (np.tril if node.lower else np.triu)(a, (-1 if node.lower else 1) if node.unit else 0)
    return np.linalg.solve(kept + np.eye(a.shape[-1]) if node.unit else kept, b)


def cofactors(a: Array) -> Array:
    """By minors, one at a time; also of complex matrices."""
    count = a.shape[-1]
    result = np.empty(a.shape, np.result_type(a, float))
    for i in range(count):
        for j in range(count):
            minor = np.delete(np.delete(a, i, -2), j, -1)
            result[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return result


def change_of_cofactors(a: Array, h: Array) -> Array:
    """The slope of a polynomial by a complex step, which loses nothing."""
    return cofactors(a + 1e-30j * h).imag / 1e-30


def reciprocal_gaps(w: Array) -> Array:
    count = w.shape[-1]
    result = np.zeros((*w.shape, count))
    for i in range(count):
        for j in range(count):
            if i != j:
                result[..., i, j] = 1 / (w[..., j] - w[..., i])
    return result


def _svd(part: int) -> Callable[..., Array]:
    return lambda node, below: np.linalg.svd(below[0], full_matrices=False)[part]


NUMPY: dict[type, Callable[..., Any]] = {
    node_class: _or_nan(function)
    for node_class, function in {
        linear_algebra.Solve: lambda node, below: np.linalg.solve(*below),
        linear_algebra.TriangularSolve: _triangular,
        linear_algebra.Inverse: lambda node, below: np.linalg.inv(below[0]),
        linear_algebra.Determinant: lambda node, below: np.linalg.det(below[0]),
        linear_algebra.SignDeterminant: lambda node, below: np.linalg.slogdet(below[0])[0],
        linear_algebra.LogAbsDeterminant: lambda node, below: np.linalg.slogdet(below[0])[1],
        linear_algebra.Cofactor: lambda node, below: cofactors(below[0]),
        linear_algebra.SecondCofactor: lambda node, below: change_of_cofactors(*below),
        linear_algebra.PseudoInverse: lambda node, below: np.linalg.pinv(
            below[0], **({} if node.cutoff is None else {"rcond": node.cutoff})
        ),
        decompositions.Cholesky: lambda node, below: np.linalg.cholesky(below[0]),
        decompositions.Eigenvalues: lambda node, below: np.linalg.eigh(below[0])[0],
        decompositions.Eigenvectors: lambda node, below: np.linalg.eigh(below[0])[1],
        decompositions.LeftSingularVectors: _svd(0),
        decompositions.SingularValues: _svd(1),
        decompositions.RightSingularVectors: _svd(2),
        decompositions.ReciprocalGaps: lambda node, below: reciprocal_gaps(below[0]),
    }.items()
}


def jax_rules(jax: Any) -> dict[type, Callable[..., Any]]:
    """The same by JAX's functions."""
    jnp, scipy = jax.numpy, jax.scipy.linalg

    def triangular(node: Any, below: list[Any]) -> Any:
        a, b = below
        batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return scipy.solve_triangular(
            jnp.broadcast_to(a, (*batch, *a.shape[-2:])),
            jnp.broadcast_to(b, (*batch, *b.shape[-2:])),
            lower=node.lower,
            unit_diagonal=node.unit,
        )

    def gaps(node: Any, below: list[Any]) -> Any:
        (w,) = below
        eye = jnp.eye(w.shape[-1])
        return (1 - eye) / (w[..., None, :] - w[..., :, None] + eye)

    def cofactor(a: Any) -> Any:
        return jax.grad(lambda x: jnp.linalg.det(x).sum())(a)

    def svd(part: int) -> Callable[..., Any]:
        return lambda node, below: jnp.linalg.svd(below[0], full_matrices=False)[part]

    def of_something(node_class: type, function: Callable[..., Any]) -> Callable[..., Any]:
        """JAX does not differentiate every function of matrices without entries."""

        def computed(node: Any, below: list[Any]) -> Any:
            if all(x.size for x in below):
                return function(node, below)
            return jnp.asarray(NUMPY[node_class](node, [np.zeros(x.shape) for x in below], {}))

        return computed

    rules: dict[type, Callable[..., Any]] = {
        linear_algebra.Solve: lambda node, below: jnp.linalg.solve(*below),
        linear_algebra.TriangularSolve: triangular,
        linear_algebra.Inverse: lambda node, below: jnp.linalg.inv(below[0]),
        linear_algebra.Determinant: lambda node, below: jnp.linalg.det(below[0]),
        linear_algebra.SignDeterminant: lambda node, below: jnp.linalg.slogdet(below[0])[0],
        linear_algebra.LogAbsDeterminant: lambda node, below: jnp.linalg.slogdet(below[0])[1],
        linear_algebra.Cofactor: lambda node, below: cofactor(below[0]),
        linear_algebra.SecondCofactor: lambda node, below: jax.jvp(
            cofactor, (jnp.broadcast_to(below[0], below[1].shape),), (below[1],)
        )[1],
        linear_algebra.PseudoInverse: lambda node, below: jnp.linalg.pinv(below[0]),
        decompositions.Cholesky: lambda node, below: jnp.linalg.cholesky(below[0]),
        decompositions.Eigenvalues: lambda node, below: jnp.linalg.eigh(below[0])[0],
        decompositions.Eigenvectors: lambda node, below: jnp.linalg.eigh(below[0])[1],
        decompositions.LeftSingularVectors: svd(0),
        decompositions.SingularValues: svd(1),
        decompositions.RightSingularVectors: svd(2),
        decompositions.ReciprocalGaps: gaps,
    }
    return {node_class: of_something(node_class, rule) for node_class, rule in rules.items()}
