"""Tensors put together, cut apart and repeated."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr.contraction import spread
from symgrad.expr.dimension import normalise_axis, same_shape, shape_text
from symgrad.expr.indexing import getitem
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Concat, Reshape
from symgrad.model.operations.operation import flattened, operation, refuse, whole_number

MOST_PARTS = 4096


def _tensors(arrays: Any) -> list[Node]:
    if isinstance(arrays, Node) or not isinstance(arrays, tuple | list) or not arrays:
        raise DefinitionError("a list or tuple of at least one tensor is expected")
    return [as_node(array) for array in arrays]


@operation
def concat(arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None,
           casting: Any = None) -> Node:  # fmt: skip
    """The tensors one after the other along `axis`; flattened first where `axis` is None."""
    refuse(out=out, dtype=dtype, casting=casting)
    nodes = _tensors(arrays)
    if axis is None:
        nodes, axis = [flattened(node) for node in nodes], 0
    if any(node.ndim != nodes[0].ndim for node in nodes):
        raise ShapeError("tensors with different numbers of axes cannot be joined")
    if not nodes[0].ndim:
        raise ShapeError("tensors without an axis cannot be joined; use stack")
    return Concat(normalise_axis(axis, nodes[0].ndim), *nodes)


@operation
def concatenate(arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None,
                casting: Any = None) -> Node:  # fmt: skip
    """`concat` under its older name."""
    return concat(arrays, axis, out, dtype=dtype, casting=casting)


@operation
def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None,
          casting: Any = None) -> Node:  # fmt: skip
    """Tensors of one shape along a new axis, which is `axis` of the result."""
    refuse(out=out, dtype=dtype, casting=casting)
    nodes = _tensors(arrays)
    for node in nodes[1:]:
        if not same_shape(node.shape, nodes[0].shape):
            raise ShapeError(
                f"tensors of shapes {shape_text(nodes[0].shape)} and {shape_text(node.shape)} "
                "cannot be stacked"
            )
    at = normalise_axis(axis, nodes[0].ndim + 1)
    return Concat(at, *(spread(node, {at: sympy.S.One}) for node in nodes))


@operation
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Node]:
    """`ary` cut along `axis` into that many equal parts, or before each of the given positions."""
    a = as_node(ary)
    at = normalise_axis(axis, a.ndim)
    size = a.shape[at]
    if isinstance(indices_or_sections, tuple | list):
        bounds: list[Any] = [None, *indices_or_sections, None]
    else:
        count = whole_number(indices_or_sections, "the number of sections")
        if not 0 < count <= MOST_PARTS:
            raise ShapeError(f"cannot cut into {count} parts; from 1 to {MOST_PARTS} are possible")
        width = size / count
        if not width.is_integer:
            raise ShapeError(f"axis {at} of size {size} does not divide into {count} equal parts")
        bounds = [i * width for i in range(count + 1)]
    before = (slice(None),) * at
    return [getitem(a, (*before, slice(lo, hi))) for lo, hi in pairwise(bounds)]


@operation
def repeat(a: Any, repeats: Any, axis: Any = None) -> Node:
    """Each entry of `axis` (of the flattened tensor where None) `repeats` times in a row."""
    a = as_node(a)
    if not hasattr(repeats, "__index__") and not isinstance(repeats, sympy.Expr):
        raise UnsupportedError("repeats must be one whole number; a list of them is not supported")
    if axis is None:
        a, axis = flattened(a), 0
    at = normalise_axis(axis, a.ndim)
    count = sympy.sympify(repeats)
    wide = spread(a, {at + 1: count})
    return Reshape(wide, (*a.shape[:at], a.shape[at] * count, *a.shape[at + 1 :]))


@operation
def tile(A: Any, reps: Any) -> Node:
    """`A` as a block, repeated `reps` times along each axis (aligned at the right)."""
    a = as_node(A)
    counts = list(reps) if isinstance(reps, tuple | list) else [reps]
    if any(not hasattr(c, "__index__") and not isinstance(c, sympy.Expr) for c in counts):
        raise DefinitionError(f"reps must be whole numbers, not {reps!r}")
    counts = [1] * (a.ndim - len(counts)) + counts
    shape = (sympy.S.One,) * (len(counts) - a.ndim) + a.shape
    blocks = Reshape(a, shape) if len(shape) != a.ndim else a
    wide = spread(blocks, {2 * i: sympy.sympify(count) for i, count in enumerate(counts)})
    return Reshape(wide, tuple(s * c for s, c in zip(shape, counts, strict=True)))
