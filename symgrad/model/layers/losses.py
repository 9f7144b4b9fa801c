"""Losses, as functions with PyTorch's arguments and as modules.

Each is a plain definition; that softmax cross-entropy's gradient is p - y is for the compiler to
find. `reduction` is "mean" (over all entries; of class indices over the labels), "sum" or "none".
Input and target must have one shape: PyTorch would broadcast them with a warning.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, SymgradError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread, sum_over
from symgrad.expr.dimension import product, same_shape, shape_text
from symgrad.expr.node import FLOAT, INT, Node
from symgrad.expr.operand import as_node, elementwise, name_of, number
from symgrad.expr.reindex import Reshape, TakeAlong
from symgrad.model.layers.module import Module
from symgrad.model.operations.normal import log_softmax
from symgrad.model.operations.operation import operation, refuse

REDUCTIONS = ("mean", "sum", "none")
IGNORE_INDEX = -100


def _reduced(losses: Node, reduction: str, count: Any = None) -> Node:
    """`losses` reduced; a mean is over `count`, by default over all entries."""
    if reduction not in REDUCTIONS:
        raise UnsupportedError(
            f"reduction={reduction!r} is not supported", fix="use 'mean', 'sum' or 'none'"
        )
    if reduction == "none":
        return losses
    every = tuple(range(losses.ndim))
    if reduction == "sum":
        return sum_over(losses, every)
    return sum_over(losses, every, 1 / (product(losses.shape) if count is None else count))


def _pair(input: Any, target: Any) -> tuple[Node, Node]:
    """Both as nodes of one shape; floats."""
    prediction, truth = as_node(input), as_node(target)
    if not same_shape(prediction.shape, truth.shape):
        raise ShapeError(
            "input and target have different shapes",
            fix="reshape one of them, or write sg.broadcast_to where a broadcast is meant",
        )
    return prediction, truth


@operation
def mse_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
             reduction: str = "mean", weight: Any = None) -> Node:  # fmt: skip
    """The squared difference."""
    refuse(size_average=size_average, reduce=reduce, weight=weight)
    return _reduced(elementwise(lambda x, t: (x - t) ** 2, *_pair(input, target)), reduction)


@operation
def l1_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
            reduction: str = "mean", weight: Any = None) -> Node:  # fmt: skip
    """The absolute difference."""
    refuse(size_average=size_average, reduce=reduce, weight=weight)
    return _reduced(elementwise(lambda x, t: f.absolute(x - t), *_pair(input, target)), reduction)


@operation
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: Any = 1.0,
               weight: Any = None) -> Node:  # fmt: skip
    """Half the squared difference d up to `delta`, and delta (|d| - delta/2) beyond."""
    refuse(weight=weight)
    edge = number(delta)
    if not edge.is_positive:
        raise DefinitionError(f"delta must be positive, not {delta}")

    def formula(x: Any, t: Any) -> Any:
        d = x - t
        linear = edge * (f.absolute(d) - edge / 2)
        return f.where(f.less(f.absolute(d), edge), d**2 / 2, linear)

    return _reduced(elementwise(formula, *_pair(input, target)), reduction)


@operation
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", pos_weight: Any = None,
) -> Node:  # fmt: skip
    """-(t log p + (1 - t) log(1 - p)) for p = sigmoid(input), written without the logarithms.

    `pos_weight` multiplies the first term, `weight` the whole; both are broadcast.
    """
    refuse(size_average=size_average, reduce=reduce)
    z, t = _pair(input, target)
    if pos_weight is None:
        losses = elementwise(lambda z, t: f.softplus(z) - t * z, z, t)
    else:
        losses = elementwise(
            lambda z, t, q: (1 - t) * z + (1 + (q - 1) * t) * f.softplus(-z), z, t, pos_weight
        )
    return _reduced(losses if weight is None else losses * weight, reduction)


@operation
def nll_loss(input: Any, target: Any, weight: Any = None, size_average: Any = None,
             ignore_index: int = IGNORE_INDEX, reduce: Any = None,
             reduction: str = "mean") -> Node:  # fmt: skip
    """Minus the log-probability of the class `target`; input [n, classes, ...], target [n, ...]."""
    _refuse_class_options(weight, size_average, ignore_index, reduce)
    log_p = as_node(input)
    labels = as_node(target)
    return _of_classes(log_p, labels, reduction)


@operation
def cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None,
    ignore_index: int = IGNORE_INDEX, reduce: Any = None, reduction: str = "mean",
    label_smoothing: Any = 0.0,
) -> Node:  # fmt: skip
    """Minus the log-softmax of the logits `input` at the class `target`.

    input: [n, classes, ...]. target: class indices [n, ...] of dtype "int", or probabilities in
    the shape of input. `label_smoothing` mixes that share of the uniform distribution in.
    """
    _refuse_class_options(weight, size_average, ignore_index, reduce)
    logits, truth = as_node(input), as_node(target)
    axis = _class_axis(logits)
    share = number(label_smoothing)
    if share.is_negative or (1 - share).is_negative:
        raise DefinitionError(f"label_smoothing must lie between 0 and 1, not {label_smoothing}")
    log_p = log_softmax(logits, axis)
    if truth.dtype != FLOAT:
        losses = _of_classes(log_p, truth, "none")
        if share != 0:
            even = sum_over(log_p, (axis,), -1 / logits.shape[axis])
            losses = elementwise(lambda a, b: (1 - share) * a + share * b, losses, even)
        return _reduced(losses, reduction)
    if not same_shape(truth.shape, logits.shape):
        raise ShapeError(
            "probabilities must have the shape of the logits",
            fix='declare the target with dtype="int" if it holds class indices',
        )
    if share != 0:
        uniform = share / logits.shape[axis]
        truth = elementwise(lambda t: (1 - share) * t + uniform, truth)
    return _reduced(sum_over(truth * log_p, (axis,), -1), reduction)


def _refuse_class_options(weight: Any, size_average: Any, ignore_index: Any, reduce: Any) -> None:
    refuse("multiply the losses of reduction='none' by the weights", weight=weight)
    refuse(size_average=size_average, reduce=reduce)
    refuse(ignore_index=None if ignore_index == IGNORE_INDEX else ignore_index)


def _class_axis(scores: Node) -> int:
    """The axis of the classes: 1, but 0 where there is no batch."""
    if not scores.ndim:
        raise ShapeError("the input needs an axis of classes")
    return 0 if scores.ndim == 1 else 1


def _of_classes(log_p: Node, labels: Node, reduction: str) -> Node:
    """Minus the entries of log_p at the labels along the axis of classes."""
    axis = _class_axis(log_p)
    if labels.dtype != INT:
        raise DefinitionError(
            f"class indices must be whole numbers, but {name_of(labels) or 'the target'} is a "
            f"tensor of {labels.dtype}",
            fix='declare the target as sg.input(name, shape, dtype="int")',
        )
    expected = (*log_p.shape[:axis], *log_p.shape[axis + 1 :])
    if not same_shape(labels.shape, expected):
        raise ShapeError(
            f"class indices must have the shape {shape_text(expected)}: that of the input "
            "without its axis of classes"
        )
    chosen = TakeAlong(log_p, spread(labels, {axis: sympy.S.One}), axis)
    return _reduced(elementwise(lambda x: -x, Reshape(chosen, expected)), reduction)


class _Loss(Module):
    """A module that keeps the arguments of a loss function."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def _label(self, node: Node) -> None:
        """A loss is named by whoever asks for it."""

    def _located(self, error: SymgradError) -> SymgradError:
        return error  # the function that it calls has said it all


class MSELoss(_Loss):
    """The mean squared difference."""

    def __init__(self, size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(size_average=size_average, reduce=reduce, reduction=reduction)

    def forward(self, input: Any, target: Any) -> Node:
        return mse_loss(input, target, **self.arguments)


class L1Loss(_Loss):
    """The mean absolute difference."""

    def __init__(self, size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(size_average=size_average, reduce=reduce, reduction=reduction)

    def forward(self, input: Any, target: Any) -> Node:
        return l1_loss(input, target, **self.arguments)


class HuberLoss(_Loss):
    """Squared for small differences, absolute for large ones."""

    def __init__(self, reduction: str = "mean", delta: Any = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)

    def forward(self, input: Any, target: Any) -> Node:
        return huber_loss(input, target, **self.arguments)


class CrossEntropyLoss(_Loss):
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


class BCEWithLogitsLoss(_Loss):
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


class NLLLoss(_Loss):
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
