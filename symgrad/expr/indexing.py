"""NumPy's indexing with `[...]`: whole numbers, slices, `...`, None and one integer tensor.

Where a size is a symbol, a slice is taken at its word: `x[1:]` of n rows has n - 1, `x[:3]` has 3.
What that asks of n is checked when the emitted module is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr.contraction import transpose
from symgrad.expr.dimension import is_dimension, shape_text
from symgrad.expr.node import INT, Node, user_location
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Reshape, Slice, Take

Entry = tuple[sympy.Expr, sympy.Expr, int]


def getitem(source: Node, key: Any) -> Node:
    """`source[key]`.

    Raises: ShapeError for an index that does not exist; UnsupportedError for boolean masks and
    for several integer tensors.
    """
    keys = _expanded([_as_key(k) for k in (key if isinstance(key, tuple) else (key,))], source)
    box: list[Entry] = []
    shape: list[sympy.Expr] = []
    gather: tuple[int, Node] | None = None
    advanced: list[int] = []  # where NumPy sees an advanced index, if a tensor is among the keys
    for position, k in enumerate(keys):
        if k is None:
            shape.append(sympy.S.One)
            continue
        axis = len(box)
        size = source.shape[axis]
        if isinstance(k, slice):
            box.append(slice_bounds(k, size))
            shape.append(box[-1][1])
            continue
        advanced.append(position)
        if isinstance(k, Node):
            gather = (len(shape), k)
            box.append((sympy.S.Zero, size, 1))
            shape.append(size)
        else:
            box.append((_position(k, size, axis), sympy.S.One, 1))
    whole = [(sympy.S.Zero, size, 1) for size in source.shape]
    result = source if box == whole else Slice(source, box)
    if tuple(shape) != result.shape:
        result = Reshape(result, tuple(shape))
    if gather is None:
        return result
    axis, indices = gather
    result = Take(result, indices, axis)
    if advanced[-1] - advanced[0] == len(advanced) - 1:
        return result
    # indices that are apart put their axes first, as in NumPy
    moved = range(axis, axis + indices.ndim)
    return transpose(result, [*moved, *(i for i in range(result.ndim) if i not in moved)])


def _expanded(keys: list[Any], source: Node) -> list[Any]:
    """The keys with `...` written out, one for each axis of `source` and each None."""
    consumed = sum(1 for k in keys if k is not None and k is not Ellipsis)
    if sum(1 for k in keys if k is Ellipsis) > 1:
        raise ShapeError("an index can hold only one '...'", where=user_location())
    if consumed > source.ndim:
        raise ShapeError(
            f"{consumed} indices for a tensor of {source.ndim} axes, {shape_text(source.shape)}",
            where=user_location(),
        )
    if sum(1 for k in keys if isinstance(k, Node)) > 1:
        raise UnsupportedError(
            "indexing with several integer tensors is not supported",
            where=user_location(),
            fix="use sg.take_along_axis, or index one axis at a time with sg.take",
        )
    fill = [slice(None)] * (source.ndim - consumed)
    at = next((i for i, k in enumerate(keys) if k is Ellipsis), len(keys))
    return keys[:at] + fill + keys[at + 1 :]


def _as_key(k: Any) -> Any:
    if k is None or k is Ellipsis:
        return k
    if isinstance(k, slice):
        return slice(*(None if v is None else _whole(v) for v in (k.start, k.stop, k.step)))
    if isinstance(k, bool) or (isinstance(k, Node) and k.dtype == "bool"):
        raise UnsupportedError(
            "indexing with a boolean mask is not supported: the shape would depend on the data",
            where=user_location(),
            fix="use sg.where(mask, x, 0)",
        )
    if isinstance(k, Node | list | tuple) or getattr(k, "shape", ()) != ():
        node = as_node(k)
        if node.dtype != INT:
            raise ShapeError("an index must be a whole number", where=user_location())
        return node
    return _whole(k)


def _whole(k: Any) -> sympy.Expr:
    if isinstance(k, sympy.Expr) and k.is_integer and is_dimension(k):
        return k
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise ShapeError(f"{k!r} is not an index", where=user_location())
    return sympy.Integer(int(k))


def _position(k: sympy.Expr, size: sympy.Expr, axis: int) -> sympy.Expr:
    position = k + size if k.is_negative else k
    if position.is_negative or (position - size).is_nonnegative:
        raise ShapeError(
            f"index {k} does not exist on axis {axis}, whose size is {size}",
            where=user_location(),
        )
    return position


def slice_bounds(k: slice, size: sympy.Expr) -> Entry:
    """`(start, length, step)` of a slice over an axis of `size`, as NumPy counts.

    Raises: DefinitionError if the step is not a number.
    """
    if k.step is not None and not getattr(k.step, "is_Integer", isinstance(k.step, int)):
        raise DefinitionError(f"the step of a slice is {k.step}, not a number known now",
                              where=user_location())  # fmt: skip
    step = 1 if k.step is None else int(k.step)
    if step == 0:
        raise ShapeError("a slice cannot have step 0", where=user_location())
    if size.is_Integer and all(v is None or _is_number(v) for v in (k.start, k.stop)):
        first, last = (None if v is None else int(v) for v in (k.start, k.stop))
        positions = range(*slice(first, last, step).indices(int(size)))
        return sympy.Integer(positions.start), sympy.Integer(len(positions)), step

    def bound(value: Any, default: sympy.Expr) -> sympy.Expr:
        if value is None:
            return default
        end = sympy.sympify(value)
        return end + size if end.is_negative else end

    forward = step > 0
    start = bound(k.start, sympy.S.Zero if forward else size - 1)
    stop = bound(k.stop, size if forward else sympy.Integer(-1))
    span = sympy.expand((stop - start) if forward else (start - stop))
    if abs(step) != 1:
        span = sympy.ceiling(span / abs(step))
    return start, (sympy.S.Zero if span.is_negative else span), step


def _is_number(value: Any) -> bool:
    return isinstance(value, int) or bool(getattr(value, "is_Integer", False))


def size_requirements(nodes: Iterable[Node]) -> list[tuple[sympy.Expr, str | None]]:
    """What the slices among `nodes` ask of symbolic sizes: expressions >= 0, each with its line.

    `x[3:]` of n rows asks for n - 3 >= 0.
    """
    found: dict[sympy.Expr, str | None] = {}
    for node in nodes:
        if not isinstance(node, Slice):
            continue
        for (start, length, step), size in zip(node.box, node.operands[0].shape, strict=True):
            last = start + (length - 1) * step
            ends = (start, size - 1 - last) if step > 0 else (last, size - 1 - start)
            for asked in (length, *(ends if length != 0 else ())):
                expanded = sympy.expand(asked)
                if expanded.free_symbols and not expanded.is_nonnegative:
                    found.setdefault(expanded, node.location)
    return list(found.items())
