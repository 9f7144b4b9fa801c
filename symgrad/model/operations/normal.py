"""Norms, and what is normalised to sum to one: softmax."""

from __future__ import annotations

import math
from typing import Any

import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr import reduction
from symgrad.expr.contraction import spread, sum_over
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.model.operations.operation import axes_of, merged, operation, restored


@operation
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    """NumPy's linalg.norm: of all entries, of the vectors or of the matrices along `axis`.

    Orders of vectors: None or 2, inf, -inf, 0, 1, any other number; of matrices: None or "fro",
    1, -1, inf, -inf. The gradient of a norm is 0 where the norm is 0, as in PyTorch.
    """
    x = as_node(x)
    axes = axes_of(axis, x.ndim)
    if ord is None:
        if axis is not None and len(axes) > 2:
            raise ShapeError("the norm is that of vectors or matrices: give one axis or two")
        return restored(_euclidean(x, axes), axes, keepdims)
    if len(axes) == 1:
        return restored(_vector_norm(x, axes, ord), axes, keepdims)
    if len(axes) == 2:
        return restored(_matrix_norm(x, axes, ord), axes, keepdims)
    raise ShapeError("a norm with ord is that of vectors or matrices: give one axis or two")


def _euclidean(x: Node, axes: tuple[int, ...]) -> Node:
    return elementwise(f.root, sum_over(elementwise(lambda a: a**2, x), axes))


def _vector_norm(x: Node, axes: tuple[int, ...], ord: Any) -> Node:
    if isinstance(ord, str):
        raise UnsupportedError(f"the order {ord!r} is one of matrices: give two axes")
    if ord == 2:
        return _euclidean(x, axes)
    size = elementwise(f.absolute, x)
    if ord in (math.inf, -math.inf):
        return _extreme(size, axes[0], ord)
    if ord == 0:
        return sum_over(elementwise(lambda a: 1.0 * f.not_equal(a, 0), x), axes)
    if ord == 1:
        return sum_over(size, axes)
    power = number(ord)
    total = sum_over(elementwise(lambda a: a**power, size), axes)
    return elementwise(lambda s: f.where(f.equal(s, 0), 0, s ** (1 / power)), total)


def _matrix_norm(x: Node, axes: tuple[int, ...], ord: Any) -> Node:
    rows, columns = axes
    if ord == "fro":
        return _euclidean(x, axes)
    if ord in (1, -1, math.inf, -math.inf):
        summed, compared = (rows, columns) if ord in (1, -1) else (columns, rows)
        totals = sum_over(elementwise(f.absolute, x), [summed])
        return _extreme(totals, compared - (summed < compared), ord)
    raise UnsupportedError(
        f"the matrix norm of order {ord!r} needs singular values, which are not supported",
        fix='use "fro", 1, -1, inf or -inf',
    )


def _extreme(sizes: Node, axis: int, ord: Any) -> Node:
    if sizes.shape[axis] == 0:
        raise ShapeError("there is no largest or smallest of no entries: an axis has size 0")
    return reduction.Max(sizes, axis) if ord > 0 else reduction.Min(sizes, axis)


@operation
def log_softmax(x: Any, axis: Any = -1) -> Node:
    """`x - logsumexp(x, axis, keepdims=True)`: the logarithm of the softmax."""
    return _log_softmax(as_node(x), axis)


def _log_softmax(x: Node, axis: Any) -> Node:
    return x - _log_total(x, axes_of(axis, x.ndim))


@operation
def softmax(x: Any, axis: Any = -1) -> Node:
    """`exp(x) / sum(exp(x))` over `axis` (an int, a tuple, or None for all), without overflow."""
    x = as_node(x)
    total = _log_total(x, axes_of(axis, x.ndim))
    return elementwise(lambda a, b: sympy.exp(a - b), x, total)


def _log_total(x: Node, axes: tuple[int, ...]) -> Node:
    """logsumexp over `axes`, which stay with size 1."""
    if len(axes) == 1:
        return spread(reduction.LogSumExp(x, axes[0]), {axes[0]: sympy.S.One})
    joined = merged(x, axes)
    return restored(reduction.LogSumExp(joined, joined.ndim - 1), axes, keepdims=True)
