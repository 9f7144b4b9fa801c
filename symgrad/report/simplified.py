"""What simplification made of the derivatives: each equation before and after, and which pass.

The passes run once more, watched: after each, the tensors that stand for the same origin are
compared as formulas over the named ones.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symgrad.derivation import Derived, passes_on_paper
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form, Pass
from symgrad.passes.pipeline import FOR_THE_MACHINE, run
from symgrad.report.reasons import reason
from symgrad.report.record.equation import Reason


@dataclass(frozen=True)
class History:
    """A form after each of the passes that it went through, the first as it was given."""

    stages: tuple[tuple[str, Form], ...]

    @cached_property
    def _standing(self) -> tuple[dict[Node, Node], ...]:
        """After each pass: origin -> what stands for it."""
        return tuple({o: node for node, o in form.origins.items()} for _, form in self.stages)

    def reasons(self, origin: Node, named: Container[Node]) -> tuple[Reason, ...]:
        """The passes that changed what stands for `origin`, as a formula over `named` origins."""
        found = []
        table: dict[object, int] = {}
        before: int | None = None
        for (name, form), stands in zip(self.stages, self._standing, strict=True):
            node = stands.get(origin, origin if name == "" else None)
            if node is None:
                continue
            now = _fingerprint(node, form.origins, named, table)
            if before is not None and now != before and name:
                found.append(reason(name))
            before = now
        return tuple(found)


def history(form: Form, passes: Sequence[Pass]) -> History:
    """`form` through `passes`, each tensor its own origin to begin with."""
    origins = {node: node for node in postorder(form.outputs.values())}
    start = Form(dict(form.outputs), dict(form.names), origins)
    stages: list[tuple[str, Form]] = [("", start)]
    run(start, passes, lambda name, now: stages.append((name, now)))
    return History(tuple(stages))


def history_on_paper(derived: Derived) -> History:
    """The derivatives of a function, from what the rules gave to what stands on paper."""
    return history(Form(dict(derived.raw), {}, {}), passes_on_paper(derived.name))


def for_the_machine(derived: Derived) -> dict[Node, Node]:
    """What the module computes -> what stands for it on paper."""
    origins = {node: node for node in postorder(derived.paper.outputs.values())}
    start = Form(dict(derived.paper.outputs), dict(derived.paper.names), origins)
    return run(start, FOR_THE_MACHINE).origins


def _fingerprint(
    root: Node, origins: Mapping[Node, Node], named: Container[Node], table: dict[object, int]
) -> int:
    """A number for the formula of `root` over named tensors: equal formulas have the same."""
    found: dict[Node, int] = {}
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, is_open = stack.pop()
        if is_open:
            order.append(node)
        elif node not in found:
            origin = origins.get(node)
            if node is not root and origin is not None and origin in named:
                found[node] = table.setdefault(("named", origin), len(table))
                continue
            found[node] = -1
            stack.append((node, True))
            stack.extend((operand, False) for operand in node.operands)
    for node in order:
        parts = tuple(found[a] if isinstance(a, Node) else a for a in node.args)
        found[node] = table.setdefault((type(node), parts), len(table))
    return found[root]
