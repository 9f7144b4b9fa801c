"""Dropout: entries, or whole channels, that a mask drawn anew for each call sets to 0.

Functions with PyTorch's arguments, and layers that call them while they train. The mask is a
random tensor (`sg.random`): a generated module draws it from the `rng` that it is given. Nothing
is drawn where the probability is 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.expr.dimension import Shape
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import as_node, elementwise
from symgrad.model.layers.module import Module
from symgrad.model.operations.operation import operation
from symgrad.model.random import bernoulli, probability

# What SELU tends to far below 0, where alpha dropout puts what it drops.
FLOOR = sympy.Float("-1.7580993408473766", 17)


@operation
def dropout(input: Any, p: Any = 0.5, training: bool = True, inplace: bool = False) -> Node:
    """Each entry 0 with probability p; what is kept is divided by 1 - p."""
    x = as_node(input)
    return _dropped(x, x.shape, p, training, _divided)


@operation
def dropout1d(input: Any, p: Any = 0.5, training: bool = True, inplace: bool = False) -> Node:
    """Each channel of [n, channels, length] or [channels, length] 0 with probability p."""
    x = as_node(input)
    return _dropped(x, _by_channel(x, (2, 3), x.ndim - 2), p, training, _divided)


@operation
def dropout2d(input: Any, p: Any = 0.5, training: bool = True, inplace: bool = False) -> Node:
    """Each channel of [n, channels, height, width] 0 with probability p.

    Three axes are read as [n, channels, length], as PyTorch does.
    """
    x = as_node(input)
    return _dropped(x, _by_channel(x, (3, 4), 1), p, training, _divided)


@operation
def dropout3d(input: Any, p: Any = 0.5, training: bool = True, inplace: bool = False) -> Node:
    """Each channel of [n, channels, d, h, w] or [channels, d, h, w] 0 with probability p."""
    x = as_node(input)
    return _dropped(x, _by_channel(x, (4, 5), x.ndim - 4), p, training, _divided)


@operation
def alpha_dropout(input: Any, p: Any = 0.5, training: bool = False, inplace: bool = False) -> Node:
    """Each entry at SELU's floor with probability p, then scaled and shifted.

    What has mean 0 and variance 1 keeps them.  Source: Klambauer et al. 2017.
    """
    x = as_node(input)
    return _dropped(x, x.shape, p, training, _normalised)


@operation
def feature_alpha_dropout(input: Any, p: Any = 0.5, training: bool = False,
                          inplace: bool = False) -> Node:  # fmt: skip
    """`alpha_dropout` of whole channels of [n, channels, ...]."""
    x = as_node(input)
    if x.ndim < 2:
        raise ShapeError("the input must be [n, channels, ...]")
    return _dropped(x, _by_channel(x, range(2, x.ndim + 1), 1), p, training, _normalised)


def _divided(x: Node, keep: Node, p: sympy.Expr) -> Node:
    return elementwise(lambda a, kept: a * kept / (1 - p), x, keep)


def _normalised(x: Node, keep: Node, p: sympy.Expr) -> Node:
    """scale * (x or the floor) + shift, of mean 0 and variance 1 where x is."""
    scale = 1 / sympy.sqrt((1 - p) * (1 + p * FLOOR**2))
    dropped, shift = (1 - p) * FLOOR * scale, -p * FLOOR * scale
    return elementwise(lambda a, kept: (a * scale + shift - dropped) * kept + dropped, x, keep)


def _dropped(
    x: Node,
    mask_shape: Shape,
    p: Any,
    training: bool,
    form: Callable[[Node, Node, sympy.Expr], Node],
) -> Node:
    """`form` of x and a mask that is 1 with probability 1 - p."""
    chance = probability(p, "the probability p of dropping")
    if not training or chance == 0:
        return x
    if chance == 1:
        return Constant(0, x.shape, FLOAT)
    return form(x, bernoulli(1 - chance, mask_shape), chance)


def _by_channel(x: Node, ranks: Sequence[int], channels: int) -> Shape:
    """The shape of a mask that the axes behind axis `channels` share."""
    if x.ndim not in ranks:
        raise ShapeError(f"the input must have {' or '.join(map(str, ranks))} axes, not {x.ndim}")
    return (*x.shape[: channels + 1], *(sympy.S.One for _ in x.shape[channels + 1 :]))


class _Dropout(Module):
    """What the layers share: they drop while they train, and give back their input in use."""

    function: Callable[..., Node]

    def __init__(self, p: Any = 0.5, inplace: bool = False) -> None:
        probability(p, f"{type(self).__name__}: the probability p of dropping")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return type(self).function(input, self.p, self.training, self.inplace)


class Dropout(_Dropout):
    """In training each entry 0 with probability `p`; what is kept is divided by 1 - p."""

    function = staticmethod(dropout)


class Dropout1d(_Dropout):
    """In training each channel of [n, channels, length] 0 with probability `p`."""

    function = staticmethod(dropout1d)


class Dropout2d(_Dropout):
    """In training each channel of [n, channels, height, width] 0 with probability `p`."""

    function = staticmethod(dropout2d)


class Dropout3d(_Dropout):
    """In training each channel of [n, channels, d, h, w] 0 with probability `p`."""

    function = staticmethod(dropout3d)


class AlphaDropout(_Dropout):
    """Dropout for SELU: what has mean 0 and variance 1 keeps them in training."""

    function = staticmethod(alpha_dropout)


class FeatureAlphaDropout(_Dropout):
    """AlphaDropout of whole channels of [n, channels, ...]."""

    function = staticmethod(feature_alpha_dropout)
