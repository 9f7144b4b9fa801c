"""Normalisation over features: LayerNorm, RMSNorm, and GroupNorm over groups of channels.

As in `activations`: functions with PyTorch's arguments, and layers that call them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.dimension import Shape, as_dimension, as_shape, product, same_shape, shape_text
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import Reshape
from symgrad.expr.spacing import SPACING
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.layers.normalisation import (
    affine,
    called,
    inverse_root,
    kept,
    mean_square,
    normalise,
)
from symgrad.model.operations.operation import operation, refuse_of, whole_number


@operation
def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None,
               eps: Any = 1e-5) -> Node:  # fmt: skip
    """The input with mean 0 and variance 1 over its last axes, those of `normalized_shape`.

    weight, bias: [*normalized_shape], by which the result is multiplied and shifted.
    """
    x, axes = as_node(input), _last_axes(input, normalized_shape, weight=weight, bias=bias)
    return affine(normalise(x, axes, eps), weight, bias, axes[0])


@operation
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> Node:
    """The input over the root of its mean square over the last axes; no mean is taken off.

    weight: [*normalized_shape]. `eps` is the spacing of the float type at 1 if it is None.
    """
    x, axes = as_node(input), _last_axes(input, normalized_shape, weight=weight)
    scale = inverse_root(mean_square(x, axes), SPACING if eps is None else eps)
    scale = called(scale, "inverse_rms")
    return affine(x * kept(scale, axes), weight, None, axes[0])


@operation
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None,
               eps: Any = 1e-5) -> Node:  # fmt: skip
    """The input with mean 0 and variance 1 over each of `num_groups` groups of its channels.

    input: [n, channels, ...]. weight, bias: [channels].
    """
    x = as_node(input)
    groups = positive_count(num_groups, "num_groups")
    if x.ndim < 2:
        raise ShapeError("the input must be [n, channels, ...]")
    channels = x.shape[1]
    if not (channels / groups).is_integer:
        raise ShapeError(f"{channels} channels cannot be divided into {groups} groups")
    check_shapes((channels,), weight=weight, bias=bias)
    grouped = Reshape(x, (x.shape[0], groups, product(x.shape[1:]) / groups))
    return affine(Reshape(normalise(grouped, (2,), eps), x.shape), weight, bias, 1)


def _last_axes(input: Any, normalized_shape: Any, **affine_parameters: Any) -> tuple[int, ...]:
    """The axes to look along. Raises: ShapeError if their sizes are not those that are said."""
    x, shape = as_node(input), normalised_shape(normalized_shape)
    if x.ndim < len(shape) or not same_shape(x.shape[x.ndim - len(shape) :], shape):
        raise ShapeError(f"the last axes of the input must have the sizes {shape_text(shape)}")
    check_shapes(shape, **affine_parameters)
    return tuple(range(x.ndim - len(shape), x.ndim))


def normalised_shape(sizes: Any) -> Shape:
    """`normalized_shape` as a shape; a number is the last axis alone."""
    shape = as_shape(sizes if isinstance(sizes, Sequence) else (sizes,))
    if not shape:
        raise ShapeError("normalized_shape is empty")
    return shape


def check_shapes(expected: Shape, **tensors: Any) -> None:
    """Raises: ShapeError naming the first of `tensors` (None is none) of another shape."""
    for name, tensor in tensors.items():
        if tensor is not None and not same_shape(as_node(tensor).shape, expected):
            raise ShapeError(
                f"{name} must have the shape {shape_text(expected)}, "
                f"but has {shape_text(as_node(tensor).shape)}"
            )


def positive_count(count: Any, what: str) -> int:
    """`count` as an int. Raises: DefinitionError if it is not 1 or more."""
    whole = whole_number(count, what)
    if whole < 1:
        raise DefinitionError(f"{what} must be at least 1, but is {whole}")
    return whole


class LayerNorm(Module):
    """Mean 0 and variance 1 over the last axes, then times `weight` plus `bias`."""

    weight: Any
    bias: Any

    def __init__(self, normalized_shape: Any, eps: Any = 1e-5, elementwise_affine: bool = True,
                 bias: bool = True, device: Any = None, dtype: Any = None) -> None:  # fmt: skip
        refuse_of("LayerNorm", device=device, dtype=dtype)
        self.normalized_shape = normalised_shape(normalized_shape)
        self.eps = eps
        affine = elementwise_affine
        self.weight = Parameter(self.normalized_shape, "ones") if affine else None
        self.bias = Parameter(self.normalized_shape, "zeros") if affine and bias else None

    def forward(self, input: Any) -> Node:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(Module):
    """Root mean square 1 over the last axes, then times `weight`."""

    weight: Any

    def __init__(self, normalized_shape: Any, eps: Any = None, elementwise_affine: bool = True,
                 device: Any = None, dtype: Any = None) -> None:  # fmt: skip
        refuse_of("RMSNorm", device=device, dtype=dtype)
        self.normalized_shape = normalised_shape(normalized_shape)
        self.eps = eps
        self.weight = Parameter(self.normalized_shape, "ones") if elementwise_affine else None

    def forward(self, input: Any) -> Node:
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)


class GroupNorm(Module):
    """Mean 0 and variance 1 over each group of channels, then times `weight` plus `bias`."""

    weight: Any
    bias: Any

    def __init__(self, num_groups: int, num_channels: Any, eps: Any = 1e-5, affine: bool = True,
                 device: Any = None, dtype: Any = None, *, bias: bool = True) -> None:  # fmt: skip
        refuse_of("GroupNorm", device=device, dtype=dtype)
        self.num_groups = positive_count(num_groups, "num_groups")
        self.num_channels = as_dimension(num_channels)
        if not (self.num_channels / self.num_groups).is_integer:
            raise DefinitionError(
                f"GroupNorm: {num_channels} channels cannot be divided into {num_groups} groups"
            )
        self.eps = eps
        self.weight = Parameter((self.num_channels,), "ones") if affine else None
        self.bias = Parameter((self.num_channels,), "zeros") if affine and bias else None

    def forward(self, input: Any) -> Node:
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)
