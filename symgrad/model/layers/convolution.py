"""Convolutions: windows of the input along each spatial axis, contracted with the weights.

    y[n, o, h, w] = sum_cij  x[n, c, h s + i d, w s + j d] W[o, c, i, j]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr.contraction import contract
from symgrad.expr.dimension import as_dimension, product, same, shape_text
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node, elementwise, name_of
from symgrad.expr.reindex import Reshape
from symgrad.model.initialisers import torch_linear
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.layers.padding import SIDES, padded, padded_by_constant
from symgrad.model.layers.spatial import AXES, batched, image, named, per_axis, windowed
from symgrad.model.operations.operation import operation, refuse_of

DOC = "The input's windows, contracted with the weight [out, in / groups, {axes}], plus the bias."


def _of_rank(rank: int) -> Callable[..., Node]:
    @operation
    @named(rank, "conv", DOC.format(axes=AXES[rank]))
    def convolution(input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
                    dilation: Any = 1, groups: Any = 1) -> Node:  # fmt: skip
        x, weight = image(input, rank), as_node(weight)
        strides = per_axis(stride, rank, "stride", 1)
        dilations = per_axis(dilation, rank, "dilation", 1)
        (parts,) = per_axis(groups, 1, "groups", 1)
        _check(x, weight, parts, rank)
        kernel = tuple(map(int, weight.shape[2:]))
        margins = _margins(padding, kernel, strides, dilations)

        def convolved(x: Node) -> Node:
            x = padded_by_constant(x, [(0, 0), (0, 0), *margins])
            return _contracted(x, weight, kernel, strides, dilations, parts)

        return plus_bias(batched(convolved, x, rank), bias, rank)

    return convolution


conv1d, conv2d, conv3d = map(_of_rank, (1, 2, 3))
FUNCTIONS = {1: conv1d, 2: conv2d, 3: conv3d}


def _check(x: Node, weight: Node, groups: int, rank: int) -> None:
    """Raises: ShapeError if the weight does not fit the input."""
    check_weight(weight, "out, in / groups", rank)
    channels = x.shape[-rank - 1]
    if not same(channels, weight.shape[1] * groups):
        raise ShapeError(
            f"the input has {channels} channels, but the weight takes {weight.shape[1] * groups}"
        )
    check_groups(weight, "output", groups)


def check_weight(weight: Node, layout: str, rank: int) -> None:
    """Raises: ShapeError unless it is [`layout`, spatial axes], of known sizes."""
    if weight.ndim != rank + 2:
        raise ShapeError(f"the weight must be [{layout}, {AXES[rank]}]")
    if not all(size.is_Integer for size in weight.shape):
        raise ShapeError("the sizes of the weight must be known numbers")


def check_groups(weight: Node, which: str, groups: int) -> None:
    """Raises: ShapeError unless the first axis of the weight makes groups of one size."""
    if weight.shape[0] % groups:
        raise ShapeError(f"{weight.shape[0]} {which} channels do not make {groups} groups")


def _margins(
    padding: Any, kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> list[tuple[int, int]]:
    """(before, after) for each axis; "same" keeps its size, "valid" has no margins."""
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding == "same":
        if any(s != 1 for s in strides):
            raise UnsupportedError("padding='same' needs stride=1")
        total = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
        return [(t // 2, t - t // 2) for t in total]
    if isinstance(padding, str):
        raise DefinitionError(
            f"padding={padding!r} is not known", fix="use numbers, 'same' or 'valid'"
        )
    return [(p, p) for p in per_axis(padding, len(kernel), "padding", 0)]


def _contracted(
    x: Node, weight: Node, kernel: tuple[int, ...], strides: tuple[int, ...],
    dilations: tuple[int, ...], groups: int,
) -> Node:  # fmt: skip
    """The sum over channels and places in the windows; groups are one more axis."""
    rank, n, sizes = len(kernel), x.shape[0], weight.shape
    if groups > 1:
        x = Reshape(x, (n, groups, sizes[1], *x.shape[2:]))
        weight = Reshape(weight, (groups, sizes[0] / groups, *sizes[1:]))
    first = x.ndim - rank
    windows = windowed(x, range(first, x.ndim), kernel, strides, dilations)
    entry, group, inside, outside, *spatial = range(4 + 2 * rank)
    parts = [group] if groups > 1 else []
    counts, places = spatial[::2], spatial[1::2]
    result = contract(
        [entry, *parts, outside, *counts],
        [
            (windows, [entry, *parts, inside, *spatial]),
            (weight, [*parts, outside, inside, *places]),
        ],
    )
    return Reshape(result, (n, sizes[0], *result.shape[-rank:])) if groups > 1 else result


def plus_bias(y: Node, bias: Any, rank: int) -> Node:
    """`y` with `bias[o]` added to its channel `o`."""
    if bias is None:
        return y
    b = as_node(bias)
    channels = y.shape[-rank - 1]
    if b.ndim != 1 or not same(b.shape[0], channels):
        raise ShapeError(f"the bias must hold one number for each of {channels} output channels")
    column = Reshape(b, (*b.shape, *[sympy.S.One] * rank))
    return elementwise(lambda y, b: y + b, y, column)


class Filters(Module):
    """What Conv and ConvTranspose share: their arguments, and weights drawn as in PyTorch."""

    weight: Any
    bias: Any
    _rank: int

    def _define(self, in_channels: Any, out_channels: Any, kernel_size: Any, groups: Any,
                bias: bool, weight_init: Any, bias_init: Any,
                transposed: bool) -> None:  # fmt: skip
        kind = type(self).__name__
        self.in_channels = as_dimension(in_channels)
        self.out_channels = as_dimension(out_channels)
        (self.groups,) = per_axis(groups, 1, "groups", 1)
        for what, channels in (("in", self.in_channels), ("out", self.out_channels)):
            if not channels.is_Integer or channels % self.groups:
                raise DefinitionError(
                    f"{kind}: {what}_channels={channels} is not a multiple of groups={self.groups}",
                    where=user_location(),
                )
        self.kernel_size = per_axis(kernel_size, self._rank, "kernel_size", 1)
        ends = self.out_channels, self.in_channels
        first, second = reversed(ends) if transposed else ends
        shape = (first, second / self.groups, *map(sympy.Integer, self.kernel_size))
        drawn = torch_linear(product(shape[1:]))
        self.weight = Parameter(shape, drawn if weight_init is None else weight_init)
        drawn = drawn if bias_init is None else bias_init
        self.bias = Parameter((self.out_channels,), drawn) if bias else None

    def _image(self, input: Any) -> Node:
        """`input`, if it has the channels of the layer. Raises: ShapeError."""
        x = as_node(input)
        fits = x.ndim in (self._rank + 1, self._rank + 2)
        if fits and same(x.shape[-self._rank - 1], self.in_channels):
            return x
        kind, got, change = type(self).__name__, f"{x.ndim} axes", ""
        if fits:
            channels = x.shape[-self._rank - 1]
            got = f"{channels} channels"
            change = f"make it nn.{kind}({channels}, {self.out_channels}, ...), or "
        raise ShapeError(
            f"{self._title()} expects [n, {self.in_channels}, {AXES[self._rank]}] or the same "
            f"without n, but its input has {got}",
            where=user_location(),
            facts={name_of(x) or "input": shape_text(x.shape)},
            fix=f"{change}change what comes before",
        )


class _Convolution(Filters):
    def __init__(self, in_channels: Any, out_channels: Any, kernel_size: Any, stride: Any = 1,
                 padding: Any = 0, dilation: Any = 1, groups: Any = 1, bias: bool = True,
                 padding_mode: str = "zeros", device: Any = None, dtype: Any = None, *,
                 weight_init: Any = None, bias_init: Any = None) -> None:  # fmt: skip
        refuse_of(type(self).__name__, device=device, dtype=dtype)
        self._define(in_channels, out_channels, kernel_size, groups, bias, weight_init, bias_init,
                     transposed=False)  # fmt: skip
        self.stride = per_axis(stride, self._rank, "stride", 1)
        self.dilation = per_axis(dilation, self._rank, "dilation", 1)
        self.padding_mode = padding_mode
        self.padding = padding
        if padding_mode not in ("zeros", *SIDES):
            raise UnsupportedError(
                f"{type(self).__name__}: padding_mode={padding_mode!r} is not supported",
                where=user_location(),
                fix=f"use zeros, {', '.join(SIDES)}",
            )
        self._margins = _margins(padding, self.kernel_size, self.stride, self.dilation)

    def forward(self, input: Any) -> Node:
        x, padding = self._image(input), self.padding
        if self.padding_mode != "zeros":
            outer = [(0, 0)] * (x.ndim - self._rank)
            x, padding = padded(x, [*outer, *self._margins], self.padding_mode), 0
        function = FUNCTIONS[self._rank]
        return function(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Convolution):
    """Windows of signals [n, in, length], contracted with the weight [out, in / groups, k]."""

    _rank = 1


class Conv2d(_Convolution):
    """Windows of images [n, in, h, w], contracted with the weight [out, in / groups, i, j]."""

    _rank = 2


class Conv3d(_Convolution):
    """Windows of volumes [n, in, d, h, w], contracted with the weight [out, in / groups, ...]."""

    _rank = 3
