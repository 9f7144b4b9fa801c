"""LocalResponseNorm: each entry is divided by a power of the mean square of channels beside it."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, spread
from symgrad.expr.leaf import Arange
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.model.layers.module import Module
from symgrad.model.layers.normalisation_layers import positive_count
from symgrad.model.operations.operation import operation


@operation
def local_response_norm(input: Any, size: int, alpha: Any = 1e-4, beta: Any = 0.75,
                        k: Any = 1.0) -> Node:  # fmt: skip
    """x / (k + alpha * m)**beta, m the mean square over `size` channels around each.

    input: [n, channels, ...] of three axes or more. Channels beyond the first and the last count
    as 0; where `size` is even, one channel more is seen before than behind.
    Source: Krizhevsky, Sutskever and Hinton 2012, 3.3.
    """
    x = as_node(input)
    width = positive_count(size, "size")
    if x.ndim < 3:
        raise ShapeError("the input must be [n, channels, ...], of three axes or more")
    axes = list(range(x.ndim))
    neighbour = x.ndim
    squares = elementwise(lambda a: a**2, x)
    means = contract(
        [0, neighbour, *axes[2:]],
        [(squares, axes), (_band(x.shape[1], width), [neighbour, 1])],
        sympy.Rational(1, width),
    )
    rate, power, start = number(alpha), number(beta), number(k)
    return elementwise(lambda a, m: a / (start + rate * m) ** power, x, means)


def _band(channels: sympy.Expr, width: int) -> Node:
    """1.0 where channel j is among the `width` around channel i, else 0.0; [i, j]."""
    before, behind = width // 2, (width - 1) // 2

    def formula(i: Any, j: Any) -> Any:
        near = f.logical_and(f.less_equal(i - before, j), f.less_equal(j, i + behind))
        return f.where(near, sympy.Float(1), sympy.Float(0))

    return elementwise(formula, spread(Arange(channels), {1: sympy.S.One}), Arange(channels))


class LocalResponseNorm(Module):
    """x / (k + alpha * m)**beta, m the mean square over `size` channels around each."""

    def __init__(self, size: int, alpha: Any = 1e-4, beta: Any = 0.75, k: Any = 1.0) -> None:
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Any) -> Node:
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)
