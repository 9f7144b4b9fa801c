"""AdaptiveLogSoftmaxWithLoss: a softmax over many classes, the rare ones in clusters of their own.

The head scores the frequent classes and each cluster as a whole; within a cluster, a smaller layer
scores its classes. So log p(class) = log p(cluster) + log p(class within its cluster).
Source: Grave, Joulin, Cisse, Grangier and Jegou, Efficient softmax approximation for GPUs, 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import sum_over
from symgrad.expr.dimension import as_dimension, same, shape_text
from symgrad.expr.node import INT, Node, user_location
from symgrad.expr.operand import as_node, elementwise, name_of
from symgrad.expr.reduction import ArgMax
from symgrad.expr.reindex import Concat, Reshape, Slice
from symgrad.model.layers.container import ModuleList, Sequential
from symgrad.model.layers.linear import Linear
from symgrad.model.layers.losses_classification import at_labels
from symgrad.model.layers.module import Module
from symgrad.model.operations.normal import log_softmax
from symgrad.model.operations.operation import refuse_of, whole_number


class Scored(NamedTuple):
    """`output`: the log-probability of each target, [n]. `loss`: minus their mean."""

    output: Node
    loss: Node


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log-probabilities of targets [n] for an input [n, in_features].

    `cutoffs`: where the clusters begin; the classes from cutoffs[i] to cutoffs[i + 1] are one. The
    layer of cluster i is `div_value`**(i + 1) times narrower than the input. (Every cluster is
    scored for every row; PyTorch scores it for the rows whose target lies in it.)
    """

    def __init__(self, in_features: int, n_classes: int, cutoffs: Sequence[int],
                 div_value: Any = 4.0, head_bias: bool = False, device: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        refuse_of("AdaptiveLogSoftmaxWithLoss", device=device, dtype=dtype)
        self.in_features = whole_number(in_features, "in_features")
        self.n_classes = whole_number(n_classes, "n_classes")
        ends = [whole_number(cutoff, "a cutoff") for cutoff in cutoffs]
        if not ends or sorted(set(ends)) != ends or ends[0] < 1 or ends[-1] >= self.n_classes:
            raise DefinitionError(
                "AdaptiveLogSoftmaxWithLoss: the cutoffs must be one or more ascending whole "
                f"numbers from 1 to {self.n_classes - 1}, not {list(cutoffs)}",
                where=user_location(),
            )
        self.cutoffs = [*ends, self.n_classes]
        self.div_value = div_value
        self.head = Linear(self.in_features, ends[0] + len(ends), bias=head_bias)
        self.tail = ModuleList()
        for i in range(len(ends)):
            width = int(self.in_features // (div_value ** (i + 1)))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(self.in_features, width, bias=False), Linear(width, size, bias=False)
                )
            )

    def forward(self, input_: Any, target_: Any) -> Scored:
        x, target = as_node(input_), as_node(target_)
        self._check(x, target)
        is_batched = x.ndim == 2
        if not is_batched:
            x, target = Reshape(x, (1, *x.shape)), Reshape(target, (1,))
        head = log_softmax(self.head(x), 1)
        first = self.cutoffs[0]
        output = at_labels(head, _within(target, 0, first), 1)
        for i, (cluster, start) in enumerate(zip(self.tail, self.cutoffs, strict=False)):
            end = self.cutoffs[i + 1]
            is_last = end == self.n_classes
            label = _within(target, start, None if is_last else end)
            inner = at_labels(log_softmax(cluster(x), 1), label, 1)
            outer = Reshape(_columns(head, first + i, 1), inner.shape)
            output = elementwise(
                lambda t, a, b, c, s=start: f.where(f.less(t, s), c, a + b),
                target, outer, inner, output,
            )  # fmt: skip
        loss = sum_over(output, (0,), -1 / output.shape[0])
        return Scored(output if is_batched else Reshape(output, ()), loss)

    def log_prob(self, input: Any) -> Node:
        """The log-probabilities of all classes, [n, n_classes]."""
        x = as_node(input)
        head = log_softmax(self.head(x), 1)
        first = self.cutoffs[0]
        parts = [_columns(head, 0, first)]
        for i, cluster in enumerate(self.tail):
            parts.append(_columns(head, first + i, 1) + log_softmax(cluster(x), 1))
        return Concat(1, *parts)

    def predict(self, input: Any) -> Node:
        """The most probable class of each row, [n]."""
        return ArgMax(self.log_prob(input), 1)

    def _check(self, x: Node, target: Node) -> None:
        facts = {
            name_of(x) or "input": shape_text(x.shape),
            name_of(target) or "target": shape_text(target.shape),
        }
        width = as_dimension(self.in_features)
        if x.ndim not in (1, 2) or not same(x.shape[-1], width):
            raise ShapeError(
                f"{self._title()} expects an input [n, {width}] or [{width}]",
                where=user_location(), facts=facts,
            )  # fmt: skip
        if target.dtype != INT or target.shape != x.shape[:-1]:
            raise ShapeError(
                f"{self._title()} expects a target of class indices, one for each row of the input",
                where=user_location(), facts=facts,
            )  # fmt: skip


def _columns(scores: Node, start: int, count: int) -> Node:
    return Slice(scores, [(sympy.S.Zero, scores.shape[0], 1), (start, count, 1)])


def _within(target: Node, start: int, end: int | None) -> Node:
    """The targets counted from `start`; those of other clusters count as the first or the last.

    The last cluster (`end` None) keeps what is too large, and the first what is negative: such a
    target is refused when it is looked up.
    """

    def formula(t: Any) -> Any:
        t = t - start if end is None else f.minimum(t, end - 1) - start
        return f.maximum(t, 0) if start else t

    return elementwise(formula, target)
