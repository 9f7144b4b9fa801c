"""What the normalisations share: moments over axes, and the affine map that follows them.

Batch, layer, group and instance normalisation differ in the axes that they look along, and in
nothing else: (x - mean) / sqrt(variance + eps), the variance being the mean of the squared
deviations. That the gradient is (g - mean(g) - y mean(g y)) / sqrt(variance + eps) is for the
compiler to find.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symgrad.errors import DefinitionError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread, sum_over
from symgrad.expr.dimension import product
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number


def moments(x: Node, axes: Sequence[int]) -> tuple[Node, Node]:
    """The mean and the variance (of the entries themselves: divided by their count) over `axes`.

    Both lack the axes.
    """
    mean = mean_over(x, axes)
    return mean, called(mean_square(x - kept(mean, axes), axes), "variance")


def mean_over(x: Node, axes: Sequence[int]) -> Node:
    """The mean over `axes`, which are dropped."""
    return sum_over(x, axes, 1 / product(x.shape[axis] for axis in axes))


def mean_square(x: Node, axes: Sequence[int]) -> Node:
    """The mean of the squares over `axes`, which are dropped."""
    return mean_over(elementwise(lambda a: a**2, x), axes)


def normalise(x: Node, axes: Sequence[int], eps: Any) -> Node:
    """x with mean 0 and, but for `eps`, variance 1 over `axes`."""
    mean, variance = moments(x, axes)
    return standardise(x, mean, variance, axes, eps)


def standardise(x: Node, mean: Node, variance: Node, axes: Sequence[int], eps: Any) -> Node:
    """(x - mean) / sqrt(variance + eps) for moments that lack `axes`."""
    centred = called(x - kept(mean, axes), "centred")
    return centred * kept(called(inverse_root(variance, eps), "inverse_std"), axes)


def inverse_root(square: Node, eps: Any) -> Node:
    """1 / sqrt(square + eps): what a tensor of this mean square is multiplied by."""
    little = small(eps)
    return elementwise(lambda v: 1 / f.sqrt(v + little), square)


def kept(reduced: Node, axes: Sequence[int]) -> Node:
    """A reduction that lacks `axes`, with axes of size 1 in their place."""
    return spread(reduced, dict.fromkeys(sorted(axes), sympy.S.One))


def affine(x: Node, weight: Any, bias: Any, axis: int) -> Node:
    """x * weight + bias, whose first axis is the axis `axis` of x; None leaves either out."""

    def placed(tensor: Any) -> Node:
        node = as_node(tensor)
        after = range(node.ndim, x.ndim - axis)
        return spread(node, dict.fromkeys(after, sympy.S.One))

    if weight is not None:
        x = called(x, "normalised") * placed(weight)
    return x if bias is None else x + placed(bias)


def called(node: Node, name: str) -> Node:
    """`node` under `name`, unless it has a name or comes from outside."""
    return node if node.label is not None or isinstance(node, Leaf) else node.named(name)


def small(eps: Any) -> sympy.Expr:
    """`eps` as a number. Raises: DefinitionError if it is negative."""
    little = number(eps)
    if little.is_negative:
        raise DefinitionError(f"eps must not be negative, but is {eps}")
    return little
