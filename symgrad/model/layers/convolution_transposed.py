"""Transposed convolutions: each entry of the input spreads a window, and windows add up.

    y[n, o, h s + i d, w s + j d] += x[n, c, h, w] W[c, o, i, j]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr.contraction import contract
from symgrad.expr.dimension import same
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Reshape
from symgrad.expr.window import Overlap, window_length
from symgrad.model.layers.convolution import Filters, check_groups, check_weight, plus_bias
from symgrad.model.layers.padding import padded_by_constant
from symgrad.model.layers.spatial import AXES, batched, image, named, per_axis
from symgrad.model.operations.operation import operation, refuse_of

DOC = "Each entry spreads the weight [in, out / groups, {axes}]; what overlaps adds up; a bias."


def _of_rank(rank: int) -> Callable[..., Node]:
    @operation
    @named(rank, "conv_transpose", DOC.format(axes=AXES[rank]))
    def transposed(
        input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: Any = 1, dilation: Any = 1,
    ) -> Node:  # fmt: skip
        x, weight = image(input, rank), as_node(weight)
        strides = per_axis(stride, rank, "stride", 1)
        dilations = per_axis(dilation, rank, "dilation", 1)
        cropped = per_axis(padding, rank, "padding", 0)
        added = per_axis(output_padding, rank, "output_padding", 0)
        (parts,) = per_axis(groups, 1, "groups", 1)
        _check(x, weight, parts, rank)
        for more, *steps in zip(added, strides, dilations, strict=True):
            if more >= max(steps):
                raise DefinitionError("output_padding must be less than stride or dilation")
        margins = [(-p, more - p) for p, more in zip(cropped, added, strict=True)]

        def spread_out(x: Node) -> Node:
            y = _overlapping(x, weight, strides, dilations, parts)
            return padded_by_constant(y, [(0, 0), (0, 0), *margins])

        return plus_bias(batched(spread_out, x, rank), bias, rank)

    return transposed


conv_transpose1d, conv_transpose2d, conv_transpose3d = map(_of_rank, (1, 2, 3))
FUNCTIONS = {1: conv_transpose1d, 2: conv_transpose2d, 3: conv_transpose3d}


def _check(x: Node, weight: Node, groups: int, rank: int) -> None:
    """Raises: ShapeError if the weight does not fit the input."""
    check_weight(weight, "in, out / groups", rank)
    channels = x.shape[-rank - 1]
    if not same(channels, weight.shape[0]):
        raise ShapeError(f"the input has {channels} channels, but the weight {weight.shape[0]}")
    check_groups(weight, "input", groups)


def _overlapping(
    x: Node, weight: Node, strides: tuple[int, ...], dilations: tuple[int, ...], groups: int
) -> Node:
    """The windows of each entry, added up; groups are one more axis."""
    rank, n, sizes = len(strides), x.shape[0], weight.shape
    if groups > 1:
        x = Reshape(x, (n, groups, sizes[0] / groups, *x.shape[2:]))
        weight = Reshape(weight, (groups, sizes[0] / groups, *sizes[1:]))
    entry, group, inside, outside, *spatial = range(4 + 2 * rank)
    parts = [group] if groups > 1 else []
    counts, places = spatial[::2], spatial[1::2]
    y = contract(
        [entry, *parts, outside, *spatial],
        [(x, [entry, *parts, inside, *counts]), (weight, [*parts, inside, outside, *places])],
    )
    first = y.ndim - 2 * rank
    for i in reversed(range(rank)):
        count, size = y.shape[first + 2 * i : first + 2 * i + 2]
        length = window_length(count, size, strides[i], dilations[i])
        y = Overlap(y, first + 2 * i, length, strides[i], dilations[i])
    return Reshape(y, (n, sizes[1] * groups, *y.shape[-rank:])) if groups > 1 else y


class _ConvolutionTransposed(Filters):
    def __init__(self, in_channels: Any, out_channels: Any, kernel_size: Any, stride: Any = 1,
                 padding: Any = 0, output_padding: Any = 0, groups: Any = 1, bias: bool = True,
                 dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
                 dtype: Any = None, *, weight_init: Any = None,
                 bias_init: Any = None) -> None:  # fmt: skip
        kind = type(self).__name__
        refuse_of(kind, device=device, dtype=dtype)
        if padding_mode != "zeros":
            raise UnsupportedError(
                f"{kind}: padding_mode={padding_mode!r} is not supported; PyTorch has only 'zeros'",
                where=user_location(),
            )
        self._define(in_channels, out_channels, kernel_size, groups, bias, weight_init, bias_init,
                     transposed=True)  # fmt: skip
        self.padding_mode = padding_mode
        self.stride = per_axis(stride, self._rank, "stride", 1)
        self.dilation = per_axis(dilation, self._rank, "dilation", 1)
        self.padding = per_axis(padding, self._rank, "padding", 0)
        self.output_padding = per_axis(output_padding, self._rank, "output_padding", 0)

    def forward(self, input: Any, output_size: Any = None) -> Node:
        x = self._image(input)
        added = self.output_padding if output_size is None else self._added(x, output_size)
        function = FUNCTIONS[self._rank]
        return function(x, self.weight, self.bias, self.stride, self.padding, added, self.groups,
                        self.dilation)  # fmt: skip

    def _added(self, x: Node, output_size: Any) -> tuple[int, ...]:
        """The output_padding that makes the result `output_size` large."""
        sizes = list(output_size) if isinstance(output_size, tuple | list) else [output_size]
        sizes = sizes[2 if len(sizes) == self._rank + 2 else 0 :]
        wanted = per_axis(sizes, self._rank, "output_size", 0)
        added = []
        for i, (count, size) in enumerate(zip(x.shape[-self._rank :], wanted, strict=True)):
            least = window_length(count, self.kernel_size[i], self.stride[i], self.dilation[i])
            more = size - (least - 2 * self.padding[i])
            if not more.is_Integer or not 0 <= more < self.stride[i]:
                low = least - 2 * self.padding[i]
                raise DefinitionError(
                    f"{self._title()} cannot make axis {i - self._rank} {size} long: it can be "
                    f"{low} to {low + self.stride[i] - 1}",
                    where=user_location(),
                )
            added.append(int(more))
        return tuple(added)


class ConvTranspose1d(_ConvolutionTransposed):
    """The transpose of Conv1d: signals [n, in, length], weight [in, out / groups, k]."""

    _rank = 1


class ConvTranspose2d(_ConvolutionTransposed):
    """The transpose of Conv2d: images [n, in, h, w], weight [in, out / groups, i, j]."""

    _rank = 2


class ConvTranspose3d(_ConvolutionTransposed):
    """The transpose of Conv3d: volumes [n, in, d, h, w], weight [in, out / groups, ...]."""

    _rank = 3
