"""What the losses share: their reductions, their shapes, the module that calls a function.

Each loss is a plain definition, as a function with PyTorch's arguments and as a module; that
softmax cross-entropy's gradient is p - y is for the compiler to find. `reduction` is "mean" (over
all entries; of class indices over the labels), "sum" or "none". Input and target must have one
shape: PyTorch would broadcast them with a warning.
"""

from __future__ import annotations

from typing import Any

from symgrad.errors import DefinitionError, ShapeError, SymgradError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import sum_over
from symgrad.expr.dimension import product, same_shape
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, number
from symgrad.model.layers.module import Module

REDUCTIONS = ("mean", "sum", "none")


def reduced(losses: Node, reduction: str, count: Any = None) -> Node:
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


def of_one_shape(**tensors: Any) -> tuple[Node, ...]:
    """The tensors as nodes. Raises: ShapeError naming them if their shapes differ."""
    nodes = tuple(as_node(value) for value in tensors.values())
    if not all(same_shape(node.shape, nodes[0].shape) for node in nodes):
        *others, last = tensors
        raise ShapeError(
            f"{', '.join(others)} and {last} have different shapes",
            fix="reshape one of them, or write sg.broadcast_to where a broadcast is meant",
        )
    return nodes


def above_zero(shortfall: Any) -> Any:
    """The formula max(shortfall, 0) of a margin; its slope at 0 is 1, that of torch.clamp_min."""
    return f.where(f.less(shortfall, 0), 0, shortfall)


def positive(value: Any, what: str) -> Any:
    """`value` as a number. Raises: DefinitionError if it is not above 0."""
    exact = number(value)
    if not exact.is_positive:
        raise DefinitionError(f"{what} must be positive, not {value}")
    return exact


class Loss(Module):
    """A module that keeps the arguments of a loss function."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def _label(self, node: Node) -> None:
        """A loss is named by whoever asks for it."""

    def _located(self, error: SymgradError) -> SymgradError:
        return error  # the function that it calls has said it all


class PlainLoss(Loss):
    """A loss with no arguments but its reduction."""

    def __init__(self, size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(size_average=size_average, reduce=reduce, reduction=reduction)


class WeightedLoss(Loss):
    """A loss with a weight and a reduction."""

    def __init__(self, weight: Any = None, size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(
            weight=weight, size_average=size_average, reduce=reduce, reduction=reduction
        )
