"""Passes inside the steps of scans: a step is simplified as the form around it is.

All steps of a form are one form while a pass looks at them: the step of a backward scan stands
over the tensors of the step that it was derived from, and is to read what that one computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan, Stacked, Step, wishes
from symgrad.expr.walk import postorder, rewrite
from symgrad.passes.form import Form, Pass


def everywhere(each: Pass) -> Pass:
    """`each`, on a form and on the steps of its scans, to any depth."""

    def applied(form: Form) -> Form:
        form = each(form)
        nodes = postorder(form.outputs.values())
        if not any(isinstance(node, Scan) for node in nodes):
            return form
        return _within(form, nodes, applied)

    return applied


def _within(form: Form, nodes: Iterable[Node], applied: Callable[[Form], Form]) -> Form:
    """`form` with its steps after `applied`."""
    wanted = results_of_steps(nodes)
    inner = Form.of({str(i): node for i, node in enumerate(wanted)})
    after = applied(inner)
    for node, name in after.names.items():
        node.label = node.label or name
    for node, origin in after.origins.items():
        if origin in wishes:
            wishes.setdefault(node, wishes[origin])
    became = {node: after.outputs[str(i)] for i, node in enumerate(wanted)}
    if all(new is old for old, new in became.items()):
        return form
    return form.rewritten(
        rewrite(form.outputs.values(), lambda now, was: with_results(now, was, became))
    )


def results_of_steps(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """What the scans among `nodes` must compute in their steps: next states, and what is read."""
    found: dict[Node, None] = {}
    for node in nodes:
        if isinstance(node, Scan):
            found |= dict.fromkeys(node.step.following)
        elif isinstance(node, Stacked):
            found.setdefault(node.inner)
    return tuple(found)


def with_results(now: Node, was: Node, became: dict[Node, Node]) -> Node:
    """A node rebuilt around scans whose steps compute `became[x]` for x."""
    if isinstance(now, Scan) and isinstance(was, Scan):
        step = was.step
        following = tuple(became[x] for x in step.following)
        if following == step.following and not step.companions:
            return now
        new = Step(step.carried, following, step.sequences, step.fixed)
        return Scan(new, now.length, now.is_reversed, *now.operands)
    if isinstance(was, Stacked):
        return Stacked(now.operands[0], became[was.inner])
    return now


def name_steps(form: Form) -> Form:
    """The same form: the tensors that are left in its steps bear the names wished for them."""
    for node in postorder(form.outputs.values()):
        if isinstance(node, Scan):
            for inner in postorder(node.step.following):
                if inner.label is None and inner in wishes and not isinstance(inner, Leaf):
                    inner.label = wishes[inner]
    return form
