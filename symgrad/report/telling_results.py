"""What a derivation page arrives at: derivatives on paper, what simplified them, the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symgrad.expr.leaf import Constant, Leaf, Named
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan
from symgrad.report.chapters import grouped
from symgrad.report.closed_forms import ClosedForm
from symgrad.report.equation_sides import anchored, differ, is_circular, with_names
from symgrad.report.equation_writer import EquationWriter, shape_of
from symgrad.report.notation import Math, symbol
from symgrad.report.paper_names import owners_of
from symgrad.report.reasons import BY_NAME, told_once
from symgrad.report.record.derivation import Group, Result
from symgrad.report.record.equation import Closed, Equation, Prose, Rewriting
from symgrad.report.simplified import history_on_paper
from symgrad.report.telling import Telling


def derivatives(telling: Telling) -> list[tuple[str, Equation]]:
    """The equations on paper that were not told as part of the forward pass, with their layers."""
    followed, names = telling.followed, telling.names.paper
    writer = EquationWriter(names, followed.paper_numbers, telling.evidence)
    told = set(telling.forward_lines)
    beyond = followed.beyond(told | telling.of_steps)
    returned = set(followed.textbook.form.outputs.values())
    lines = [
        node
        for node in names.naming.lines
        if names(node) is not None
        and node not in telling.of_steps
        and node in beyond
        and not (node in followed.values_on_paper and followed.started_as(node) in told)
    ]
    taken = {equation.anchor for equation in telling.forward}
    also = _also_called(telling)
    equations = [
        replace(
            with_names(
                telling.equation(node, writer, names, names.naming.names),
                also.get(followed.started_as(node), ()),
            ),
            is_result=node in returned,
        )
        for node in lines
    ]
    layers = map(telling.layer_of_derivative, lines)
    return list(zip(layers, anchored(equations, taken), strict=True))


def _also_called(telling: Telling) -> dict[Node, tuple[Math, ...]]:
    """What else a derivative is called: of a sum z = u + b, the derivatives by all three."""
    names = telling.names.journal
    found: dict[Node, tuple[Math, ...]] = {}
    for (mark, node), primals in owners_of(telling.derived.journal).items():
        known = [x for x in primals if x in telling.model.names or isinstance(x, Named)]
        called = (names.derivative(x, mark) for x in known if mark == "d")
        found[node] = tuple(dict.fromkeys(name for name in called if name is not None))
    return found


def simplifications(telling: Telling, explained: set[str]) -> tuple[Group, ...]:
    """The derivatives that read differently after they were simplified.

    explained: names of passes whose reason was told; it grows.
    """
    followed, derived = telling.followed, telling.derived
    if not derived.journal.steps:
        return ()
    textbook, names, was = followed.textbook, telling.names.paper, telling.names.journal
    writer = EquationWriter(names, followed.paper_numbers)
    passed = history_on_paper(derived)
    told = set(telling.forward_lines)
    read = {n for n, o in textbook.form.origins.items() if o in textbook.read}
    standing = {origin: node for node, origin in derived.paper.origins.items()}
    found = []
    for node in names.naming.lines:
        origin = followed.started_as(node)
        if origin is node or node in followed.values_on_paper or origin in told:
            continue
        if node in telling.of_steps or origin in textbook.along:
            continue
        name = names(node)
        if was(origin) is None or isinstance(origin, Leaf) or name is None:
            continue
        old, new = telling.writer.equation(origin, name), writer.equation(node)
        simplified = standing.get(origin, node)
        reasons = passed.reasons(origin, was.naming.names)
        if simplified is not node and not read.isdisjoint(node.operands):
            is_same = not differ(old, writer.equation(simplified, name))
            reasons = (*(() if is_same else reasons), BY_NAME)
        if differ(old, new) and reasons and not is_circular(old):
            title = telling.layer_of_derivative(node)
            found.append((title, Rewriting(old, new, _besides(telling, node, writer), reasons)))
    told_as = told_once((rewriting for _, rewriting in found), explained)
    titles = [title for title, _ in found]
    return grouped(list(zip(titles, told_as, strict=True)), "simplified")


def _besides(telling: Telling, line: Node, writer: EquationWriter) -> tuple[Equation, ...]:
    """What the formula of `line` reads that no equation and no step above has told."""
    names, was = telling.names.paper, telling.names.journal
    above = set(telling.forward_lines)
    found: set[Node] = set()
    seen, stack = {line}, list(line.operands)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        origin = telling.followed.started_as(node)
        is_told = origin in above or node in telling.of_steps or isinstance(node, Leaf | Scan)
        name = names(node)
        if is_told or (name is not None and name == was(origin)):
            continue
        if name is not None:
            found.add(node)
        stack += node.operands
    return tuple(writer.equation(node) for node in names.naming.lines if node in found)


def in_one_formula(telling: Telling, closed: Sequence[ClosedForm]) -> tuple[Closed, ...]:
    """The results that have one, and what computing it gave."""
    evidence = telling.evidence
    return tuple(
        Closed(
            form.equation(telling.names.result(form.key)),
            evidence.agreed(form.title) if evidence is not None else None,
        )
        for form in closed
    )


def results(telling: Telling, told: Mapping[str, Equation]) -> tuple[Result, ...]:
    """What the function returns. `told`: the equations of the page by number."""
    found = []
    for key, node in telling.followed.textbook.form.outputs.items():
        number = telling.followed.paper_numbers.get(node)
        text = "" if number is None else str(number)
        target = told[text].anchor if text in told else ""
        known = telling.names.paper(node) if node in telling.followed.values_on_paper else None
        name = known if known is not None else telling.names.result(key)
        found.append(Result(key, name, text, target, shape_of(node)))
    return tuple(found)


def independent(telling: Telling) -> tuple[Prose, ...]:
    """What is given and never read."""
    unread = telling.derived.unread
    return tuple((symbol(leaf.name), " is not read: no result depends on it") for leaf in unread)


def zeros(telling: Telling) -> tuple[Prose, ...]:
    """The results that are 0 whatever is given."""
    found = [
        (telling.names.result(key), " is 0 everywhere")
        for key, node in telling.derived.form.outputs.items()
        if isinstance(node, Constant) and node.value == 0
    ]
    return tuple(dict.fromkeys(found))
