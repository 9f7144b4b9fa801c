"""Losses of yes-or-no predictions, given as probabilities or as logits."""

from __future__ import annotations

from typing import Any

from symgrad.errors import ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import sum_over
from symgrad.expr.node import Node
from symgrad.expr.operand import elementwise
from symgrad.model.layers.losses import Loss, PlainLoss, WeightedLoss, of_one_shape, reduced
from symgrad.model.operations.operation import operation, refuse

LEAST_LOGARITHM = -100


@operation
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Node:  # fmt: skip
    """-(t log p + (1 - t) log(1 - p)) for the probability p = input.

    As in PyTorch no logarithm is below -100, so that the loss is finite where p is 0 or 1. Where
    one is cut off, its slope is 0 (PyTorch's is (p - t) 1e12 where p is 0 or 1).
    """
    refuse(size_average=size_average, reduce=reduce)
    p, t = of_one_shape(input=input, target=target)

    def cut(logarithm: Any) -> Any:
        return f.where(f.less(logarithm, LEAST_LOGARITHM), LEAST_LOGARITHM, logarithm)

    losses = elementwise(lambda p, t: -(t * cut(f.log(p)) + (1 - t) * cut(f.log1p(-p))), p, t)
    return reduced(losses if weight is None else losses * weight, reduction)


@operation
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", pos_weight: Any = None,
) -> Node:  # fmt: skip
    """-(t log p + (1 - t) log(1 - p)) for p = sigmoid(input), written without the logarithms.

    `pos_weight` multiplies the first term, `weight` the whole; both are broadcast.
    """
    refuse(size_average=size_average, reduce=reduce)
    z, t = of_one_shape(input=input, target=target)
    if pos_weight is None:
        losses = elementwise(lambda z, t: f.softplus(z) - t * z, z, t)
    else:
        losses = elementwise(
            lambda z, t, q: (1 - t) * z + (1 + (q - 1) * t) * f.softplus(-z), z, t, pos_weight
        )
    return reduced(losses if weight is None else losses * weight, reduction)


@operation
def soft_margin_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
                     reduction: str = "mean") -> Node:  # fmt: skip
    """log(1 + exp(-t x)) for targets t of 1 or -1."""
    refuse(size_average=size_average, reduce=reduce)
    pair = of_one_shape(input=input, target=target)
    return reduced(elementwise(lambda x, t: f.softplus(-t * x), *pair), reduction)


@operation
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Node:  # fmt: skip
    """The mean over the classes (the last axis) of the binary cross-entropy of logits.

    `weight`, broadcast, multiplies each class.
    """
    refuse(size_average=size_average, reduce=reduce)
    z, t = of_one_shape(input=input, target=target)
    if not z.ndim:
        raise ShapeError("the input needs an axis of classes")
    losses = elementwise(lambda z, t: f.softplus(z) - t * z, z, t)
    if weight is not None:
        losses = losses * weight
    return reduced(sum_over(losses, (z.ndim - 1,), 1 / z.shape[-1]), reduction)


class BCELoss(WeightedLoss):
    """Binary cross-entropy of probabilities with targets between 0 and 1."""

    def forward(self, input: Any, target: Any) -> Node:
        return binary_cross_entropy(input, target, **self.arguments)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits with targets between 0 and 1."""

    def __init__(self, weight: Any = None, size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean", pos_weight: Any = None) -> None:  # fmt: skip
        super().__init__(
            weight=weight,
            size_average=size_average,
            reduce=reduce,
            reduction=reduction,
            pos_weight=pos_weight,
        )

    def forward(self, input: Any, target: Any) -> Node:
        return binary_cross_entropy_with_logits(input, target, **self.arguments)


class SoftMarginLoss(PlainLoss):
    """log(1 + exp(-t x)) for targets t of 1 or -1."""

    def forward(self, input: Any, target: Any) -> Node:
        return soft_margin_loss(input, target, **self.arguments)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """The mean over the classes of the binary cross-entropy of logits."""

    def forward(self, input: Any, target: Any) -> Node:
        return multilabel_soft_margin_loss(input, target, **self.arguments)
