"""Losses of class scores: cross-entropy and the negative log-likelihood.

`ignore_index`: labels of this value count for nothing. It is taken at its word where it is given;
where it is not, a label of -100 is refused like any other that is no class, while PyTorch skips it.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, spread, sum_over
from symgrad.expr.dimension import product, same_shape, shape_text
from symgrad.expr.node import FLOAT, INT, Node
from symgrad.expr.operand import as_node, elementwise, name_of, number
from symgrad.expr.reindex import Reshape, TakeAlong
from symgrad.model.layers.losses import Loss, reduced
from symgrad.model.operations.normal import log_softmax
from symgrad.model.operations.operation import operation, refuse, whole_number


class _Unsaid(int):
    """A default, told apart from the same number when a user gives it."""


IGNORE_INDEX = _Unsaid(-100)


@operation
def nll_loss(input: Any, target: Any, weight: Any = None, size_average: Any = None,
             ignore_index: int = IGNORE_INDEX, reduce: Any = None,
             reduction: str = "mean") -> Node:  # fmt: skip
    """Minus the log-probability of the class `target`; input [n, classes, ...], target [n, ...].

    `weight`: one number per class. A mean is weighted by the weights of the labels.
    """
    refuse(size_average=size_average, reduce=reduce)
    log_p = as_node(input)
    labels = _Labels(log_p, target, weight, ignore_index)
    return labels.reduced(labels.likelihoods(log_p), reduction)


@operation
def cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None,
    ignore_index: int = IGNORE_INDEX, reduce: Any = None, reduction: str = "mean",
    label_smoothing: Any = 0.0,
) -> Node:  # fmt: skip
    """Minus the log-softmax of the logits `input` at the class `target`.

    input: [n, classes, ...]. target: class indices [n, ...] of dtype "int", or probabilities in
    the shape of input. `weight`: one number per class. `label_smoothing` mixes that share of the
    uniform distribution in.
    """
    refuse(size_average=size_average, reduce=reduce)
    logits, truth = as_node(input), as_node(target)
    axis = class_axis(logits)
    share = number(label_smoothing)
    if share.is_negative or (1 - share).is_negative:
        raise DefinitionError(f"label_smoothing must lie between 0 and 1, not {label_smoothing}")
    log_p = log_softmax(logits, axis)
    if truth.dtype != FLOAT:
        labels = _Labels(log_p, truth, weight, ignore_index)
        losses = labels.likelihoods(log_p)
        if share != 0:
            even = labels.counted(_weighted(log_p, weight, axis, -1 / logits.shape[axis]))
            losses = elementwise(lambda a, b: (1 - share) * a + share * b, losses, even)
        return labels.reduced(losses, reduction)
    if not same_shape(truth.shape, logits.shape):
        raise ShapeError(
            "probabilities must have the shape of the logits",
            fix='declare the target with dtype="int" if it holds class indices',
        )
    if ignore_index >= 0:
        raise UnsupportedError("ignore_index has no meaning for probabilities")
    if share != 0:
        uniform = share / logits.shape[axis]
        truth = elementwise(lambda t: (1 - share) * t + uniform, truth)
    return reduced(_weighted(truth * log_p, weight, axis, -1), reduction)


def _weighted(scores: Node, weight: Any, axis: int, scale: Any) -> Node:
    """`scale` times the sum of the scores over the classes, each class times its weight."""
    if weight is None:
        return sum_over(scores, (axis,), scale)
    weights = class_weights(weight, scores, axis)
    axes = list(range(scores.ndim))
    kept = [i for i in axes if i != axis]
    return contract(kept, [(scores, axes), (weights, [axis])], scale)


def class_axis(scores: Node) -> int:
    """The axis of the classes: 1, but 0 where there is no batch."""
    if not scores.ndim:
        raise ShapeError("the input needs an axis of classes")
    return 0 if scores.ndim == 1 else 1


def class_weights(weight: Any, scores: Node, axis: int) -> Node:
    """The weight as a node. Raises: ShapeError if it is not one number per class."""
    weights = as_node(weight)
    expected = (scores.shape[axis],)
    if not same_shape(weights.shape, expected):
        raise ShapeError(
            f"weight must hold one number per class, {shape_text(expected)}, "
            f"but has the shape {shape_text(weights.shape)}"
        )
    return weights


def class_labels(target: Any, scores: Node, axis: int) -> Node:
    """The target as class indices. Raises if it is not of whole numbers, one for each example."""
    labels = as_node(target)
    if labels.dtype != INT:
        raise DefinitionError(
            f"class indices must be whole numbers, but {name_of(labels) or 'the target'} is a "
            f"tensor of {labels.dtype}",
            fix='declare the target as sg.input(name, shape, dtype="int")',
        )
    expected = (*scores.shape[:axis], *scores.shape[axis + 1 :])
    if not same_shape(labels.shape, expected):
        raise ShapeError(
            f"class indices must have the shape {shape_text(expected)}: that of the input "
            "without its axis of classes"
        )
    return labels


def at_labels(scores: Node, labels: Node, axis: int) -> Node:
    """The entries of the scores at the labels along the axis of classes, which is dropped."""
    chosen = TakeAlong(scores, spread(labels, {axis: sympy.S.One}), axis)
    return Reshape(chosen, labels.shape)


def weights_at(weight: Any, scores: Node, labels: Node, axis: int) -> Node:
    """The weight of each label. (Along an axis: a negative label is refused, not counted back.)"""
    weights = class_weights(weight, scores, axis)
    flat = labels if labels.ndim == 1 else Reshape(labels, (product(labels.shape),))
    chosen = TakeAlong(weights, flat, 0)
    return chosen if labels.ndim == 1 else Reshape(chosen, labels.shape)


class _Labels:
    """Class indices with what each of them counts.

    `ignored`: 1 where a label counts for nothing, or None. `counts`: what each label counts in a
    mean, or None where all count 1.
    """

    def __init__(self, scores: Node, target: Any, weight: Any, ignore_index: Any) -> None:
        self.axis = class_axis(scores)
        self.labels = class_labels(target, scores, self.axis)
        self.ignored: Node | None = None
        self.weights: Node | None = None
        if not isinstance(ignore_index, _Unsaid):
            skipped = whole_number(ignore_index, "ignore_index")
            self.ignored = elementwise(lambda y: f.equal(y, skipped), self.labels)
            # an ignored label need not be a class: class 0 stands in for it
            self.labels = elementwise(lambda y: f.where(f.equal(y, skipped), 0, y), self.labels)
        if weight is not None:
            self.weights = weights_at(weight, scores, self.labels, self.axis)

    def counted(self, losses: Node) -> Node:
        """The losses, 0 where the label is ignored."""
        if self.ignored is None:
            return losses
        return elementwise(lambda skip, loss: f.where(skip, 0, loss), self.ignored, losses)

    def likelihoods(self, log_p: Node) -> Node:
        """Minus the log-probability of each label, times its weight."""
        chosen = at_labels(log_p, self.labels, self.axis)
        if self.weights is None:
            return self.counted(elementwise(lambda x: -x, chosen))
        return self.counted(elementwise(lambda w, x: -w * x, self.weights, chosen))

    def reduced(self, losses: Node, reduction: str) -> Node:
        """The losses reduced; a mean is weighted by what each label counts."""
        if reduction != "mean" or (self.weights is None and self.ignored is None):
            return reduced(losses, reduction)
        if self.weights is not None:
            count = reduced(self.counted(self.weights), "sum")
        else:
            count = reduced(elementwise(lambda skip: 1.0 - skip, self.ignored), "sum")
        return reduced(losses, "sum") / count


class CrossEntropyLoss(Loss):
    """Cross-entropy of logits with class indices or probabilities."""

    def __init__(self, weight: Any = None, size_average: Any = None,
                 ignore_index: int = IGNORE_INDEX, reduce: Any = None, reduction: str = "mean",
                 label_smoothing: Any = 0.0) -> None:  # fmt: skip
        super().__init__(
            weight=weight,
            size_average=size_average,
            ignore_index=ignore_index,
            reduce=reduce,
            reduction=reduction,
            label_smoothing=label_smoothing,
        )

    def forward(self, input: Any, target: Any) -> Node:
        return cross_entropy(input, target, **self.arguments)


class NLLLoss(Loss):
    """Minus the log-probability of the class."""

    def __init__(self, weight: Any = None, size_average: Any = None,
                 ignore_index: int = IGNORE_INDEX, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(
            weight=weight,
            size_average=size_average,
            ignore_index=ignore_index,
            reduce=reduce,
            reduction=reduction,
        )

    def forward(self, input: Any, target: Any) -> Node:
        return nll_loss(input, target, **self.arguments)
