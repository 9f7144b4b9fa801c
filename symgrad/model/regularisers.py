"""Penalties on chosen parameters, to be added to a loss.

    loss = nn.functional.mse_loss(net(x), y) + sg.l2(net, 1e-3)
    loss = ... + sg.group_lasso([net.hidden.weight], 0.1, axis=0)

What is chosen: a module (all its parameters), a tensor, or several of either. A tensor that is
named twice, as tied weights are, counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import DefinitionError
from symgrad.expr import functions as f
from symgrad.expr.contraction import sum_over
from symgrad.expr.dimension import product
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.model.layers.module import Module
from symgrad.model.operations.operation import axes_of, operation


@operation
def l1(parameters: Any, strength: Any = 1.0) -> Node:
    """`strength * sum(|w|)`; its slope at 0 is 0."""
    return _summed(parameters, strength, f.absolute)


@operation
def l2(parameters: Any, strength: Any = 1.0) -> Node:
    """`strength / 2 * sum(w**2)`: its gradient is strength w, a weight decay."""
    return _summed(parameters, strength, lambda w: w**2 / 2)


@operation
def elastic_net(parameters: Any, strength: Any = 1.0, l1_ratio: Any = 0.5) -> Node:
    """`strength * (l1_ratio sum(|w|) + (1 - l1_ratio) / 2 sum(w**2))`, as in scikit-learn."""
    share = number(l1_ratio)
    if share.is_negative or (1 - share).is_negative:
        raise DefinitionError(f"l1_ratio must lie between 0 and 1, not {l1_ratio}")
    return _summed(parameters, strength, lambda w: share * f.absolute(w) + (1 - share) * w**2 / 2)


@operation
def group_lasso(parameters: Any, strength: Any = 1.0, axis: Any = None) -> Node:
    """`strength * sum over groups of sqrt(size of the group) * its norm`; slope 0 where that is 0.

    A group holds the entries along `axis` (an int or a tuple): of a Linear's weight, axis=0 groups
    what leaves one input, axis=1 what enters one unit. None: each tensor is one group.
    Source: Yuan and Lin 2006, Model Selection and Estimation in Regression with Grouped Variables.
    """

    def penalty(tensor: Node) -> Node:
        axes = axes_of(axis, tensor.ndim)
        lengths = elementwise(f.root, sum_over(elementwise(lambda w: w**2, tensor), axes))
        size = sympy.sqrt(product(tensor.shape[i] for i in axes))
        return sum_over(lengths, range(lengths.ndim), size)

    return _total(parameters, strength, penalty)


def _summed(parameters: Any, strength: Any, formula: Callable[[Any], Any]) -> Node:
    return _total(parameters, strength, lambda w: sum_over(elementwise(formula, w), range(w.ndim)))


def _total(parameters: Any, strength: Any, penalty: Callable[[Node], Node]) -> Node:
    """`strength` (a number or a scalar tensor) times the sum of the tensors' penalties."""
    first, *rest = map(penalty, _chosen(parameters))
    total = first
    for term in rest:
        total = total + term
    return elementwise(lambda s, t: s * t, strength, total)


def _chosen(parameters: Any) -> list[Node]:
    """The tensors meant. Raises: DefinitionError if there is none."""
    tensors: list[Node] = []
    for part in parameters if isinstance(parameters, list | tuple) else [parameters]:
        tensors += part.parameters() if isinstance(part, Module) else [as_node(part)]
    if not tensors:
        raise DefinitionError("there is no parameter to penalise")
    return list(dict.fromkeys(tensors))
