"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, spread
from symgrad.expr.dimension import as_dimension, normalise_axis, same, shape_text
from symgrad.expr.leaf import Arange, Identity
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise
from symgrad.expr.reindex import Embed, Slice
from symgrad.model.operations.operation import operation, refuse, whole_number


@operation
def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Node:
    """The identity matrix of size `N`, which may be a symbolic size."""
    refuse("only the square matrix with ones on its main diagonal is offered", M=M, k=k or None)
    refuse(dtype=dtype)
    return Identity(as_dimension(N))


@operation
def diag(v: Any, k: int = 0) -> Node:
    """The k-th diagonal of a matrix; of a vector, the matrix that has it there."""
    v, k = as_node(v), whole_number(k, "k")
    if v.ndim == 2:
        return _diagonal(v, k, 0, 1, keep=True)
    if v.ndim != 1:
        raise ShapeError(f"a vector or a matrix is expected, not {v.ndim} axes")
    (size,) = v.shape
    square = contract([0, 1], [(v, [0]), (Identity(size), [0, 1])])
    if not k:
        return square
    whole = size + abs(k)
    return Embed(square, [(max(-k, 0), whole, 1), (max(k, 0), whole, 1)])


@operation
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """The diagonals over the axes `axis1`, `axis2`, along a new last axis."""
    return _diagonal(as_node(a), offset, axis1, axis2, keep=True)


@operation
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None,
          out: Any = None) -> Node:  # fmt: skip
    """The sum of each diagonal over the axes `axis1`, `axis2`."""
    refuse(dtype=dtype, out=out)
    return _diagonal(as_node(a), offset, axis1, axis2, keep=False)


def _diagonal(a: Node, offset: int, axis1: int, axis2: int, keep: bool) -> Node:
    offset = whole_number(offset, "offset")
    if a.ndim < 2:
        raise ShapeError(f"a diagonal needs at least two axes, not {a.ndim}")
    rows, columns = normalise_axis(axis1, a.ndim), normalise_axis(axis2, a.ndim)
    if rows == columns:
        raise ShapeError("axis1 and axis2 are the same axis")
    first_row, first_column = max(-offset, 0), max(offset, 0)
    height, width = a.shape[rows] - first_row, a.shape[columns] - first_column
    excess = sympy.expand(height - width)
    if excess.is_nonnegative or excess.is_nonpositive:
        length = width if excess.is_nonnegative else height
    else:
        raise UnsupportedError(
            f"the length of the diagonal is the smaller of {height} and {width}, "
            "which is not known now"
        )
    if length.is_negative:
        length = sympy.S.Zero
    box = [(sympy.S.Zero, size, 1) for size in a.shape]
    box[rows], box[columns] = (first_row, length, 1), (first_column, length, 1)
    square = a if same(a.shape[rows], length) and same(a.shape[columns], length) else Slice(a, box)
    labels = [columns if i == rows else i for i in range(a.ndim)]
    kept = [i for i in range(a.ndim) if i not in (rows, columns)]
    return contract([*kept, columns] if keep else kept, [(square, labels)])


@operation
def tril(m: Any, k: int = 0) -> Node:
    """The entries on and below the k-th diagonal; 0 above it."""
    return _triangle(as_node(m), lambda i, j: f.less_equal(j - i, whole_number(k, "k")))


@operation
def triu(m: Any, k: int = 0) -> Node:
    """The entries on and above the k-th diagonal; 0 below it."""
    return _triangle(as_node(m), lambda i, j: f.less_equal(whole_number(k, "k"), j - i))


def _triangle(m: Node, kept: Any) -> Node:
    if m.ndim < 2:
        raise ShapeError(f"a matrix is expected, not a tensor of shape {shape_text(m.shape)}")
    rows = spread(Arange(m.shape[-2]), {1: sympy.S.One})
    columns = Arange(m.shape[-1])
    return elementwise(lambda x, i, j: f.where(kept(i, j), x, 0), m, rows, columns)
