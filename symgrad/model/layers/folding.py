"""Unfold writes the windows of an image side by side; Fold adds them back together."""

from __future__ import annotations

from typing import Any

from symgrad.errors import ShapeError
from symgrad.expr.contraction import transpose
from symgrad.expr.dimension import as_dimension, product, same
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Reshape
from symgrad.expr.window import Overlap, window_count
from symgrad.model.layers.module import Module
from symgrad.model.layers.padding import padded_by_constant
from symgrad.model.layers.spatial import batched, image, per_axis, windowed
from symgrad.model.operations.operation import operation


@operation
def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
           stride: Any = 1) -> Node:  # fmt: skip
    """The windows of images [n, c, h, w] as columns: [n, c * i * j, windows]."""
    x = image(input, 2)
    sizes, strides, dilations, margins = _steps(kernel_size, stride, dilation, padding)

    def columns(x: Node) -> Node:
        wide = padded_by_constant(x, [(0, 0), (0, 0), *margins])
        windows = transpose(windowed(wide, (2, 3), sizes, strides, dilations), (0, 1, 3, 5, 2, 4))
        n, *rows, high, wide_count = windows.shape
        return Reshape(windows, (n, product(rows), high * wide_count))

    return batched(columns, x, 2)


@operation
def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
         stride: Any = 1) -> Node:  # fmt: skip
    """Images [n, c, *output_size] to which columns [n, c * i * j, windows] are added."""
    x = as_node(input)
    if x.ndim not in (2, 3):
        raise ShapeError("the input must be [n, channels * i * j, windows], or the same without n")
    given = list(output_size) if isinstance(output_size, tuple | list) else [output_size] * 2
    if len(given) != 2:
        raise ShapeError(f"output_size must be a size or two, not {output_size!r}")
    image_size = [as_dimension(size) for size in given]
    sizes, strides, dilations, margins = _steps(kernel_size, stride, dilation, padding)
    wide = [size + lo + hi for size, (lo, hi) in zip(image_size, margins, strict=True)]
    steps = list(zip(sizes, strides, dilations, strict=True))
    counts = [
        window_count(length, as_dimension(k), s, d)
        for length, (k, s, d) in zip(wide, steps, strict=True)
    ]
    area, rows = sizes[0] * sizes[1], x.shape[-2]
    if not (rows / area).is_integer:
        raise ShapeError(f"{rows} rows are not a multiple of the {area} entries of a window")
    if not same(x.shape[-1], product(counts)):
        raise ShapeError(
            f"an image of {image_size[0]} by {image_size[1]} has {product(counts)} windows, "
            f"but the input has {x.shape[-1]}"
        )

    def added(x: Node) -> Node:
        apart = Reshape(x, (x.shape[0], rows / area, *sizes, *counts))
        y = transpose(apart, (0, 1, 4, 2, 5, 3))
        y = Overlap(y, 4, wide[1], strides[1], dilations[1])
        y = Overlap(y, 2, wide[0], strides[0], dilations[0])
        return padded_by_constant(y, [(0, 0), (0, 0), *((-lo, -hi) for lo, hi in margins)])

    return batched(added, x, 1)


def _steps(kernel_size: Any, stride: Any, dilation: Any, padding: Any) -> tuple[Any, ...]:
    margins = [(p, p) for p in per_axis(padding, 2, "padding", 0)]
    return (
        per_axis(kernel_size, 2, "kernel_size", 1),
        per_axis(stride, 2, "stride", 1),
        per_axis(dilation, 2, "dilation", 1),
        margins,
    )


class Unfold(Module):
    """The windows of images [n, c, h, w] as columns [n, c * i * j, windows]."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
                 stride: Any = 1) -> None:  # fmt: skip
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Any) -> Node:
        return unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Module):
    """Images [n, c, *output_size] to which columns [n, c * i * j, windows] are added."""

    def __init__(self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
                 stride: Any = 1) -> None:  # fmt: skip
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Any) -> Node:
        return fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )
