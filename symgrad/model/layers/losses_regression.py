"""Losses of predicted numbers, by their distance from the target."""

from __future__ import annotations

from typing import Any

from symgrad.errors import DefinitionError
from symgrad.expr import functions as f
from symgrad.expr.node import Node
from symgrad.expr.operand import elementwise, number
from symgrad.model.layers.losses import Loss, PlainLoss, of_one_shape, positive, reduced
from symgrad.model.operations.operation import operation, refuse


@operation
def mse_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
             reduction: str = "mean", weight: Any = None) -> Node:  # fmt: skip
    """The squared difference."""
    refuse(size_average=size_average, reduce=reduce, weight=weight)
    pair = of_one_shape(input=input, target=target)
    return reduced(elementwise(lambda x, t: (x - t) ** 2, *pair), reduction)


@operation
def l1_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
            reduction: str = "mean", weight: Any = None) -> Node:  # fmt: skip
    """The absolute difference."""
    refuse(size_average=size_average, reduce=reduce, weight=weight)
    return _l1(input, target, reduction)


def _l1(input: Any, target: Any, reduction: str) -> Node:
    pair = of_one_shape(input=input, target=target)
    return reduced(elementwise(lambda x, t: f.absolute(x - t), *pair), reduction)


@operation
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: Any = 1.0,
               weight: Any = None) -> Node:  # fmt: skip
    """Half the squared difference d up to `delta`, and delta (|d| - delta/2) beyond."""
    refuse(weight=weight)
    edge = positive(delta, "delta")

    def formula(x: Any, t: Any) -> Any:
        d = x - t
        linear = edge * (f.absolute(d) - edge / 2)
        return f.where(f.less(f.absolute(d), edge), d**2 / 2, linear)

    return reduced(elementwise(formula, *of_one_shape(input=input, target=target)), reduction)


@operation
def smooth_l1_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
                   reduction: str = "mean", beta: Any = 1.0) -> Node:  # fmt: skip
    """The squared difference d over 2 beta up to beta, |d| - beta/2 beyond; |d| if beta is 0."""
    refuse(size_average=size_average, reduce=reduce)
    edge = number(beta)
    if edge.is_negative:
        raise DefinitionError(f"beta must not be negative, but is {beta}")
    if edge == 0:
        return _l1(input, target, reduction)

    def formula(x: Any, t: Any) -> Any:
        d = x - t
        linear = f.absolute(d) - edge / 2
        return f.where(f.less(f.absolute(d), edge), d**2 / (2 * edge), linear)

    pair = of_one_shape(input=input, target=target)
    return reduced(elementwise(formula, *pair), reduction)


class MSELoss(PlainLoss):
    """The mean squared difference."""

    def forward(self, input: Any, target: Any) -> Node:
        return mse_loss(input, target, **self.arguments)


class L1Loss(PlainLoss):
    """The mean absolute difference."""

    def forward(self, input: Any, target: Any) -> Node:
        return l1_loss(input, target, **self.arguments)


class HuberLoss(Loss):
    """Squared for small differences, absolute for large ones."""

    def __init__(self, reduction: str = "mean", delta: Any = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)

    def forward(self, input: Any, target: Any) -> Node:
        return huber_loss(input, target, **self.arguments)


class SmoothL1Loss(Loss):
    """Squared for small differences, absolute for large ones."""

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
                 beta: Any = 1.0) -> None:  # fmt: skip
        super().__init__(size_average=size_average, reduce=reduce, reduction=reduction, beta=beta)

    def forward(self, input: Any, target: Any) -> Node:
        return smooth_l1_loss(input, target, **self.arguments)
