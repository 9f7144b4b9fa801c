"""What a check of a step sees: the values at one point, and the derivation that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from symgrad.calculus.journal import Step
from symgrad.evaluation.carried import Array
from symgrad.evaluation.interpreter import Evaluation, Value
from symgrad.evaluation.sizes import Sizes
from symgrad.expr.node import Node
from symgrad.expr.walk import depends_on, postorder


@dataclass
class Stretch:
    """Steps of one derivation within a journal: from its seeds on."""

    mode: str
    seeds: list[Node] = field(default_factory=list)
    moving: dict[Node, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """One point: the values of all that is asked for, and a source of random changes."""

    values: Evaluation
    rng: np.random.Generator

    @property
    def sizes(self) -> Sizes:
        return self.values.sizes

    def below(self, node: Node) -> list[Value]:
        return self.values.values(node.operands)

    def known(self, step: Step) -> dict[Node, Value]:
        """The tensors that a step starts from, and those that its result is computed from."""
        nodes = [*step.node.operands, *step.before, *step.result.operands]
        return dict(zip(nodes, self.values.values(nodes), strict=True))

    def elsewhere(self, given: Mapping[Node, Value], outputs: Sequence[Node]) -> list[Array]:
        """`outputs` where some nodes have other values."""
        order = postorder(outputs)
        reached = depends_on(outputs, given)
        border = _border(order, reached, outputs)
        kept = {node: self.values.value(node) for node in border if node not in given}
        values = Evaluation({**kept, **given}, self.sizes).values(outputs)
        return [np.asarray(value) for value in values]


def _border(order: Sequence[Node], reached: set[Node], outputs: Sequence[Node]) -> Iterator[Node]:
    """What stays as it is, and is read by what does not or is an output."""
    for node in order:
        if node in reached:
            yield from (operand for operand in node.operands if operand not in reached)
    yield from (output for output in outputs if output not in reached)
