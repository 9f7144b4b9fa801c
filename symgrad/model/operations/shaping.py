"""The same entries under another shape: reshape, transposes, axes added, dropped, stretched."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import contraction
from symgrad.expr.dimension import (
    Shape,
    as_dimension,
    as_shape,
    broadcast,
    normalise_axis,
    product,
    same_shape,
    shape_text,
)
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Reshape
from symgrad.model.operations.operation import axes_of, flattened, operation, refuse


@operation
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: Any = None) -> Node:
    """The entries of `a` in C order under `shape`; one size may be -1: what the others leave."""
    refuse(copy=copy)
    if order != "C":
        raise UnsupportedError(f"the argument order={order!r} is not supported; only 'C' is")
    a = as_node(a)
    sizes = with_the_rest(product(a.shape), shape, shape_text(a.shape))
    return a if same_shape(a.shape, sizes) else Reshape(a, sizes)


def with_the_rest(whole: sympy.Expr, shape: Any, parted: str | None = None) -> Shape:
    """`shape` with the size that makes it hold `whole` entries in the place of -1."""
    sizes = list(shape) if isinstance(shape, tuple | list) else [shape]
    unknown = [i for i, size in enumerate(sizes) if size == -1]
    if not unknown:
        return as_shape(tuple(sizes))
    if len(unknown) > 1:
        raise ShapeError(f"only one size can be -1 in {tuple(sizes)}")
    (at,) = unknown
    others = product(as_dimension(size) for i, size in enumerate(sizes) if i != at)
    rest = sympy.cancel(whole / others) if others != 0 else sympy.nan
    if rest is sympy.nan or not rest.is_polynomial() or not rest.is_integer:
        raise ShapeError(
            f"cannot tell the size -1 of {tuple(sizes)}: {whole} entries over {others}",
            facts=None if parted is None else {"a": parted},
        )
    return as_shape((*sizes[:at], rest, *sizes[at + 1 :]))


@operation
def ravel(a: Any, order: str = "C") -> Node:
    """All entries in C order along one axis."""
    if order != "C":
        raise UnsupportedError(f"the argument order={order!r} is not supported; only 'C' is")
    return flattened(as_node(a))


@operation
def transpose(a: Any, axes: Any = None) -> Node:
    """`a` with its axes permuted; reversed where `axes` is None."""
    return _transpose(as_node(a), axes)


@operation
def permute_dims(a: Any, axes: Any = None) -> Node:
    """`transpose` under its name in the array API."""
    return _transpose(as_node(a), axes)


def _transpose(a: Node, axes: Any) -> Node:
    if axes is None:
        return contraction.transpose(a)
    order = axes_of(axes, a.ndim)
    if len(order) != a.ndim:
        raise ShapeError(f"{len(order)} axes are given for a tensor of {a.ndim}")
    return contraction.transpose(a, order)


@operation
def swapaxes(a: Any, axis1: int, axis2: int) -> Node:
    """`a` with two axes interchanged."""
    a = as_node(a)
    first, second = normalise_axis(axis1, a.ndim), normalise_axis(axis2, a.ndim)
    order = list(range(a.ndim))
    order[first], order[second] = second, first
    return contraction.transpose(a, order)


@operation
def moveaxis(a: Any, source: Any, destination: Any) -> Node:
    """`a` with axes moved to new positions; the others keep their order."""
    a = as_node(a)
    start, end = _some(source, a.ndim), _some(destination, a.ndim)
    if len(start) != len(end):
        raise ShapeError(f"{len(start)} axes cannot move to {len(end)} places")
    order = [i for i in range(a.ndim) if i not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return contraction.transpose(a, order)


def _some(axis: Any, rank: int) -> tuple[int, ...]:
    if axis is None:
        raise DefinitionError("axis must be a whole number or a tuple of them, not None")
    return axes_of(axis, rank)


@operation
def expand_dims(a: Any, axis: Any) -> Node:
    """`a` with new axes of size 1 at the places `axis` of the result."""
    a = as_node(a)
    count = len(axis) if isinstance(axis, tuple | list) else 1
    axes = _some(axis, a.ndim + count)
    return contraction.spread(a, dict.fromkeys(sorted(axes), sympy.S.One))


@operation
def squeeze(a: Any, axis: Any = None) -> Node:
    """`a` without its axes of size 1, or without those named, whose size must be 1."""
    a = as_node(a)
    ones = tuple(i for i, size in enumerate(a.shape) if size == 1)
    axes = ones if axis is None else axes_of(axis, a.ndim)
    for i in axes:
        if i not in ones:
            raise ShapeError(f"axis {i} has size {a.shape[i]}, not 1")
    return Reshape(a, tuple(s for i, s in enumerate(a.shape) if i not in axes)) if axes else a


@operation
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Node:
    """`array` stretched to `shape` by NumPy's rules."""
    refuse(subok=subok or None)
    array = as_node(array)
    return stretched(array, as_shape(shape))


def stretched(a: Node, shape: Shape) -> Node:
    """`a` broadcast to `shape`. Raises: ShapeError if it does not stretch to it."""
    if len(shape) < a.ndim or not same_shape(broadcast([a.shape, shape]), shape):
        raise ShapeError(f"{shape_text(a.shape)} does not broadcast to {shape_text(shape)}")
    if same_shape(a.shape, shape):
        return a
    rank = len(shape)
    labels = [
        rank + axis if size == 1 and shape[axis] != 1 else axis
        for axis, size in enumerate(a.shape, start=rank - a.ndim)
    ]
    return contraction.contract(range(rank), [(a, labels)], sizes=dict(enumerate(shape)))
