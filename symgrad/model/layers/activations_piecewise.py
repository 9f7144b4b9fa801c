"""Activations that are pieced together, as functions with PyTorch's arguments and as layers.

On a joint the slope is PyTorch's: the < or <= in a formula says to which side the point belongs.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread
from symgrad.expr.dimension import as_dimension, same
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.expr.reindex import Reshape
from symgrad.model.layers.activations import IN_PLACE
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.operations.operation import operation, refuse, refuse_of
from symgrad.model.random import uniform


def _clamped(x: Any, lo: Any, hi: Any) -> Any:
    """x between lo and hi. Flat on both bounds, where `clip` passes."""
    return f.where(f.less_equal(x, lo), lo, f.where(f.less_equal(hi, x), hi, x))


def _leaky(x: Any, slope: Any) -> Any:
    return f.where(f.less(0, x), x, slope * x)


@operation
def leaky_relu(input: Any, negative_slope: Any = 0.01, inplace: bool = False) -> Node:
    """x above 0, negative_slope x elsewhere."""
    refuse(IN_PLACE, inplace=inplace or None)
    slope = number(negative_slope)
    return elementwise(lambda x: _leaky(x, slope), input)


@operation
def prelu(input: Any, weight: Any) -> Node:
    """x above 0, weight x elsewhere; weight holds one slope, or one for each channel (axis 1)."""
    x, slopes = as_node(input), as_node(weight)
    if slopes.ndim > 1:
        raise ShapeError("the weight must be a number or a vector")
    if not slopes.ndim or slopes.shape[0] == 1:
        return elementwise(_leaky, x, Reshape(slopes, ()) if slopes.ndim else slopes)
    if x.ndim < 2 or not same(x.shape[1], slopes.shape[0]):
        raise ShapeError(
            f"{slopes.shape[0]} slopes need as many channels on axis 1 of the input",
            fix="give one slope for all, or as many as there are channels",
        )
    return elementwise(_leaky, x, spread(slopes, dict.fromkeys(range(1, x.ndim - 1), sympy.S.One)))


@operation
def rrelu(input: Any, lower: Any = 1 / 8, upper: Any = 1 / 3, training: bool = False,
          inplace: bool = False) -> Node:  # fmt: skip
    """x above 0, slope * x elsewhere; the slope of each entry is drawn from lower to upper.

    After training it is (lower + upper) / 2.
    """
    refuse(IN_PLACE, inplace=inplace or None)
    lo, hi = number(lower), number(upper)
    if (lo - hi).is_positive:
        raise DefinitionError(f"lower={lower} is larger than upper={upper}")
    if not training or lo == hi:
        return elementwise(lambda x: _leaky(x, (lo + hi) / 2), input)
    x = as_node(input)
    return elementwise(lambda a, u: _leaky(a, lo + (hi - lo) * u), x, uniform(x.shape))


@operation
def hardtanh(input: Any, min_val: Any = -1.0, max_val: Any = 1.0, inplace: bool = False) -> Node:
    """x between min_val and max_val; flat on both."""
    refuse(IN_PLACE, inplace=inplace or None)
    lo, hi = number(min_val), number(max_val)
    if (lo - hi).is_positive:
        raise DefinitionError(f"min_val={min_val} is larger than max_val={max_val}")
    return elementwise(lambda x: _clamped(x, lo, hi), input)


@operation
def relu6(input: Any, inplace: bool = False) -> Node:
    """x between 0 and 6; flat on both."""
    refuse(IN_PLACE, inplace=inplace or None)
    return elementwise(lambda x: _clamped(x, 0, 6), input)


@operation
def hardsigmoid(input: Any, inplace: bool = False) -> Node:
    """x/6 + 1/2 between 0 and 1; flat on both."""
    refuse(IN_PLACE, inplace=inplace or None)
    return elementwise(lambda x: _clamped(x, -3, 3) / 6 + sympy.S.Half, input)


@operation
def hardswish(input: Any, inplace: bool = False) -> Node:
    """0 up to -3, x from 3 on, x (x + 3) / 6 between them."""
    refuse(IN_PLACE, inplace=inplace or None)
    return elementwise(
        lambda x: f.where(f.less_equal(x, -3), 0, f.where(f.less_equal(3, x), x, x * (x + 3) / 6)),
        input,
    )


@operation
def hardshrink(input: Any, lambd: Any = 0.5) -> Node:
    """0 from -lambd to lambd, x elsewhere."""
    edge = number(lambd)
    return elementwise(lambda x: f.where(f.less_equal(f.absolute(x), edge), 0, x), input)


@operation
def softshrink(input: Any, lambd: Any = 0.5) -> Node:
    """0 from -lambd to lambd, x drawn by lambd towards 0 elsewhere."""
    edge = number(lambd)
    if edge.is_negative:
        raise DefinitionError(f"lambd must not be negative, but is {lambd}")

    def formula(x: Any) -> Any:
        below = f.where(f.less(x, -edge), x + edge, 0)
        return f.where(f.less(edge, x), x - edge, below)

    return elementwise(formula, input)


@operation
def threshold(input: Any, threshold: Any, value: Any, inplace: bool = False) -> Node:
    """x above the threshold, value elsewhere."""
    refuse(IN_PLACE, inplace=inplace or None)
    edge, instead = number(threshold), number(value)
    return elementwise(lambda x: f.where(f.less_equal(x, edge), instead, x), input)


class LeakyReLU(Module):
    """x above 0, negative_slope x elsewhere."""

    def __init__(self, negative_slope: Any = 1e-2, inplace: bool = False) -> None:
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(Module):
    """x above 0, weight x elsewhere; weight is [num_parameters]: one slope, or one per channel."""

    weight: Any

    def __init__(self, num_parameters: Any = 1, init: Any = 0.25, device: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        refuse_of("PReLU", device=device, dtype=dtype)
        self.num_parameters = as_dimension(num_parameters)
        self.weight = Parameter((self.num_parameters,), init)

    def forward(self, input: Any) -> Node:
        return prelu(input, self.weight)


class RReLU(Module):
    """x above 0, slope * x elsewhere: a slope drawn for each entry in training, then the middle."""

    def __init__(self, lower: Any = 1 / 8, upper: Any = 1 / 3, inplace: bool = False) -> None:
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return rrelu(input, self.lower, self.upper, self.training, self.inplace)


class Hardtanh(Module):
    """x between min_val and max_val; flat on both."""

    def __init__(self, min_val: Any = -1.0, max_val: Any = 1.0, inplace: bool = False,
                 min_value: Any = None, max_value: Any = None) -> None:  # fmt: skip
        refuse_of("Hardtanh", "say min_val and max_val", min_value=min_value, max_value=max_value)
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Module):
    """x between 0 and 6; flat on both."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return relu6(input, self.inplace)


class Hardsigmoid(Module):
    """x/6 + 1/2 between 0 and 1; flat on both."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return hardsigmoid(input, self.inplace)


class Hardswish(Module):
    """0 up to -3, x from 3 on, x (x + 3) / 6 between them."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return hardswish(input, self.inplace)


class Hardshrink(Module):
    """0 from -lambd to lambd, x elsewhere."""

    def __init__(self, lambd: Any = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Any) -> Node:
        return hardshrink(input, self.lambd)


class Softshrink(Module):
    """0 from -lambd to lambd, x drawn by lambd towards 0 elsewhere."""

    def __init__(self, lambd: Any = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Any) -> Node:
        return softshrink(input, self.lambd)


class Threshold(Module):
    """x above the threshold, value elsewhere."""

    def __init__(self, threshold: Any, value: Any, inplace: bool = False) -> None:
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Any) -> Node:
        return threshold(input, self.threshold, self.value, self.inplace)
