"""Results in one formula: the derivatives that lie between are put in, as far as that reads well.

    d_Z = (P - Y)/n, d_W = X.T @ d_Z   ->   d_W = X.T @ (P - Y)/n

A formula reads what is given and the named tensors of the forward pass; where that says nothing
new, only what is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symgrad.expr.leaf import Constant, Cotangent, Leaf, Named, Tangent
from symgrad.expr.node import Node
from symgrad.expr.scan import Bundle, Final, Scan, Stacked
from symgrad.passes.form import Form
from symgrad.passes.one_formula import in_one_formula
from symgrad.report.equation_writer import EquationWriter
from symgrad.report.followed import Followed
from symgrad.report.followed_names import FollowedNames
from symgrad.report.notation import Math, symbol, text
from symgrad.report.notation.formula import Relation
from symgrad.report.record.equation import Equation

LONGEST = 64  # characters of a right side: what is longer is not read at a glance
LONGEST_WITH_INDICES = 96
LONGEST_OF_GIVEN = 32  # where only what is given is read, through all of the forward pass
MOST_PARTS = 16  # tensors that are put into one formula


@dataclass(frozen=True)
class ClosedForm:
    """The result `key` as `node`, which computes it from what `names` names alone."""

    key: str
    node: Node
    names: Mapping[Node, Math]

    @property
    def title(self) -> str:
        return f"in one formula: {self.key}"

    def equation(self, left: Math) -> Equation:
        return EquationWriter(self.names.get, {}).equation(self.node, left)


def closed_forms(called: FollowedNames) -> tuple[ClosedForm, ...]:
    """One for each derivative that has a short one which does not stand on the page already."""
    return tuple(_found(called))


def as_forms(followed: Followed, closed: tuple[ClosedForm, ...]) -> list[tuple[str, Form]]:
    """What is printed beside the module's own forms, each after the results that it must equal."""
    raw, printed = followed.derived.raw, followed.textbook.form.outputs
    is_new = printed != followed.derived.paper.outputs
    forms = [("", raw), ("as printed", printed)] if is_new else []
    for each in closed:
        forms += [("", {each.key: raw[each.key]}), (each.title, {each.key: each.node})]
    return [(title, Form(dict(outputs), {}, {})) for title, outputs in forms]


def _found(called: FollowedNames) -> Iterator[ClosedForm]:
    followed, named = called.followed, _names(called)
    given = {node: name for node, name in named.items() if isinstance(node, Leaf)}
    writer = EquationWriter(called.paper, {})
    for key, node in followed.textbook.form.outputs.items():
        if isinstance(node, Leaf) or node in followed.values_on_paper:
            continue
        left = called.result(key)
        for names, longest in ((named, LONGEST), (given, LONGEST_OF_GIVEN)):
            if not _is_small(node, names):
                continue
            closed = ClosedForm(key, in_one_formula(node, names), names)
            if closed.node in names or isinstance(closed.node, Constant):
                continue
            equation = closed.equation(left)
            if not _is_short(equation, longest):
                continue
            if _says_more(equation, writer.equation(node, left)):
                yield closed
                break


def _names(called: FollowedNames) -> dict[Node, Math]:
    """What is given and the tensors of the forward pass by the names that those have there."""
    followed, names = called.followed, called.journal
    textbook = followed.textbook
    found: dict[Node, Math] = {}
    for node in textbook.nodes:
        started = textbook.named.get(node, followed.started_as(node))
        if isinstance(node, Named):
            is_seed = isinstance(node, Tangent | Cotangent)
            found[node] = (names(node) if is_seed else None) or symbol(node.name)
        elif started in followed.told and started not in names.naming.automatic:
            name = names(started)
            if name is not None and not isinstance(node, Leaf):
                found[node] = name
    return found


def _is_small(root: Node, given: Mapping[Node, Math]) -> bool:
    """Whether few tensors stand between it and what is given, and no loop."""
    seen, stack = {root}, [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Scan | Stacked | Final | Bundle):
            return False
        new = [x for x in node.operands if x not in given and x not in seen]
        seen.update(new)
        stack += new
        if len(seen) > MOST_PARTS:
            return False
    return True


def _is_short(equation: Equation, longest: int) -> bool:
    """Whether each form that there is can be read at a glance."""
    most_indices = LONGEST_WITH_INDICES if equation.matrix is not None else longest
    forms = ((equation.matrix, longest), (equation.index, most_indices))
    return all(
        len(text(formula.right)) <= most
        for formula, most in forms
        if isinstance(formula, Relation)
    )


def _says_more(equation: Equation, stands: Equation) -> bool:
    return equation.either is not None and equation.either != stands.either
