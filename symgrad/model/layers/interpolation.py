"""Upsample: images and signals on a finer or coarser grid, along each axis of space apart.

Along one axis every mode is a linear map, whose matrix is written as a formula of the output's
position o and the input's position i. Linear interpolation is the hat max(0, 1 - |s - i|) around
the source s of o; the products with these matrices are the compiler's to order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, spread
from symgrad.expr.dimension import as_dimension
from symgrad.expr.leaf import Arange, Table
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.expr.reindex import Reshape, Take
from symgrad.model.layers.module import Module
from symgrad.model.operations.operation import operation

CUBIC = sympy.Rational(-3, 4)  # the slope of the kernel at distance 1, as PyTorch has it
RANKS = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
PICKING = ("nearest", "nearest-exact")


@dataclass(frozen=True)
class Axis:
    """One axis: its sizes, and the step in the input that a step in the output is."""

    entries: sympy.Expr
    wanted: sympy.Expr
    step: sympy.Expr
    align_corners: bool

    def source(self, o: Any) -> Any:
        """Where output o lies in the input, whose entries are at 0, 1, ..."""
        if self.align_corners:
            last = self.wanted - 1
            return o * ((self.entries - 1) / last) if last != 0 else 0 * o
        return (o + sympy.Rational(1, 2)) * self.step - sympy.Rational(1, 2)


@operation
def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Node:  # fmt: skip
    """input [n, channels, ...space] with the sizes `size`, or `scale_factor` times its own.

    mode: "nearest", "nearest-exact", "area", "linear" (one axis of space), "bilinear", "bicubic"
    (two) or "trilinear" (three). `align_corners`: the first and the last entries stay where they
    are. `recompute_scale_factor`: the steps are those between the sizes, which are whole.
    """
    x = as_node(input)
    if antialias:
        raise UnsupportedError("the argument antialias is not supported")
    if x.ndim not in (3, 4, 5):
        raise ShapeError("the input must be [n, channels, ...] with one to three axes of space")
    _check_mode(mode, x.ndim, align_corners)
    from_sizes = bool(recompute_scale_factor) or mode == "area"
    if size is not None and recompute_scale_factor:
        raise DefinitionError("recompute_scale_factor has no meaning beside a size")
    wanted = _axes(x, size, scale_factor, from_sizes, bool(align_corners))
    if mode in PICKING:
        offset = sympy.Rational(mode == "nearest-exact", 2)
        for k, axis in enumerate(wanted, start=2):
            if _repeats(axis) is None:
                x = _picked(x, k, axis, offset)
        return _repeated(x, [_repeats(axis) or sympy.S.One for axis in wanted])
    return _contracted(x, wanted, _FORMULAS[mode])


def _check_mode(mode: str, rank: int, align_corners: bool | None) -> None:
    if mode not in (*PICKING, *_FORMULAS):
        known = ", ".join((*PICKING, *_FORMULAS))
        raise UnsupportedError(f"mode={mode!r} is not supported", fix=f"use one of {known}")
    if mode in RANKS and rank != RANKS[mode]:
        raise ShapeError(f"mode {mode!r} is for inputs of {RANKS[mode]} axes, not of {rank}")
    if mode not in RANKS and align_corners is not None:
        raise DefinitionError(
            f"align_corners has no meaning in mode {mode!r}, which does not interpolate"
        )


def _axes(
    x: Node, size: Any, scale_factor: Any, from_sizes: bool, align_corners: bool
) -> list[Axis]:
    if (size is None) == (scale_factor is None):
        raise DefinitionError("give either size or scale_factor")
    count = x.ndim - 2
    given = scale_factor if size is None else size
    each = list(given) if isinstance(given, tuple | list) else [given] * count
    if len(each) != count:
        raise ShapeError(f"{len(each)} numbers are given for {count} axes of space")
    axes = []
    for entries, value in zip(x.shape[2:], each, strict=True):
        if entries == 0:
            raise ShapeError("an axis of space is empty")
        if size is None:
            factor = number(value)
            wanted = _times(entries, factor)
            step = entries / wanted if from_sizes or align_corners else 1 / factor
        else:
            wanted = as_dimension(value)
            step = entries / wanted if wanted != 0 else sympy.S.One
        if wanted == 0:
            raise ShapeError("an axis of the result would be empty")
        axes.append(Axis(entries, wanted, step, align_corners))
    return axes


def _times(entries: sympy.Expr, factor: sympy.Expr) -> sympy.Expr:
    """The size `entries * factor`, rounded down."""
    if not factor.is_positive:
        raise DefinitionError(f"scale_factor must be positive, not {factor}")
    scaled = entries * factor
    if scaled.is_integer:
        return scaled
    if not entries.is_Integer:
        raise UnsupportedError(
            f"the size {entries} times {factor} is not a whole number of entries for every "
            f"{entries}",
            fix="give the axis a number as its size, or use a whole scale_factor",
        )
    return sympy.Integer(int(float(entries) * float(factor)))


def _repeats(axis: Axis) -> sympy.Expr | None:
    """How often each entry stands in the output, where that is a number and always the same."""
    repeats = 1 / axis.step
    return repeats if repeats.is_Integer and axis.wanted == axis.entries * repeats else None


def _repeated(x: Node, repeats: list[sympy.Expr]) -> Node:
    """`x` with the entries of each axis of space repeated in place."""
    new: dict[int, sympy.Expr] = {}
    for k, times in enumerate(repeats):
        if times != 1:
            new[3 + k + len(new)] = times  # behind its axis, which others before it moved
    if not new:
        return x
    sizes = [size * times for size, times in zip(x.shape[2:], repeats, strict=True)]
    return Reshape(spread(x, new), (*x.shape[:2], *sizes))


def _picked(x: Node, k: int, axis: Axis, offset: sympy.Expr) -> Node:
    """`x` with its axis k at the last entries before the sources of the output."""
    last = axis.entries - 1
    if axis.entries.is_Integer and axis.wanted.is_Integer:
        sources = ((o + offset) * axis.step for o in range(int(axis.wanted)))
        index = Table([sympy.Min(sympy.floor(s), last) for s in sources], (axis.wanted,))
    else:
        above, below = sympy.fraction(sympy.together(axis.step))
        index = elementwise(
            lambda o: f.minimum(f.floor_divide((2 * o + 2 * offset) * above, 2 * below), last),
            Arange(axis.wanted),
        )
    return Take(x, index, k)


def _contracted(x: Node, axes: list[Axis], formula: Callable[[Axis, Any, Any], Any]) -> Node:
    """`x` times the matrix of each of its axes of space whose size changes."""
    inner = list(range(x.ndim))
    output = list(inner)
    terms = [(x, inner)]
    for k, axis in enumerate(axes, start=2):
        if axis.entries == axis.wanted and (axis.step == 1 or formula is not _cubic):
            continue  # of all that keep the size, PyTorch moves entries in cubic ones only
        rows = spread(Arange(axis.wanted), {1: sympy.S.One})
        matrix = elementwise(lambda o, i, a=axis: formula(a, o, i), rows, Arange(axis.entries))
        output[k] = x.ndim + k
        terms.append((matrix, [output[k], k]))
    return contract(output, terms) if len(terms) > 1 else x


def _hat(axis: Axis, o: Any, i: Any) -> Any:
    """The weight of entry i in output o: 1 at its source, 0 at a distance of 1."""
    source = f.clip(axis.source(o), 0, axis.entries - 1)
    return f.relu(1 - f.absolute(source - i))


def _cubic(axis: Axis, o: Any, i: Any) -> Any:
    """Four entries around the source, weighted by a cubic kernel; the edges count for beyond.

    Source: Keys, Cubic convolution interpolation, 1981.
    """
    source = axis.source(o)
    first = f.floor(source)
    t = source - first
    near = [(CUBIC + 2) * u**3 - (CUBIC + 3) * u**2 + 1 for u in (t, 1 - t)]
    far = [CUBIC * (u**3 - 5 * u**2 + 8 * u - 4) for u in (t + 1, 2 - t)]
    weights = {-1: far[0], 0: near[0], 1: near[1], 2: far[1]}
    return sympy.Add(
        *(
            f.where(f.equal(f.clip(first + k, 0, axis.entries - 1), i), weight, 0)
            for k, weight in weights.items()
        )
    )


def _area(axis: Axis, o: Any, i: Any) -> Any:
    """The mean over the entries that the output covers, whole or in part."""
    start = f.floor_divide(o * axis.entries, axis.wanted)
    end = -f.floor_divide(-(o + 1) * axis.entries, axis.wanted)
    covered = f.logical_and(f.less_equal(start, i), f.less(i, end))
    return f.where(covered, 1 / (end - start), 0)


_FORMULAS: dict[str, Callable[[Axis, Any, Any], Any]] = {
    "linear": _hat,
    "bilinear": _hat,
    "trilinear": _hat,
    "bicubic": _cubic,
    "area": _area,
}


class Upsample(Module):
    """The input [n, channels, ...space] on another grid; see `functional.interpolate`."""

    def __init__(self, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
                 align_corners: bool | None = None,
                 recompute_scale_factor: bool | None = None) -> None:  # fmt: skip
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Any) -> Node:
        return interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )


class UpsamplingNearest2d(Upsample):
    """Images on another grid, each entry the nearest one."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """Images on another grid, interpolated linearly between corners that stay in place."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", True)
