"""The partial inverse of max pooling: entries go back to where they stood, zeros elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr.dimension import as_dimension, product, same_shape, shape_text
from symgrad.expr.node import INT, Node
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Reshape, ScatterAlong
from symgrad.model.layers.module import Module
from symgrad.model.layers.spatial import AXES, image, named, per_axis, per_axis_or
from symgrad.model.operations.operation import operation

DOC = "Zeros over {axes}, with the entries of input at `indices`, as max_pool returns them."


def _of_rank(rank: int) -> Callable[..., Node]:
    @operation
    @named(rank, "max_unpool", DOC.format(axes=AXES[rank]))
    def max_unpool(input: Any, indices: Any, kernel_size: Any, stride: Any = None,
                   padding: Any = 0, output_size: Any = None) -> Node:  # fmt: skip
        x, places = image(input, rank), as_node(indices)
        sizes = per_axis(kernel_size, rank, "kernel_size", 1)
        strides = per_axis_or(stride, kernel_size, rank, "stride", 1)
        paddings = per_axis(padding, rank, "padding", 0)
        if places.dtype != INT or not same_shape(places.shape, x.shape):
            raise ShapeError("the indices must be whole numbers of the shape of the input")
        if any(step < size for step, size in zip(strides, sizes, strict=True)):
            raise UnsupportedError(
                "where windows overlap an index can stand twice, and PyTorch does not say which "
                "entry it keeps",
                fix="let the stride be at least the kernel_size",
            )
        plain = [
            (length - 1) * step - 2 * margin + size
            for length, step, margin, size in zip(
                x.shape[-rank:], strides, paddings, sizes, strict=True
            )
        ]
        spatial = _spatial(output_size, plain, strides)
        outer = x.shape[: x.ndim - rank]
        flat = (*outer, product(x.shape[-rank:]))
        scattered = ScatterAlong(
            Reshape(x, flat), Reshape(places, flat), len(outer), product(spatial)
        )
        return Reshape(scattered, (*outer, *spatial))

    return max_unpool


def _spatial(output_size: Any, plain: list[Any], strides: tuple[int, ...]) -> list[Any]:
    """The spatial sizes of the result: as asked, if pooling it gives the input's, else `plain`."""
    if output_size is None:
        return plain
    asked = list(output_size) if isinstance(output_size, tuple | list) else [output_size]
    sizes = [as_dimension(size) for size in asked[-len(plain) :]]
    for size, usual, step in zip(sizes, plain, strides, strict=False):
        if not (size - usual).is_Integer or abs(size - usual) >= step:
            raise DefinitionError(
                f"output_size {shape_text(sizes)} is too far from {shape_text(plain)}"
            )
    if len(sizes) != len(plain):
        raise DefinitionError(f"output_size must have {len(plain)} sizes")
    return sizes


max_unpool1d, max_unpool2d, max_unpool3d = map(_of_rank, (1, 2, 3))
FUNCTIONS = {1: max_unpool1d, 2: max_unpool2d, 3: max_unpool3d}


class _MaxUnpool(Module):
    _rank: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Node:
        return FUNCTIONS[self._rank](
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool1d(_MaxUnpool):
    """Zeros with the maxima of signals [n, channels, length] where they stood."""

    _rank = 1


class MaxUnpool2d(_MaxUnpool):
    """Zeros with the maxima of images [n, channels, h, w] where they stood."""

    _rank = 2


class MaxUnpool3d(_MaxUnpool):
    """Zeros with the maxima of volumes [n, channels, d, h, w] where they stood."""

    _rank = 3
