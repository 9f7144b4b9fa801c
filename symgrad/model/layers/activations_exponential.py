"""Exponential linear units, as functions with PyTorch's arguments and as layers.

0 belongs to the exponential side, as in PyTorch: there the slope is alpha (SELU: scale alpha).
"""

from __future__ import annotations

from typing import Any

from symgrad.errors import DefinitionError
from symgrad.expr import functions as f
from symgrad.expr.node import Node
from symgrad.expr.operand import elementwise, number
from symgrad.model.layers.activations import IN_PLACE
from symgrad.model.layers.module import Module
from symgrad.model.operations.operation import operation, refuse

# Source: Klambauer et al. 2017, Self-Normalizing Neural Networks.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def _elu(x: Any, alpha: Any, scale: Any = 1, width: Any = 1) -> Any:
    return f.where(f.less(0, x), scale * x, scale * alpha * f.expm1(x / width))


@operation
def elu(input: Any, alpha: Any = 1.0, inplace: bool = False) -> Node:
    """x above 0, alpha (exp(x) - 1) elsewhere."""
    refuse(IN_PLACE, inplace=inplace or None)
    depth = number(alpha)
    return elementwise(lambda x: _elu(x, depth), input)


@operation
def selu(input: Any, inplace: bool = False) -> Node:
    """scale times ELU of x, with the constants that keep mean 0 and variance 1."""
    refuse(IN_PLACE, inplace=inplace or None)
    depth, scale = number(SELU_ALPHA), number(SELU_SCALE)
    return elementwise(lambda x: _elu(x, depth, scale), input)


@operation
def celu(input: Any, alpha: Any = 1.0, inplace: bool = False) -> Node:
    """x above 0, alpha (exp(x / alpha) - 1) elsewhere."""
    refuse(IN_PLACE, inplace=inplace or None)
    width = number(alpha)
    if width == 0:
        raise DefinitionError("alpha must not be 0")
    return elementwise(lambda x: _elu(x, width, width=width), input)


class ELU(Module):
    """x above 0, alpha (exp(x) - 1) elsewhere."""

    def __init__(self, alpha: Any = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return elu(input, self.alpha, self.inplace)


class SELU(Module):
    """ELU with the two constants that keep mean 0 and variance 1."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return selu(input, self.inplace)


class CELU(Module):
    """x above 0, alpha (exp(x / alpha) - 1) elsewhere."""

    def __init__(self, alpha: Any = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return celu(input, self.alpha, self.inplace)
