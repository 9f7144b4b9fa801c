"""Losses of embeddings: whether two vectors point the same way, or one is nearer than another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.errors import ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import sum_over
from symgrad.expr.dimension import same_shape
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.model.layers.losses import Loss, above_zero, of_one_shape, positive, reduced
from symgrad.model.layers.similarity import pairwise_distance
from symgrad.model.operations.operation import operation, refuse

# PyTorch adds 1e-12, rounded to 32 bits, to squared lengths: the cosine of a zero vector is 0.
COSINE_EPS = 9.999999960041972e-13


@operation
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: Any = 0, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Node:  # fmt: skip
    """1 - cos(a, b) where the target is 1; max(0, cos(a, b) - margin) where it is -1.

    input1, input2: [n, d] with target [n], or [d] with target [].
    """
    refuse(size_average=size_average, reduce=reduce)
    a, b = of_one_shape(input1=input1, input2=input2)
    t = as_node(target)
    if a.ndim not in (1, 2) or not same_shape(t.shape, a.shape[:-1]):
        raise ShapeError("the inputs must be [n, d] with a target [n], or [d] with a target []")
    gap, eps, axis = number(margin), number(COSINE_EPS), a.ndim - 1

    def dot(x: Node, y: Node) -> Node:
        return sum_over(x * y, (axis,))

    def formula(ab: Any, aa: Any, bb: Any, t: Any) -> Any:
        cosine = ab / f.sqrt((aa + eps) * (bb + eps))
        alike = f.where(f.equal(t, 1), 1 - cosine, 0)
        return alike + f.where(f.equal(t, -1), above_zero(cosine - gap), 0)

    return reduced(elementwise(formula, dot(a, b), dot(a, a), dot(b, b), t), reduction)


@operation
def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: Any = 1.0, p: Any = 2, eps: Any = 1e-6,
    swap: bool = False, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Node:  # fmt: skip
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), d the p-norm of the difference.

    Vectors lie on the last axis; eps is added to their difference. `swap`: the negative may be
    compared with the positive instead of the anchor, whichever is nearer.
    """
    refuse(size_average=size_average, reduce=reduce)
    triple = of_one_shape(anchor=anchor, positive=positive, negative=negative)
    return _triplet(triple, lambda a, b: pairwise_distance(a, b, p, eps), margin, swap, reduction)


@operation
def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *,
    distance_function: Callable[[Any, Any], Any] | None = None, margin: Any = 1.0,
    swap: bool = False, reduction: str = "mean",
) -> Node:  # fmt: skip
    """`triplet_margin_loss` with a distance of one's own, by default the Euclidean one."""
    triple = of_one_shape(anchor=anchor, positive=positive, negative=negative)
    return _triplet(triple, distance_function or pairwise_distance, margin, swap, reduction)


def _triplet(
    triple: tuple[Node, ...], distance: Callable[[Any, Any], Any], margin: Any, swap: bool,
    reduction: str,
) -> Node:  # fmt: skip
    gap = positive(margin, "margin")
    anchor, alike, other = triple
    near, far = distance(anchor, alike), distance(anchor, other)
    if swap:
        far = elementwise(f.minimum, far, distance(alike, other))
    return reduced(elementwise(lambda a, b: above_zero(gap + a - b), near, far), reduction)


class CosineEmbeddingLoss(Loss):
    """One minus the cosine of pairs that are alike, the excess over a margin of others."""

    def __init__(self, margin: Any = 0.0, size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(
            margin=margin, size_average=size_average, reduce=reduce, reduction=reduction
        )

    def forward(self, input1: Any, input2: Any, target: Any) -> Node:
        return cosine_embedding_loss(input1, input2, target, **self.arguments)


class TripletMarginLoss(Loss):
    """The anchor should be nearer to the positive than to the negative, by a margin."""

    def __init__(self, margin: Any = 1.0, p: Any = 2.0, eps: Any = 1e-6, swap: bool = False,
                 size_average: Any = None, reduce: Any = None,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(
            margin=margin,
            p=p,
            eps=eps,
            swap=swap,
            size_average=size_average,
            reduce=reduce,
            reduction=reduction,
        )

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Node:
        return triplet_margin_loss(anchor, positive, negative, **self.arguments)


class TripletMarginWithDistanceLoss(Loss):
    """`TripletMarginLoss` with a distance of one's own."""

    def __init__(self, *, distance_function: Callable[[Any, Any], Any] | None = None,
                 margin: Any = 1.0, swap: bool = False,
                 reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(
            distance_function=distance_function, margin=margin, swap=swap, reduction=reduction
        )

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Node:
        return triplet_margin_with_distance_loss(anchor, positive, negative, **self.arguments)
