"""Losses of distributions: divergence from a target, likelihood of a sample."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread
from symgrad.expr.dimension import same, same_shape
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.model.layers.losses import Loss, of_one_shape, positive, reduced
from symgrad.model.operations.operation import operation, refuse


@operation
def kl_div(input: Any, target: Any, size_average: Any = None, reduce: Any = None,
           reduction: str = "mean", log_target: bool = False) -> Node:  # fmt: skip
    """t (log t - x) for log-probabilities x and probabilities t (their logarithms: log_target).

    `reduction` may also be "batchmean": the sum over the size of axis 0, as the divergence is
    defined. The slope in t is 0 where t is 0 (PyTorch: nan).
    """
    refuse(size_average=size_average, reduce=reduce)
    pair = of_one_shape(input=input, target=target)
    if log_target:
        losses = elementwise(lambda x, t: f.exp(t) * (t - x), *pair)
    else:
        losses = elementwise(lambda x, t: f.where(f.equal(t, 0), 0, t * f.log(t)) - t * x, *pair)
    if reduction == "batchmean":
        return reduced(losses, "mean", count=losses.shape[0] if losses.ndim else 1)
    return reduced(losses, reduction)


@operation
def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False,
    size_average: Any = None, eps: Any = 1e-8, reduce: Any = None, reduction: str = "mean",
) -> Node:  # fmt: skip
    """exp(x) - t x for the logarithm x of a Poisson rate; x - t log(x + eps) for the rate itself.

    `full` adds Stirling's approximation of log(t!) where t is above 1.
    """
    refuse(size_average=size_average, reduce=reduce)
    least = number(eps)

    def formula(x: Any, t: Any) -> Any:
        loss = f.exp(x) - t * x if log_input else x - t * f.log(x + least)
        if not full:
            return loss
        stirling = t * f.log(t) - t + f.log(2 * f.pi * t) / 2
        return loss + f.where(f.less(1, t), stirling, 0)

    return reduced(elementwise(formula, *of_one_shape(input=input, target=target)), reduction)


@operation
def gaussian_nll_loss(input: Any, target: Any, var: Any, full: bool = False, eps: Any = 1e-6,
                      reduction: str = "mean") -> Node:  # fmt: skip
    """(log v + (x - t)^2 / v) / 2 for the mean x and the variance v of a normal distribution.

    `var`: a number, or in the shape of the input, or with one variance for the entries of one
    axis: of size 1 there, or without the last one. A variance below eps counts as eps, and gets
    the slope at eps (a negative one, too, which PyTorch refuses). `full` adds log(2 pi) / 2.
    """
    x, t = of_one_shape(input=input, target=target)
    least = positive(eps, "eps")
    constant = f.log(2 * f.pi) / 2 if full else 0

    def formula(x: Any, t: Any, v: Any) -> Any:
        v = f.raised(v, least)
        return (f.log(v) + (x - t) ** 2 / v) / 2 + constant

    return reduced(elementwise(formula, x, t, _variances(var, x)), reduction)


def _variances(var: Any, x: Node) -> Node:
    variances = as_node(var)
    if not isinstance(var, Node) and not variances.ndim:
        positive(var, "var")
        return variances
    if same_shape(variances.shape, x.shape):
        return variances
    if x.ndim and same_shape(variances.shape, x.shape[:-1]):
        return spread(variances, {x.ndim - 1: sympy.S.One})
    if variances.ndim == x.ndim:
        sizes = zip(variances.shape, x.shape, strict=True)
        if [size for size, wanted in sizes if not same(size, wanted)] == [1]:
            return variances
    raise ShapeError(
        "var must have the shape of the input, or size 1 on one axis, or lack the last axis"
    )


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence of log-probabilities from a target distribution."""

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
                 log_target: bool = False) -> None:  # fmt: skip
        super().__init__(
            size_average=size_average, reduce=reduce, reduction=reduction, log_target=log_target
        )

    def forward(self, input: Any, target: Any) -> Node:
        return kl_div(input, target, **self.arguments)


class PoissonNLLLoss(Loss):
    """Minus the log-probability of counts under Poisson distributions."""

    def __init__(self, log_input: bool = True, full: bool = False, size_average: Any = None,
                 eps: Any = 1e-8, reduce: Any = None, reduction: str = "mean") -> None:  # fmt: skip
        super().__init__(
            log_input=log_input,
            full=full,
            size_average=size_average,
            eps=eps,
            reduce=reduce,
            reduction=reduction,
        )

    def forward(self, log_input: Any, target: Any) -> Node:
        return poisson_nll_loss(log_input, target, **self.arguments)


class GaussianNLLLoss(Loss):
    """Minus the log-probability of samples under normal distributions."""

    def __init__(self, *, full: bool = False, eps: Any = 1e-6, reduction: str = "mean") -> None:
        super().__init__(full=full, eps=eps, reduction=reduction)

    def forward(self, input: Any, target: Any, var: Any) -> Node:
        return gaussian_nll_loss(input, target, var, **self.arguments)
