"""Margins around signals, images and volumes: constant, reflected, repeated, wrapped around.

Each is made of slices of the tensor joined to it, so its gradient is slices and additions. A
negative margin crops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr.contraction import contract
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import as_node, number
from symgrad.expr.reindex import Concat, Embed, Slice
from symgrad.model.layers.module import Module
from symgrad.model.layers.spatial import box_along, image, per_axis
from symgrad.model.operations.operation import operation

Margin = tuple[int, int]


@operation
def pad(input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Node:
    """`input` with margins: `pad` is (before, after) of the last axis, then of the one before.

    mode: "constant" (`value`, 0 by default), "reflect", "replicate" or "circular".
    """
    x = as_node(input)
    margins = _pairs(pad, x.ndim)
    if mode == "constant":
        return padded_by_constant(x, margins, 0 if value is None else value)
    if mode not in SIDES:
        raise UnsupportedError(
            f"the mode {mode!r} is not supported", fix="use constant, reflect, replicate, circular"
        )
    if value is not None:
        raise UnsupportedError(f"value belongs to mode='constant', not {mode!r}")
    rank = len(pad) // 2
    if rank not in (1, 2, 3) or x.ndim not in (rank + 1, rank + 2):
        raise ShapeError(
            f"mode={mode!r} takes margins for all axes but channels and batch: 2 numbers for a "
            "tensor of 2 or 3 axes, 4 for 3 or 4, 6 for 4 or 5"
        )
    return padded(x, margins, mode)


def _pairs(given: Any, rank: int) -> list[Margin]:
    """One (before, after) for each axis, from PyTorch's flat list that starts at the last axis."""
    if not isinstance(given, tuple | list) or len(given) % 2 or len(given) > 2 * rank:
        raise DefinitionError(
            f"pad must be a tuple of (before, after) for some of the {rank} last axes, "
            f"not {given!r}"
        )
    flat = per_axis(given, len(given), "pad") if given else ()
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]
    return [(0, 0)] * (rank - len(pairs)) + pairs[::-1]


def padded_by_constant(x: Node, margins: Sequence[Margin], value: Any = 0) -> Node:
    """`x` with margins of `value` on each axis; a negative margin crops."""
    x = _cropped(x, margins)
    wide = [(max(lo, 0), max(hi, 0)) for lo, hi in margins]
    filling = number(value)
    if filling == 0:
        if not any(map(any, wide)):
            return x
        pairs = zip(wide, x.shape, strict=True)
        return Embed(x, [(lo, lo + size + hi, 1) for (lo, hi), size in pairs])
    if x.dtype != FLOAT and not filling.is_Integer:
        raise UnsupportedError(f"a tensor of {x.dtype} cannot be filled with {value}")

    def side(x: Node, axis: int, width: int, _: bool) -> Node:
        shape = (*x.shape[:axis], sympy.Integer(width), *x.shape[axis + 1 :])
        return Constant(filling, shape, x.dtype)

    return _joined(x, wide, side)


def padded(x: Node, margins: Sequence[Margin], mode: str) -> Node:
    """`x` with margins of its own entries; a negative margin crops."""
    wide = [(max(lo, 0), max(hi, 0)) for lo, hi in margins]
    narrow = [(min(lo, 0), min(hi, 0)) for lo, hi in margins]
    if mode == "circular":  # wraps around what is left
        return _joined(_cropped(x, narrow), wide, SIDES[mode])
    return _cropped(_joined(x, wide, SIDES[mode]), narrow)


def _cropped(x: Node, margins: Sequence[Margin]) -> Node:
    if all(lo >= 0 and hi >= 0 for lo, hi in margins):
        return x
    box = []
    for axis, ((lo, hi), size) in enumerate(zip(margins, x.shape, strict=True)):
        length = size + min(lo, 0) + min(hi, 0)
        if length.is_negative:
            raise ShapeError(f"the margins {(lo, hi)} cut away more than the {size} of axis {axis}")
        box.append((max(-lo, 0), length, 1))
    return Slice(x, box)


Side = Callable[[Node, int, int, bool], Node]


def _joined(x: Node, margins: Sequence[Margin], side: Side) -> Node:
    """`x` between its margins, one axis after the other."""
    for axis, (before, after) in enumerate(margins):
        parts = [
            *([side(x, axis, before, True)] if before else []),
            x,
            *([side(x, axis, after, False)] if after else []),
        ]
        x = Concat(axis, *parts) if len(parts) > 1 else x
    return x


