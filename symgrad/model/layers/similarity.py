"""How alike two vectors are: the cosine of their angle, the norm of their difference."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, spread
from symgrad.expr.dimension import broadcast, normalise_axis
from symgrad.expr.leaf import Table
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.expr.reindex import Take
from symgrad.model.layers.module import Module
from symgrad.model.layers.vector_norm import vector_norm
from symgrad.model.operations.operation import operation
from symgrad.model.operations.shaping import broadcast_to


@operation
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: Any = 1e-8) -> Node:
    """The sum over `dim` of the products of both, each over its length (`eps`, if that is larger).

    x1, x2: of shapes that broadcast; `dim` is an axis of the result, which lacks it.
    """
    x1, x2 = as_node(x1), as_node(x2)
    shape = broadcast((x1.shape, x2.shape))
    if not shape:
        raise ShapeError("the inputs need an axis of features")
    axis = normalise_axis(dim, len(shape), "dim")
    a, b = (broadcast_to(x, shape) for x in (x1, x2))
    axes = list(range(len(shape)))
    kept = [i for i in axes if i != axis]
    lengths = [vector_norm(x, 2, axis) for x in (a, b)]
    product, least = contract(kept, [(a, axes), (b, axes)]), number(eps)
    return elementwise(
        lambda ab, s, t: ab / (f.raised(s, least) * f.raised(t, least)), product, *lengths
    )


@operation
def pairwise_distance(x1: Any, x2: Any, p: Any = 2.0, eps: Any = 1e-6,
                      keepdim: bool = False) -> Node:  # fmt: skip
    """The p-norm over the last axis of x1 - x2 + eps; x1, x2 of shapes that broadcast."""
    little = number(eps)
    difference = elementwise(lambda a, b: a - b + little, x1, x2)
    if not difference.ndim:
        raise ShapeError("the inputs need an axis of features")
    axis = difference.ndim - 1
    norm = vector_norm(difference, p, axis)
    return spread(norm, {axis: sympy.S.One}) if keepdim else norm


@operation
def pdist(input: Any, p: Any = 2.0) -> Node:
    """The p-norms of the differences of all pairs of rows, those of the first row first.

    input: [n, d], n a number.
    """
    x = as_node(input)
    if x.ndim != 2 or not x.shape[0].is_Integer:
        raise ShapeError("the input must be [n, d] with a number n of rows")
    pairs = list(combinations(range(int(x.shape[0])), 2))
    first, second = (Take(x, Table(rows, (len(pairs),)), 0) for rows in _parted(pairs))
    return vector_norm(first - second, p, 1)


def _parted(pairs: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [i for i, _ in pairs], [j for _, j in pairs]


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along `dim`."""

    def __init__(self, dim: int = 1, eps: Any = 1e-8) -> None:
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Node:
        return cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the difference of vectors along the last axis."""

    def __init__(self, p: Any = 2.0, eps: Any = 1e-6, keepdim: bool = False) -> None:
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Node:
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
