"""Entries moved along axes, and margins around them: flip, roll, pad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.dimension import normalise_axis
from symgrad.expr.leaf import Arange, Constant
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.expr.reindex import Concat, Embed, Reshape, Slice, Take
from symgrad.model.operations.operation import (
    axes_of,
    flattened,
    operation,
    refuse,
    whole_number,
)
from symgrad.model.operations.shaping import stretched


@operation
def flip(m: Any, axis: Any = None) -> Node:
    """The entries in reverse order along `axis` (all axes where None)."""
    m = as_node(m)
    turned = axes_of(axis, m.ndim)
    box = [(size - 1, size, -1) if i in turned else (0, size, 1) for i, size in enumerate(m.shape)]
    return Slice(m, box) if turned else m


@operation
def roll(a: Any, shift: Any, axis: Any = None) -> Node:
    """The entries moved by `shift` along `axis`; what leaves at one end enters at the other."""
    a = as_node(a)
    if axis is None:
        if not hasattr(shift, "__index__"):
            raise DefinitionError("shift must be one whole number where axis is None")
        rolled = _rolled(flattened(a), shift, 0)
        return rolled if a.ndim == 1 else Reshape(rolled, a.shape)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    shifts = shift if isinstance(shift, tuple | list) else (shift,) * len(axes)
    if len(shifts) != len(axes):
        raise ShapeError(f"{len(shifts)} shifts for {len(axes)} axes")
    for by, along in zip(shifts, axes, strict=True):
        a = _rolled(a, by, normalise_axis(along, a.ndim))
    return a


def _rolled(a: Node, shift: Any, axis: int) -> Node:
    size, by = a.shape[axis], whole_number(shift, "shift")
    if not size.is_Integer:  # how often the shift goes round is not known now
        return Take(a, elementwise(lambda i: f.mod(i - by, size), Arange(size)), axis)
    by = by % int(size) if size else 0
    if not by:
        return a
    return Concat(axis, _part(a, axis, size - by, by), _part(a, axis, 0, size - by))


def _part(a: Node, axis: int, start: Any, length: Any) -> Node:
    box: list[Any] = [(0, size, 1) for size in a.shape]
    box[axis] = (start, length, 1)
    return Slice(a, box)


# Which entry of an axis of n stands at place i, counted from the first entry, by mode.
Place = Callable[[Any, Any], Any]


def _mirrored(i: Any, n: Any) -> Any:
    """Reflection about the middle of the edge entries: period 2 (n - 1)."""
    if n == 1:
        return 0 * i
    period = 2 * (n - 1)
    return f.minimum(f.mod(i, period), f.mod(-i, period))


def _symmetric(i: Any, n: Any) -> Any:
    """Reflection about the edge itself: period 2n."""
    return f.minimum(f.mod(i, 2 * n), f.mod(-i - 1, 2 * n))


PLACES: dict[str, Place] = {
    "edge": lambda i, n: f.clip(i, 0, n - 1),
    "reflect": _mirrored,
    "symmetric": _symmetric,
    "wrap": f.mod,
}


@operation
def pad(array: Any, pad_width: Any, mode: str = "constant", **arguments: Any) -> Node:
    """`array` with margins of `pad_width` entries: one number, (before, after), or one per axis.

    mode: "constant" (`constant_values`, 0 by default), "edge", "reflect", "symmetric", "wrap".
    """
    array = as_node(array)
    constants = arguments.pop("constant_values", None)
    if arguments.get("reflect_type") == "even":
        del arguments["reflect_type"]
    refuse(**arguments)
    margins = _pairs(pad_width, array.ndim, "pad_width")
    if any(width < 0 for pair in margins for width in pair):
        raise ShapeError(f"a margin cannot be negative: {pad_width!r}")
    if mode == "constant":
        return _pad_constant(array, margins, 0 if constants is None else constants)
    refuse(f"it belongs to mode='constant', not {mode!r}", constant_values=constants)
    if not isinstance(mode, str) or mode not in PLACES:
        raise UnsupportedError(
            f"the mode {mode!r} is not supported", fix=f"use constant, {', '.join(PLACES)}"
        )
    for axis, (before, after) in enumerate(margins):
        if before or after:
            array = _pad_by_index(array, axis, before, after, PLACES[mode])
    return array


def _pad_by_index(a: Node, axis: int, before: int, after: int, place: Place) -> Node:
    size = a.shape[axis]
    if size == 0:
        raise ShapeError(f"axis {axis} has no entries to fill its margins with")
    positions = Arange(size + before + after)
    return Take(a, elementwise(lambda i: place(i - before, size), positions), axis)


def _pad_constant(a: Node, margins: list[Any], constants: Any) -> Node:
    values = _pairs(constants, a.ndim, "constant_values", convert=number)
    if all(value == 0 for pair in values for value in pair):
        if not any(width for pair in margins for width in pair):
            return a
        return Embed(a, [(lo, size + lo + hi, 1)
                         for (lo, hi), size in zip(margins, a.shape, strict=True)])  # fmt: skip
    for axis, (widths, (low, high)) in enumerate(zip(margins, values, strict=True)):
        rest = a.shape
        before, after = (
            stretched(_filling(a, value), (*rest[:axis], sympy.Integer(width), *rest[axis + 1 :]))
            for value, width in zip((low, high), widths, strict=True)
        )
        parts = [part for part in (before, a, after) if part.shape[axis] != 0 or part is a]
        a = Concat(axis, *parts) if len(parts) > 1 else a
    return a


def _filling(a: Node, value: sympy.Expr) -> Node:
    if a.dtype != FLOAT and not value.is_Integer:
        raise UnsupportedError(f"NumPy would round the filling {value} of a tensor of {a.dtype}")
    return Constant(
        value if a.dtype != FLOAT else sympy.Float(value) if value.is_Integer else value
    )


def _pairs(given: Any, rank: int, what: str, convert: Callable[[Any], Any] | None = None) -> Any:
    """NumPy's short forms of one (before, after) pair for each axis, written out."""
    whole = convert or (lambda value: whole_number(value, what))
    if hasattr(given, "tolist"):
        given = given.tolist()
    if isinstance(given, dict):
        pairs = [(0, 0)] * rank
        for axis, entry in given.items():
            pairs[normalise_axis(axis, rank)] = _pairs(entry, 1, what, convert)[0]
        return pairs
    if not isinstance(given, tuple | list):
        return [(whole(given), whole(given))] * rank
    entries = [_pair(entry, whole) if isinstance(entry, tuple | list) else entry for entry in given]
    if all(isinstance(entry, tuple) for entry in entries) and len(entries) in (1, rank):
        return entries * rank if len(entries) == 1 else entries
    if len(entries) in (1, 2) and not any(isinstance(entry, tuple) for entry in entries):
        return [_pair(entries, whole)] * rank
    raise ShapeError(f"{what} {given!r} does not fit a tensor of {rank} axes")


def _pair(entry: Any, whole: Callable[[Any], Any]) -> tuple[Any, Any]:
    if len(entry) not in (1, 2):
        raise ShapeError(f"{entry!r} is not a pair (before, after)")
    return whole(entry[0]), whole(entry[-1])
