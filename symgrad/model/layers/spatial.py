"""What convolutions, pooling and padding share: sizes per spatial axis, images with or without a
batch, windows along several axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.dimension import shape_text
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Reshape
from symgrad.expr.window import Windows

AXES = {1: "length", 2: "height, width", 3: "depth, height, width"}
Places = list[tuple[Any, Any, Any]]


def named(rank: int, stem: str, doc: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a function of `rank` spatial axes its name, `stem` with the rank, and its docstring."""

    def rename(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__name__ = function.__qualname__ = f"{stem}{rank}d"
        function.__doc__ = doc
        return function

    return rename


def per_axis(value: Any, rank: int, what: str, least: int | None = None) -> tuple[int, ...]:
    """`value` as one whole number for each of `rank` axes: given once, or once for each.

    Raises: DefinitionError if it is neither, or if a number is below `least`.
    """
    given = list(value) if isinstance(value, tuple | list) else [value]
    if len(given) == 1:
        given = given * rank
    is_whole = all(hasattr(v, "__index__") and not isinstance(v, bool) for v in given)
    if len(given) != rank or not is_whole:
        each = f" or a tuple of {rank}" if rank > 1 else ""
        raise DefinitionError(
            f"{what} must be a whole number{each}, not {value!r}", where=user_location()
        )
    numbers = tuple(int(v) for v in given)
    if least is not None and min(numbers) < least:
        raise DefinitionError(
            f"{what} must be at least {least}, not {value!r}", where=user_location()
        )
    return numbers


def per_axis_or(value: Any, default: Any, rank: int, what: str, least: int) -> tuple[int, ...]:
    """`per_axis` of `value`, or of `default` where nothing was given (PyTorch: None or [])."""
    is_missing = value is None or (isinstance(value, tuple | list) and not value)
    return per_axis(default if is_missing else value, rank, what, least)


def image(input: Any, rank: int) -> Node:
    """`input` as [n, channels, *spatial] or [channels, *spatial]. Raises: ShapeError."""
    x = as_node(input)
    if x.ndim not in (rank + 1, rank + 2):
        raise ShapeError(
            f"the input must be [n, channels, {AXES[rank]}], or the same without n",
            facts={"input": shape_text(x.shape)},
        )
    return x


def batched(function: Callable[[Node], Node], x: Node, rank: int) -> Node:
    """`function` of `x`, which is given a batch axis of size 1 where it has none."""
    if x.ndim == rank + 2:
        return function(x)
    result = function(Reshape(x, (sympy.S.One, *x.shape)))
    return Reshape(result, result.shape[1:])


def windowed(
    x: Node, axes: Sequence[int], sizes: Sequence[int], strides: Sequence[int],
    dilations: Sequence[int],
) -> Node:  # fmt: skip
    """`x` with two axes, window and place in it, for each of `axes` (ascending)."""
    for axis, *steps in reversed(list(zip(axes, sizes, strides, dilations, strict=True))):
        refuse_too_short(x, axis, *steps)
        x = Windows(x, axis, *steps)
    return x


def refuse_too_short(x: Node, axis: int, size: int, stride: int, dilation: int) -> None:
    """Raises: ShapeError if no window fits into an axis whose size is known."""
    reach = dilation * (size - 1) + 1
    if (x.shape[axis] - reach).is_negative:
        raise ShapeError(
            f"a window that reaches over {reach} entries does not fit into axis {axis}, "
            f"which has {x.shape[axis]} with its padding"
        )


def box_along(x: Node, axis: int, entry: tuple[Any, Any, Any]) -> Places:
    """The box that takes all of `x`, and `entry` (start, length or size, step) on one axis."""
    box: Places = [(sympy.S.Zero, size, 1) for size in x.shape]
    box[axis] = entry
    return box
