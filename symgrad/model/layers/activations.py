"""Activations, as functions with PyTorch's arguments and as layers.

To add one, write its formula as a function and a class that calls it.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.model.layers.module import Module
from symgrad.model.operations.operation import operation, refuse

IN_PLACE = "leave it out: the compiler works in place wherever that is safe"
TORCH_THRESHOLD = 20


@operation
def relu(input: Any, inplace: bool = False) -> Node:
    """max(x, 0)."""
    refuse(IN_PLACE, inplace=inplace or None)
    return elementwise(f.relu, input)


@operation
def tanh(input: Any) -> Node:
    """The hyperbolic tangent."""
    return elementwise(f.tanh, input)


@operation
def sigmoid(input: Any) -> Node:
    """1 / (1 + exp(-x))."""
    return elementwise(f.sigmoid, input)


@operation
def softplus(input: Any, beta: Any = 1, threshold: Any = TORCH_THRESHOLD) -> Node:
    """log(1 + exp(beta x)) / beta.

    PyTorch returns x where beta x > threshold, to avoid an overflow that our form does not have:
    with the default threshold the exact function is computed for every x (they differ by less
    than 3e-9 / beta). Another threshold is taken at its word, since then the function is another.
    """
    beta, threshold = number(beta), number(threshold)

    def formula(x: Any) -> Any:
        exact = f.softplus(beta * x) / beta
        if threshold == TORCH_THRESHOLD:
            return exact
        return f.where(f.less(threshold, beta * x), x, exact)

    return elementwise(formula, input)


@operation
def gelu(input: Any, approximate: str = "none") -> Node:
    """x times the normal distribution function of x; approximate="tanh" is PyTorch's other form."""
    if approximate == "none":
        # not (1 + erf(x / sqrt(2))) / 2, which cancels for negative x
        return elementwise(lambda x: x * f.ndtr(x), input)
    if approximate == "tanh":
        # (1 + tanh(u)) / 2 is sigmoid(2 u), which does not cancel either
        cubic = sympy.Rational(44715, 10**6)
        scale = 2 * sympy.sqrt(2 / sympy.pi)
        return elementwise(lambda x: x * f.sigmoid(scale * (x + cubic * x**3)), input)
    raise UnsupportedError(f"approximate must be 'none' or 'tanh', not {approximate!r}")


@operation
def silu(input: Any, inplace: bool = False) -> Node:
    """x sigmoid(x)."""
    refuse(IN_PLACE, inplace=inplace or None)
    return elementwise(lambda x: x * f.sigmoid(x), input)


@operation
def mish(input: Any, inplace: bool = False) -> Node:
    """x tanh(softplus(x))."""
    refuse(IN_PLACE, inplace=inplace or None)
    return elementwise(lambda x: x * f.tanh(f.softplus(x)), input)


@operation
def logsigmoid(input: Any) -> Node:
    """log(1 / (1 + exp(-x)))."""
    return elementwise(lambda x: -f.softplus(-x), input)


@operation
def tanhshrink(input: Any) -> Node:
    """x - tanh(x)."""
    return elementwise(lambda x: x - f.tanh(x), input)


@operation
def softsign(input: Any) -> Node:
    """x / (1 + |x|)."""
    return elementwise(lambda x: x / (1 + f.absolute(x)), input)


class ReLU(Module):
    """max(x, 0)."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return relu(input, self.inplace)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Any) -> Node:
        return tanh(input)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Any) -> Node:
        return sigmoid(input)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta; about `threshold` see the function `softplus`."""

    def __init__(self, beta: Any = 1.0, threshold: Any = 20.0) -> None:
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Any) -> Node:
        return softplus(input, self.beta, self.threshold)


class GELU(Module):
    """x times the normal distribution function of x."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, input: Any) -> Node:
        return gelu(input, self.approximate)


class SiLU(Module):
    """x sigmoid(x)."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return silu(input, self.inplace)


class Mish(Module):
    """x tanh(softplus(x))."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return mish(input, self.inplace)


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x)))."""

    def forward(self, input: Any) -> Node:
        return logsigmoid(input)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Any) -> Node:
        return tanhshrink(input)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Any) -> Node:
        return softsign(input)


class Identity(Module):
    """The input itself; arguments are taken and not used, as in PyTorch."""

    def __init__(self, *args: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name)

    def forward(self, input: Any) -> Node:
        return as_node(input)
