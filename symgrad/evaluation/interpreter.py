"""The interpreter: what tensor expressions come to, one node at a time, in float64.

    >>> from symgrad.expr import operators as _
    >>> from symgrad.expr.leaf import Input
    >>> x = Input("x", (3,))
    >>> y = x * 2 + 1
    >>> Evaluation({x: np.arange(3.0)}, Sizes({})).value(y).tolist()
    [1.0, 3.0, 5.0]

What was computed once is kept, so many roots share their work. Arrays may carry a change
(`carried.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.errors import CheckError
from symgrad.evaluation.carried import Array
from symgrad.evaluation.nodes import RULES
from symgrad.evaluation.sizes import Sizes
from symgrad.expr.node import Node
from symgrad.expr.scan import Bundle, Final, Scan, Stacked

Value = Any  # an array; a Run for a scan; for a bundle, an array under each key
KINDS = {"float": np.float64, "int": np.int64, "bool": np.bool_}


class Evaluation:
    """Values of nodes, given those of some: of leaves, as a rule."""

    def __init__(self, given: Mapping[Node, Value], sizes: Sizes) -> None:
        self.sizes = sizes
        self._values: dict[Node, Value] = {
            node: typed(value, node) if not isinstance(node, Scan | Bundle) else value
            for node, value in given.items()
        }

    def value(self, node: Node) -> Value:
        """What `node` comes to. Raises: CheckError if it needs a leaf that is not given."""
        if node not in self._values:
            for each in self._missing([node]):
                below = [self._values[operand] for operand in each.operands]
                self._values[each] = self._computed(each, below)
        return self._values[node]

    def values(self, nodes: Iterable[Node]) -> list[Value]:
        """The value of each of `nodes`."""
        return [self.value(node) for node in nodes]

    def value_if_given(self, node: Node) -> Value | None:
        """The same; None if it needs something that is not given."""
        try:
            return self.value(node)
        except CheckError:
            return None

    def _computed(self, node: Node, below: list[Value]) -> Value:
        value = computed(node, below, self.sizes)
        if not isinstance(node, Scan | Bundle):
            expected = self.sizes.shape(node.shape)
            if np.shape(value) != expected:
                raise CheckError(
                    f"{node} has the shape {np.shape(value)}, not {expected}", where=node.location
                )
        return value

    def _missing(self, roots: Iterable[Node]) -> list[Node]:
        """What has to be computed for `roots`, operands first."""
        order: list[Node] = []
        seen: set[Node] = set()
        stack = [(root, False) for root in roots]
        while stack:
            node, is_ready = stack.pop()
            if is_ready:
                order.append(node)
            elif node not in seen and node not in self._values:
                seen.add(node)
                stack.append((node, True))
                stack.extend((operand, False) for operand in reversed(node.operands))
        return order


def computed(node: Node, below: Sequence[Value], sizes: Sizes) -> Value:
    """What `node` comes to for these values of its operands."""
    if isinstance(node, Scan):
        return Run(node, list(below), sizes)
    if isinstance(node, Bundle):
        return dict(zip(node.keys, below, strict=True))
    if isinstance(node, Final):
        return below[0].final(node.state)
    if isinstance(node, Stacked):
        return below[0].stacked(node.inner)
    rule = RULES.get(type(node))
    if rule is None:
        raise CheckError(f"no value is given for {node}", where=node.location)
    with np.errstate(all="ignore"):
        return typed(rule(node, list(below), sizes), node)


def typed(value: Any, node: Node) -> Array:
    """`value` as an array of the kind of `node`; one that carries a change keeps it."""
    array = np.asarray(value)
    if np.iscomplexobj(array) and node.dtype == "float":
        return array
    return array.astype(KINDS[node.dtype], copy=False)


class Run:
    """A scan that has been run, one step after the other: any tensor of it can be asked for."""

    def __init__(self, node: Scan, operands: list[Array], sizes: Sizes) -> None:
        self.node, self.operands, self.sizes = node, operands, sizes
        self._stacks: dict[Node, Array] = {}

    @cached_property
    def _ran(self) -> tuple[list[Evaluation], list[Array]]:
        step = self.node.step
        given = dict(zip(step.bound, self.operands, strict=True))
        state = [given[bound] for bound in step.carried]
        count = self.sizes.of(self.node.length)
        steps: list[Any] = [None] * count
        for t in reversed(range(count)) if self.node.is_reversed else range(count):
            entries = {bound: given[bound][t] for bound in step.sequences}
            fixed = {bound: given[bound] for bound in step.fixed}
            now = dict(zip(step.carried, state, strict=True))
            steps[t] = Evaluation(fixed | entries | now, self.sizes)
            state = steps[t].values(step.following)
        return steps, state

    @property
    def steps(self) -> list[Evaluation]:
        """What each step was given, and what it computed, by its place in the sequences."""
        return self._ran[0]

    def final(self, state: Node) -> Array:
        """What `state`, a carried tensor, is after the last step."""
        return self._ran[1][self.node.step.carried.index(state)]

    def stacked(self, inner: Node) -> Array:
        """A tensor of the step at every step."""
        if inner not in self._stacks:
            rows = [step.value(inner) for step in self.steps]
            shape = (len(rows), *self.sizes.shape(inner.shape))
            self._stacks[inner] = np.array(rows).reshape(shape) if rows else np.zeros(shape)
        return typed(self._stacks[inner], inner)
