"""Instance normalisation: each channel of each example with its own statistics.

The running statistics, if they are tracked, move towards the mean of all examples' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.leaf import State
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, number
from symgrad.expr.reindex import Reshape
from symgrad.model.layers.normalisation import mean_over
from symgrad.model.layers.normalisation_batch import (
    Normalising,
    batch_normalised,
    check_count,
    moved,
    normalised,
    unbiased,
)
from symgrad.model.operations.operation import operation, refuse_of
from symgrad.model.updates import note_update


@operation
def instance_norm(input: Any, running_mean: Any = None, running_var: Any = None,
                  weight: Any = None, bias: Any = None, use_input_stats: bool = True,
                  momentum: Any = 0.1, eps: Any = 1e-5) -> Node:  # fmt: skip
    """Each channel of each example of [n, channels, ...] with mean 0 and variance 1.

    Without `use_input_stats` the running statistics take the place of its own.
    """
    x = as_node(input)
    running = {"running_mean": running_mean, "running_var": running_var}
    if not use_input_stats:
        stored = as_node(running_mean), as_node(running_var)
        return batch_normalised(x, stored, weight, bias, eps)[0]
    if x.ndim < 3:
        raise ShapeError("the input must be [n, channels, ...] with an axis behind the channels")
    axes = tuple(range(2, x.ndim))
    check_count(x, axes, "spatial element")
    y, mean, variance = normalised(x, axes, weight, bias, eps)
    states = {key: state for key, state in running.items() if state is not None}
    for key, state in states.items():
        if not isinstance(state, State):
            raise DefinitionError(f"{key} must be a state where it is replaced",
                                  fix="declare it: sg.state(name, (channels,))")  # fmt: skip
    if states:

        def following(old: Mapping[str, Node]) -> dict[str, Node]:
            spread = unbiased(variance, x, axes)
            return moved(old, mean_over(mean, (0,)), mean_over(spread, (0,)), number(momentum))

        note_update(y, states, following)
    return y


class _InstanceNorm(Normalising):
    def __init__(self, num_features: Any, eps: Any = 1e-5, momentum: Any = 0.1,
                 affine: bool = False, track_running_stats: bool = False, device: Any = None,
                 dtype: Any = None, *, bias: bool = True) -> None:  # fmt: skip
        refuse_of(type(self).__name__, device=device, dtype=dtype)
        self._declare(num_features, eps, momentum, affine, track_running_stats, bias)

    def forward(self, input: Any) -> Node:
        spatial = self.ranks[0] - 1
        x = self._checked(input, -spatial - 1)
        batch = x if x.ndim == self.ranks[1] else Reshape(x, (1, *x.shape))
        y = instance_norm(
            batch,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0 if self.momentum is None else self.momentum,
            self.eps,
        )
        if batch is x:
            return y
        return Reshape(y, x.shape)


class InstanceNorm1d(_InstanceNorm):
    """Each channel of [n, channels, length] or [channels, length] with mean 0 and variance 1."""

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of [n, channels, h, w] or [channels, h, w] with mean 0 and variance 1."""

    ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Each channel of [n, channels, d, h, w] or [channels, d, h, w] likewise."""

    ranks = (4, 5)
