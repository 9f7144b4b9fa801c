"""Batch normalisation: each channel with the statistics of the batch, or with those stored.

In training a layer normalises with the batch's mean and variance and moves its running statistics
towards them: they are buffers, so a generated module takes them as `state` and returns the new
ones. In use (`eval()`) it normalises with what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.contraction import spread
from symgrad.expr.detached import Detached
from symgrad.expr.dimension import as_dimension, product, same, shape_text
from symgrad.expr.leaf import State
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.model.layers.module import Buffer, Module, Parameter
from symgrad.model.layers.normalisation import (
    called,
    inverse_root,
    kept,
    mean_over,
    mean_square,
)
from symgrad.model.operations.operation import operation, refuse_of
from symgrad.model.updates import note_update


@operation
def batch_norm(input: Any, running_mean: Any, running_var: Any, weight: Any = None,
               bias: Any = None, training: bool = False, momentum: Any = 0.1,
               eps: Any = 1e-5) -> Node:  # fmt: skip
    """Each channel of [n, channels, ...] with mean 0 and variance 1, times weight plus bias.

    In training the batch's own moments are taken, and running_mean and running_var, if they are
    states (`sg.state`), move towards them by `momentum`.
    """
    x = as_node(input)
    if not training:
        stored = as_node(running_mean), as_node(running_var)
        return batch_normalised(x, stored, weight, bias, eps)[0]
    check_count(x, (0, *range(2, x.ndim)), "value per channel")
    y, mean, variance = batch_normalised(x, None, weight, bias, eps)
    running = {"running_mean": running_mean, "running_var": running_var}
    states = {key: state for key, state in running.items() if state is not None}
    for key, state in states.items():
        if not isinstance(state, State):
            raise DefinitionError(f"{key} must be a state in training, to be replaced",
                                  fix="declare it: sg.state(name, (channels,))")  # fmt: skip
    if states:
        note_update(y, states, lambda old: moved(old, mean, variance, number(momentum)))
    return y


def batch_normalised(
    x: Node, stored: tuple[Node, Node] | None, weight: Any, bias: Any, eps: Any
) -> tuple[Node, Node, Node]:
    """The result; and the mean and the unbiased variance of each channel, as stored or in x."""
    if x.ndim < 2:
        raise ShapeError("the input must be [n, channels, ...]")
    axes = (0, *range(2, x.ndim))
    if stored is None:
        y, mean, variance = normalised(x, axes, weight, bias, eps)
        return y, mean, unbiased(variance, x, axes)
    mean, variance = stored
    return shifted((x - kept(mean, axes)), scale_of(variance, weight, eps), bias, axes), *stored


def normalised(
    x: Node, axes: tuple[int, ...], weight: Any, bias: Any, eps: Any
) -> tuple[Node, Node, Node]:
    """x with mean 0 and variance 1 over `axes`, times weight plus bias; its mean and variance.

    For every constant c

        variance = mean((x - c)**2) - (mean - c)**2
        y        = (x - c) * scale + (bias - (mean - c) * scale)

    With c held at the mean, mean - c is 0, and only its derivative counts. So what a channel's
    entries share is differentiated as one number, and no sum of x - c, which is 0, is left over.
    """
    mean = mean_over(x, axes)
    centre = Detached(mean, is_exact=True)
    deviation, drift = called(x - kept(centre, axes), "centred"), mean - centre
    variance = called(mean_square(deviation, axes) - drift * drift, "variance")
    scale = scale_of(variance, weight, eps)
    offset = -drift * scale if bias is None else as_node(bias) - drift * scale
    return shifted(deviation, scale, offset, axes), mean, variance


def scale_of(variance: Node, weight: Any, eps: Any) -> Node:
    """weight / sqrt(variance + eps)."""
    inverse = called(inverse_root(variance, eps), "inverse_std")
    return inverse if weight is None else called(inverse * as_node(weight), "scale")


def shifted(deviation: Node, scale: Node, offset: Any, axes: tuple[int, ...]) -> Node:
    """deviation * scale + offset, of which the last two lack `axes`."""
    product_of = deviation * kept(scale, axes)
    return product_of if offset is None else product_of + _placed(as_node(offset), scale, axes)


def _placed(offset: Node, scale: Node, axes: tuple[int, ...]) -> Node:
    """`offset`, [channels] or of the shape of `scale`, with size-1 axes for `axes`."""
    if offset.ndim == scale.ndim:
        return kept(offset, axes)
    return spread(offset, dict.fromkeys(range(1, 1 + sum(a > 1 for a in axes)), sympy.S.One))


def unbiased(variance: Node, x: Node, axes: tuple[int, ...]) -> Node:
    """The variance as an estimate of that of all data: divided by the count less 1."""
    count = product(x.shape[axis] for axis in axes)
    return elementwise(lambda v: v * count / (count - 1), variance)


def moved(old: Mapping[str, Node], mean: Node, variance: Node, share: Any) -> dict[str, Node]:
    """Running statistics of which `share` is new."""
    new = {"running_mean": mean, "running_var": variance}
    return {key: _mixed(old[key], new[key], share) for key in new if key in old}


def _mixed(old: Node, new: Node, share: Any) -> Node:
    if isinstance(share, Node):
        return elementwise(lambda a, b, s: (1 - s) * a + s * b, old, new, share)
    return elementwise(lambda a, b: (1 - share) * a + share * b, old, new)


def check_count(x: Node, axes: tuple[int, ...], what: str) -> None:
    """Raises: ShapeError if there is known to be but one entry over `axes`: it has no variance."""
    if product(x.shape[axis] for axis in axes) == 1:
        raise ShapeError(
            f"expected more than 1 {what} when training",
            facts={"input": shape_text(x.shape)},
            fix="give it more, or call .eval() before the network is called",
        )


class Normalising(Module):
    """What batch and instance normalisation share: parameters and running statistics."""

    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any
    ranks: tuple[int, ...] = ()

    def _declare(
        self,
        num_features: Any,
        eps: Any,
        momentum: Any,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
    ) -> None:
        self.num_features = as_dimension(num_features)
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        shape = (self.num_features,)
        self.weight = Parameter(shape, "ones") if affine else None
        self.bias = Parameter(shape, "zeros") if affine and bias else None
        if track_running_stats:
            self.running_mean = Buffer(shape, "zeros")
            self.running_var = Buffer(shape, "ones")
            self.num_batches_tracked = Buffer((), 0, "int")
        else:
            self.running_mean = self.running_var = self.num_batches_tracked = None

    def _checked(self, input: Any, channels_at: int) -> Node:
        """`input` as a tensor. Raises: ShapeError if its rank or its channels do not fit."""
        x = as_node(input)
        if x.ndim not in self.ranks:
            raise ShapeError(
                f"{type(self).__name__} expects {' or '.join(map(str, self.ranks))} axes, "
                f"not {x.ndim}",
                facts={"input": shape_text(x.shape)},
            )
        channels = x.shape[x.ndim + channels_at if channels_at < 0 else channels_at]
        uses_them = self.affine or self.track_running_stats
        if uses_them and not same(channels, self.num_features):
            raise ShapeError(
                f"{type(self).__name__} expects {self.num_features} channels, not {channels}",
                facts={"input": shape_text(x.shape)},
                fix=f"make it nn.{type(self).__name__}({channels}), or change what comes before",
            )
        return x


class _BatchNorm(Normalising):
    def __init__(self, num_features: Any, eps: Any = 1e-5, momentum: Any = 0.1,
                 affine: bool = True, track_running_stats: bool = True, device: Any = None,
                 dtype: Any = None, *, bias: bool = True) -> None:  # fmt: skip
        refuse_of(type(self).__name__, device=device, dtype=dtype)
        self._declare(num_features, eps, momentum, affine, track_running_stats, bias)

    def forward(self, input: Any) -> Node:
        x = self._checked(input, 1)
        if self.track_running_stats and not self.training:
            stored = self.running_mean, self.running_var
            return batch_normalised(x, stored, self.weight, self.bias, self.eps)[0]
        check_count(x, (0, *range(2, x.ndim)), "value per channel")
        y, mean, variance = batch_normalised(x, None, self.weight, self.bias, self.eps)
        mean.named(f"{self._title()}_mean")
        if not self.track_running_stats:
            return y

        def following(old: Mapping[str, Node]) -> dict[str, Node]:
            count = old["num_batches_tracked"] + 1
            share = number(self.momentum) if self.momentum is not None else 1 / count
            return {"num_batches_tracked": count, **moved(old, mean, variance, share)}

        return self.update_state(y, following)


class BatchNorm1d(_BatchNorm):
    """Each channel of [n, channels] or [n, channels, length] with mean 0 and variance 1.

    `momentum`: the share of the batch in the running statistics; None for their plain average.
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of [n, channels, height, width] with mean 0 and variance 1."""

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Each channel of [n, channels, depth, height, width] with mean 0 and variance 1."""

    ranks = (5,)
