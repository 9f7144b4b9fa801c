"""Losses that ask one score to exceed another by a margin."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread, sum_over
from symgrad.expr.leaf import Arange
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.expr.reduction import CumSum
from symgrad.expr.reindex import TakeAlong
from symgrad.model.layers.losses import Loss, PlainLoss, above_zero, of_one_shape, reduced
from symgrad.model.layers.losses_classification import at_labels, class_labels, weights_at
from symgrad.model.operations.operation import operation, refuse


@operation
def hinge_embedding_loss(
    input: Any, target: Any, margin: Any = 1.0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Node:  # fmt: skip
    """The distance x of a pair that is alike (target 1); max(0, margin - x) of others (-1)."""
    refuse(size_average=size_average, reduce=reduce)
    gap = number(margin)

    def formula(x: Any, t: Any) -> Any:
        # as PyTorch has it: a target that is neither counts both
        return f.where(f.equal(t, 1), 0, above_zero(gap - x)) + f.where(f.equal(t, -1), 0, x)

    return reduced(elementwise(formula, *of_one_shape(input=input, target=target)), reduction)


@operation
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: Any = 0, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Node:  # fmt: skip
    """max(0, margin - t (a - b)): a should rank higher where the target t is 1, lower where -1."""
    refuse(size_average=size_average, reduce=reduce)
    gap = number(margin)
    tensors = of_one_shape(input1=input1, input2=input2, target=target)
    return reduced(elementwise(lambda a, b, t: above_zero(gap - t * (a - b)), *tensors), reduction)


@operation
def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: Any = 1.0, weight: Any = None,
    size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Node:  # fmt: skip
    """The mean over the classes i of max(0, margin - x[y] + x[i])^p, without the label y itself.

    input: [n, classes] or [classes]. target: class indices [n] or []. `weight`: one number per
    class, by which the losses of its examples are multiplied.
    """
    refuse(size_average=size_average, reduce=reduce)
    scores, axis = _scores(input)
    if p not in (1, 2):
        raise DefinitionError(f"p must be 1 or 2, not {p}")
    labels = class_labels(target, scores, axis)
    gap, power = number(margin), number(p)

    def formula(x: Any, chosen: Any, i: Any, y: Any) -> Any:
        return f.where(f.equal(i, y), 0, f.relu(gap - chosen + x) ** power)

    over_classes = {axis: sympy.S.One}
    chosen = spread(at_labels(scores, labels, axis), over_classes)
    losses = elementwise(
        formula, scores, chosen, Arange(scores.shape[axis]), spread(labels, over_classes)
    )
    mean = sum_over(losses, (axis,), 1 / scores.shape[axis])
    if weight is not None:
        mean = mean * weights_at(weight, scores, labels, axis)
    return reduced(mean, reduction)


@operation
def multilabel_margin_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
                           reduction: str = "mean") -> Node:  # fmt: skip
    """The sum of max(0, 1 - x[y] + x[i]) over labels y and classes i without a label, over classes.

    input: [n, classes] or [classes]. target: in that shape, the class indices of each example and
    then -1; what follows the first -1 counts for nothing.
    """
    refuse(size_average=size_average, reduce=reduce)
    scores, axis = _scores(input)
    target = as_node(target)
    if target.dtype == FLOAT:
        raise DefinitionError("class indices must be whole numbers, but the target is of floats")
    _, labels = of_one_shape(input=scores, target=target)
    ends = CumSum(elementwise(lambda y: f.where(f.less(y, 0), 1, 0), labels), axis)
    counts = elementwise(lambda e: f.equal(e, 0), ends)
    index = elementwise(lambda c, y: f.where(c, y, 0), counts, labels)
    # axes: [n, label, class]
    per_class = {axis + 1: sympy.S.One}
    counts, label = spread(counts, per_class), spread(index, per_class)
    hits = elementwise(
        lambda c, y, i: f.where(c, f.where(f.equal(y, i), 1, 0), 0),
        counts, label, Arange(scores.shape[axis]),
    )  # fmt: skip
    labelled = spread(sum_over(hits, (axis,)), {axis: sympy.S.One})
    chosen = spread(TakeAlong(scores, index, axis), per_class)
    losses = elementwise(
        lambda c, k, a, b: f.where(f.logical_and(c, f.equal(k, 0)), f.relu(1 - a + b), 0),
        counts, labelled, chosen, spread(scores, {axis: sympy.S.One}),
    )  # fmt: skip
    return reduced(sum_over(losses, (axis, axis + 1), 1 / scores.shape[axis]), reduction)


def _scores(input: Any) -> tuple[Node, int]:
    """The input and its axis of classes, the last."""
    scores = as_node(input)
    if scores.ndim not in (1, 2):
        raise ShapeError("the input must be [n, classes] or [classes]")
    return scores, scores.ndim - 1


class HingeEmbeddingLoss(Loss):
    """The distance of pairs that are alike, and what others lack to a margin."""

    def __init__(self, margin: Any = 1.0, size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(
            margin=margin, size_average=size_average, reduce=reduce, reduction=reduction
        )

    def forward(self, input: Any, target: Any) -> Node:
        return hinge_embedding_loss(input, target, **self.arguments)


class MarginRankingLoss(Loss):
    """max(0, margin - t (a - b)) for two scores and a target of 1 or -1."""

    def __init__(self, margin: Any = 0.0, size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(
            margin=margin, size_average=size_average, reduce=reduce, reduction=reduction
        )

    def forward(self, input1: Any, input2: Any, target: Any) -> Node:
        return margin_ranking_loss(input1, input2, target, **self.arguments)


class MultiMarginLoss(Loss):
    """The hinge loss of class scores with class indices."""

    def __init__(self, p: int = 1, margin: Any = 1.0, weight: Any = None,
                 size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(
            p=p,
            margin=margin,
            weight=weight,
            size_average=size_average,
            reduce=reduce,
            reduction=reduction,
        )

    def forward(self, input: Any, target: Any) -> Node:
        return multi_margin_loss(input, target, **self.arguments)


class MultiLabelMarginLoss(PlainLoss):
    """The hinge loss of class scores with several labels for each example."""

    def forward(self, input: Any, target: Any) -> Node:
        return multilabel_margin_loss(input, target, **self.arguments)
