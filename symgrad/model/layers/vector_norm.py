"""The p-norms of vectors as PyTorch differentiates them, and `normalize`, which divides by one.

They differ from NumPy's `sg.norm` in two points: the largest entries share the gradient of the
inf-norm evenly, and an entry of 0 gets no gradient whatever p is.
"""

from __future__ import annotations

import math
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread, sum_over
from symgrad.expr.dimension import normalise_axis
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.expr.reduction import Max
from symgrad.model.operations.operation import operation, refuse


def vector_norm(x: Node, p: Any, axis: int) -> Node:
    """The p-norm over `axis`, which is dropped; `p` from 0 (the count of non-zeros) to inf."""
    if p == 2:
        return elementwise(f.root, sum_over(elementwise(lambda a: a**2, x), (axis,)))
    if p == math.inf:
        return _largest(elementwise(f.absolute, x), axis)
    if p == 0:
        return sum_over(elementwise(lambda a: 1.0 * f.not_equal(a, 0), x), (axis,))
    if p == 1:
        return sum_over(elementwise(f.absolute, x), (axis,))
    power = number(p)
    if not power.is_positive:
        raise DefinitionError(f"p must not be negative, but is {p}")
    powers = elementwise(lambda a: f.where(f.equal(a, 0), 0, f.absolute(a) ** power), x)
    return elementwise(
        lambda s: f.where(f.equal(s, 0), 0, s ** (1 / power)), sum_over(powers, (axis,))
    )


def _largest(sizes: Node, axis: int) -> Node:
    """The largest entry, as the mean of all that are as large."""
    top = spread(Max(sizes, axis), {axis: sympy.S.One})
    share = elementwise(lambda a, t: 1.0 * f.equal(a, t), sizes, top)
    return sum_over(elementwise(lambda s, a: f.where(s, a, 0), share, sizes), (axis,)) / sum_over(
        share, (axis,)
    )


@operation
def normalize(input: Any, p: Any = 2.0, dim: int = 1, eps: Any = 1e-12, out: Any = None) -> Node:
    """The input over its p-norm along `dim`, or over `eps` where that is larger."""
    refuse(out=out)
    x, least = as_node(input), number(eps)
    if not x.ndim:
        raise ShapeError("the input needs an axis to be normalised along")
    axis = normalise_axis(dim, x.ndim, "dim")
    norm = spread(vector_norm(x, p, axis), {axis: sympy.S.One})
    return elementwise(lambda a, s: a / f.where(f.less(s, least), least, s), x, norm)
