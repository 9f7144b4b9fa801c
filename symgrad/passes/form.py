"""Form: what passes take and give: named outputs and, beside the graph, where its nodes come from.

    form = Form.of({"loss": loss, "d_W": gradient})
    form = form.rewritten(became)      # what each node became, as `walk.rewrite` returns it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy

from symgrad.expr.dimension import same_shape
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Constant, Named
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.walk import postorder


@dataclass(frozen=True)
class Form:
    """Expressions and what is known about them.

    outputs: what is to be computed, by name. names: what a node is called in emitted code.
    origins: the node that a node came from, as the definition or the derivation wrote it; a node
    that is not listed is its own origin.
    """

    outputs: dict[str, Node]
    names: dict[Node, str]
    origins: dict[Node, Node]

    @staticmethod
    def of(outputs: Mapping[str, Node], names: Mapping[Node, str] | None = None) -> Form:
        """`outputs` as they were written; by default nodes are called by their labels."""
        nodes = postorder(outputs.values())
        if names is None:
            names = {node: node.label for node in nodes if node.label is not None}
        return Form(dict(outputs), dict(names), {node: node for node in nodes})

    def rewritten(self, became: Mapping[Node, Node]) -> Form:
        """The form in which each node is what it became.

        Names and origins move along: of two that meet on one node the first stays, those whose
        node vanished are dropped. Outputs keep shape and kind.
        """
        outputs = {
            name: _like(node, became.get(node, node)) for name, node in self.outputs.items()
        }
        if outputs == self.outputs:
            return self
        alive = set(postorder(outputs.values()))
        names: dict[Node, str] = {}
        for node, name in self.names.items():
            new = became.get(node, node)
            if new in alive and not isinstance(new, Named):
                names.setdefault(new, name)
        origins: dict[Node, Node] = {}
        for node, origin in self.origins.items():
            new = became.get(node, node)
            if new in alive:
                origins.setdefault(new, origin)
        return Form(outputs, names, origins)


Pass = Callable[[Form], Form]

MOST_ROUNDS = 32


def repeated(form: Form, once: Pass) -> Form:
    """`form` after `once`, again and again until nothing changes.

    Every round keeps the values, so a form that has not settled after MOST_ROUNDS is right, too.
    """
    for _ in range(MOST_ROUNDS):
        new = once(form)
        if new is form:
            break
        form = new
    return form


def _like(before: Node, now: Node) -> Node:
    """`now`, as a float where `before` was one: a folded gradient may be the whole number 0."""
    assert same_shape(before.shape, now.shape), (before, now)
    if before.dtype != FLOAT or now.dtype == FLOAT:
        return now
    if isinstance(now, Constant):
        return Constant(now.value, now.shape, FLOAT)
    return Map(sympy.Float(1) * slot(0), now)