# What stands on one side of axis `axis`: `width` entries before (or after) those of x.


def _reflected(x: Node, axis: int, width: int, is_before: bool) -> Node:
    size = x.shape[axis]
    if (size - 1 - width).is_negative:
        raise ShapeError(f"a reflected margin of {width} needs more than {size} entries on axis "
                         f"{axis}")  # fmt: skip
    first = sympy.Integer(width) if is_before else size - 2
    return Slice(x, box_along(x, axis, (first, sympy.Integer(width), -1)))


def _repeated(x: Node, axis: int, width: int, is_before: bool) -> Node:
    size = x.shape[axis]
    if size == 0:
        raise ShapeError(f"axis {axis} has no entries to fill its margins with")
    edge = Slice(x, box_along(x, axis, (0 if is_before else size - 1, sympy.S.One, 1)))
    labels = [x.ndim if i == axis else i for i in range(x.ndim)]
    return contract(range(x.ndim), [(edge, labels)], sizes={axis: sympy.Integer(width)})


def _wrapped(x: Node, axis: int, width: int, is_before: bool) -> Node:
    size = x.shape[axis]
    if (size - width).is_negative:
        raise ShapeError(f"a circular margin of {width} needs at least as many entries on axis "
                         f"{axis}, which has {size}")  # fmt: skip
    first = size - width if is_before else sympy.S.Zero
    return Slice(x, box_along(x, axis, (first, sympy.Integer(width), 1)))


SIDES: dict[str, Side] = {"reflect": _reflected, "replicate": _repeated, "circular": _wrapped}


class _Padding(Module):
    _rank: int
    _mode = "constant"
    value: Any = None

    def __init__(self, padding: Any) -> None:
        self.padding = per_axis(padding, 2 * self._rank, "padding")

    def forward(self, input: Any) -> Node:
        x = image(input, self._rank)
        return pad(x, self.padding, self._mode, self.value)


class _ConstantPadding(_Padding):
    def __init__(self, padding: Any, value: Any) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Node:
        return pad(input, self.padding, self._mode, self.value)


class ConstantPad1d(_ConstantPadding):
    """Margins of `value` on the last axis: (before, after), or one number for both."""

    _rank = 1


class ConstantPad2d(_ConstantPadding):
    """Margins of `value` on the last two axes: (left, right, top, bottom), or one number."""

    _rank = 2


class ConstantPad3d(_ConstantPadding):
    """Margins of `value` on the last three axes, the last one first, or one number."""

    _rank = 3


class _ZeroPadding(_ConstantPadding):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)


class ZeroPad1d(_ZeroPadding):
    """Margins of zeros on the last axis."""

    _rank = 1


class ZeroPad2d(_ZeroPadding):
    """Margins of zeros on the last two axes."""

    _rank = 2


class ZeroPad3d(_ZeroPadding):
    """Margins of zeros on the last three axes."""

    _rank = 3


class ReflectionPad1d(_Padding):
    """Margins that mirror the signal about its first and last entry."""

    _rank, _mode = 1, "reflect"


class ReflectionPad2d(_Padding):
    """Margins that mirror the image about its edge rows and columns."""

    _rank, _mode = 2, "reflect"


class ReflectionPad3d(_Padding):
    """Margins that mirror the volume about its outermost layers."""

    _rank, _mode = 3, "reflect"


class ReplicationPad1d(_Padding):
    """Margins that repeat the first and the last entry."""

    _rank, _mode = 1, "replicate"


class ReplicationPad2d(_Padding):
    """Margins that repeat the edge rows and columns."""

    _rank, _mode = 2, "replicate"


class ReplicationPad3d(_Padding):
    """Margins that repeat the outermost layers."""

    _rank, _mode = 3, "replicate"


class CircularPad1d(_Padding):
    """Margins in which the signal starts again."""

    _rank, _mode = 1, "circular"


class CircularPad2d(_Padding):
    """Margins in which the image starts again."""

    _rank, _mode = 2, "circular"


class CircularPad3d(_Padding):
    """Margins in which the volume starts again."""

    _rank, _mode = 3, "circular"
