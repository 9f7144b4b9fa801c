"""The lines of the module beside the equations that they compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.emit.body import Block
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan, Stacked
from symgrad.expr.walk import postorder
from symgrad.report.equation_writer import EquationWriter
from symgrad.report.followed import Followed
from symgrad.report.followed_names import FollowedNames
from symgrad.report.notation import Math
from symgrad.report.notation.build import transposed
from symgrad.report.notation.entry import entry_of
from symgrad.report.notation.names import derivative
from symgrad.report.notation.step_letter import step_letter
from symgrad.report.record.derivation import CodeBlock
from symgrad.report.record.equation import Equation
from symgrad.report.scan_steps import around_step, step_names


def code_blocks(
    blocks: Sequence[Block], called: FollowedNames, told: Mapping[str, Equation]
) -> tuple[CodeBlock, ...]:
    """`blocks` with their equations. `told`: those that stand further up, by number."""
    followed = called.followed
    outside, inside = module_names(called)
    writer = EquationWriter(outside.get, followed.numbers)
    of_steps = EquationWriter(inside.get, followed.numbers)
    by_number = {n: node for node, n in followed.numbers.items() if node in followed.code_names}
    found: list[CodeBlock] = []
    shown: set[int] = set()
    for k, block in enumerate(blocks):
        node = None if block.number is None else by_number.get(block.number)
        if block.number is None:
            found.append(CodeBlock("", f"code-part-{k}", "", None, block.lines))
            continue
        number = str(block.number)
        is_first = block.number not in shown
        shown.add(block.number)
        equation = None
        if node is not None and is_first and not isinstance(node, Scan):
            equation = (of_steps if node in inside else writer).equation(node)
        before = told.get(number)
        found.append(
            CodeBlock(
                number,
                f"code-{number}" if is_first else f"code-{number}-{k}",
                f"eq-{number}" if before is not None else "",
                equation,
                block.lines,
                before is not None and equation is not None and _differ(before, equation),
            )
        )
    return tuple(found)


def module_names(called: FollowedNames) -> tuple[dict[Node, Math], dict[Node, Math]]:
    """What the module's tensors are called: as on paper, where they stand there; and in steps."""
    followed, on_paper, loss = called.followed, called.paper, called.journal.loss
    names: dict[Node, Math] = {}
    for node, name in followed.code_names.items():
        paper = node if isinstance(node, Leaf) else followed.on_paper(node)
        known = None
        if paper is not None and (isinstance(paper, Leaf) or paper in on_paper.naming.names):
            known = _as_laid_out(on_paper(paper), paper, followed)
        if isinstance(node, Stacked) and known is None:
            if node.inner in node.scan.step.carried:
                continue  # the state before each step, written as that
            if node.inner in followed.code_names:  # the step is its first index
                known = derivative(followed.code_names[node.inner], loss)
        names[node] = known if known is not None else derivative(name, loss)
    nodes = postorder(followed.derived.form.outputs.values())
    inside: dict[Node, Math] = {}
    scans = [node for node in nodes if isinstance(node, Scan)]
    _name_steps(scans, followed.code_names, loss, names, inside)
    return names, inside


def _as_laid_out(name: Math | None, paper: Node, followed: Followed) -> Math | None:
    """The name of a matrix that the module lays out the other way; what else it turns has none."""
    if name is None or paper not in followed.textbook.turned:
        return name
    return transposed(name) if paper.ndim == 2 else None


def _name_steps(
    scans: Sequence[Scan],
    code_names: Mapping[Node, str],
    loss: Math,
    names: dict[Node, Math],
    inside: dict[Node, Math],
) -> None:
    """Names in the steps of `scans`: in the code's words, with the step as an index."""
    for scan in scans:
        nodes = set(postorder(scan.step.following))
        given = step_names(scan, names.get, loss)
        for state, follows in zip(scan.step.carried, scan.step.following, strict=True):
            called = code_names.get(state)
            if called is not None:
                names[state] = derivative(called, loss)
                given[state], after = around_step(scan, state, names[state])
                if not isinstance(follows, Leaf):
                    given[follows] = after
        for node in code_names:
            if node in nodes and node not in given:
                given[node] = entry_of(derivative(code_names[node], loss), (step_letter(),))
        inside.update(given)
        _name_steps([n for n in nodes if isinstance(n, Scan)], code_names, loss, names, inside)


def _differ(paper: Equation, module: Equation) -> bool:
    """Whether the module computes it in another form."""
    return paper.matrix != module.matrix and paper.index != module.index


