"""Layers that move entries between channels and space, or between groups of channels."""

from __future__ import annotations

from typing import Any

from symgrad.errors import ShapeError
from symgrad.expr.contraction import transpose
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Reshape
from symgrad.model.layers.module import Module
from symgrad.model.layers.normalisation_layers import positive_count
from symgrad.model.operations.operation import operation


@operation
def pixel_shuffle(input: Any, upscale_factor: int) -> Node:
    """[..., c r r, h, w] becomes [..., c, h r, w r]: each r*r channels are a tile of the image."""
    x, r = as_node(input), positive_count(upscale_factor, "upscale_factor")
    if x.ndim < 3:
        raise ShapeError("the input must be [..., channels, h, w]")
    *batch, channels, h, w = x.shape
    if not (channels / r**2).is_integer:
        raise ShapeError(f"{channels} channels cannot be divided by upscale_factor squared, {r**2}")
    tiles = Reshape(x, (*batch, channels / r**2, r, r, h, w))
    c = len(batch)  # tiles: [..., c, r, r, h, w]
    woven = transpose(tiles, [*range(c + 1), c + 3, c + 1, c + 4, c + 2])
    return Reshape(woven, (*batch, channels / r**2, h * r, w * r))


@operation
def pixel_unshuffle(input: Any, downscale_factor: int) -> Node:
    """[..., c, h r, w r] becomes [..., c r r, h, w]: what `pixel_shuffle` undoes."""
    x, r = as_node(input), positive_count(downscale_factor, "downscale_factor")
    if x.ndim < 3:
        raise ShapeError("the input must be [..., channels, h, w]")
    *batch, channels, h, w = x.shape
    if not ((h / r).is_integer and (w / r).is_integer):
        raise ShapeError(f"the sizes {h} and {w} must be multiples of downscale_factor, {r}")
    tiles = Reshape(x, (*batch, channels, h / r, r, w / r, r))
    c = len(batch)  # tiles: [..., c, h, r, w, r]
    parted = transpose(tiles, [*range(c + 1), c + 2, c + 4, c + 1, c + 3])
    return Reshape(parted, (*batch, channels * r**2, h / r, w / r))


@operation
def channel_shuffle(input: Any, groups: int) -> Node:
    """[n, g k, ...] with the channels dealt anew: the first of each of the g groups, and so on."""
    x, g = as_node(input), positive_count(groups, "groups")
    if x.ndim < 3:
        raise ShapeError("the input must be [n, channels, ...], of three axes or more")
    n, channels, *space = x.shape
    if not (channels / g).is_integer:
        raise ShapeError(f"{channels} channels cannot be divided into {g} groups")
    grouped = Reshape(x, (n, g, channels / g, *space))
    return Reshape(transpose(grouped, [0, 2, 1, *range(3, grouped.ndim)]), x.shape)


class PixelShuffle(Module):
    """[..., c r r, h, w] becomes [..., c, h r, w r]."""

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = upscale_factor

    def forward(self, input: Any) -> Node:
        return pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Module):
    """[..., c, h r, w r] becomes [..., c r r, h, w]."""

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = downscale_factor

    def forward(self, input: Any) -> Node:
        return pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Module):
    """The channels dealt anew among `groups` groups."""

    def __init__(self, groups: int) -> None:
        self.groups = groups

    def forward(self, input: Any) -> Node:
        return channel_shuffle(input, self.groups)
