"""Entries chosen by whole-number indices."""

from __future__ import annotations

from typing import Any

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.expr.dimension import broadcast, normalise_axis
from symgrad.expr.indexing import getitem
from symgrad.expr.leaf import Table
from symgrad.expr.node import INT, Node
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Take, TakeAlong
from symgrad.model.operations.operation import flattened, operation, refuse
from symgrad.model.operations.shaping import stretched


@operation
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Node:
    """The slices of `a` at `indices` along `axis` (entries of the flattened tensor where None)."""
    refuse(out=out)
    if mode != "raise":
        raise UnsupportedError(f"the argument mode={mode!r} is not supported; only 'raise' is")
    a = as_node(a)
    if axis is None:
        a, axis = flattened(a), 0
    at = normalise_axis(axis, a.ndim)
    if hasattr(indices, "__index__"):
        return getitem(a, (*(slice(None),) * at, indices))
    return Take(a, _whole_numbers(indices, a, at), at)


@operation
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Node:
    """One entry of `arr` along `axis` per entry of `indices`; the other axes are broadcast."""
    a, at = as_node(arr), axis
    if axis is None:
        a, at = flattened(a), 0
    at = normalise_axis(at, a.ndim)
    chosen = _whole_numbers(indices, a, at)
    if chosen.ndim != a.ndim:
        raise ShapeError(f"indices have {chosen.ndim} axes, but arr has {a.ndim}")
    rest = broadcast(
        [(*node.shape[:at], node.shape[at] ** 0, *node.shape[at + 1 :]) for node in (a, chosen)]
    )
    a, chosen = (
        stretched(node, (*rest[:at], node.shape[at], *rest[at + 1 :])) for node in (a, chosen)
    )
    return TakeAlong(a, chosen, at)


def _whole_numbers(indices: Any, a: Node, axis: int) -> Node:
    """Integer indices; those that are known now must exist."""
    node = as_node(indices)
    if node.dtype != INT:
        raise ShapeError(f"indices must be whole numbers, not {node.dtype}")
    size = a.shape[axis]
    if isinstance(node, Table) and size.is_Integer:
        for value in node.values:
            if not -size <= value < size:
                raise ShapeError(f"index {value} does not exist on axis {axis} of size {size}")
    return node
