"""Expressions in a few equations: one for each tensor that has a name, and for what is too long.

    z = X W + b        h = tanh(z)        h @ V, which has no name, stands alone at the end
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symgrad.expr.leaf import Leaf, Named
from symgrad.expr.node import Node
from symgrad.expr.scan import Bundle, Scan, Stacked
from symgrad.expr.walk import postorder
from symgrad.report.equation_writer import EquationWriter
from symgrad.report.naming_on_paper import given_to_scans, naming_on_paper
from symgrad.report.notation import Math
from symgrad.report.paper_names import PaperNames
from symgrad.report.record.equation import Equation
from symgrad.report.scan_steps import StepOnPaper, read_of_steps


def short_form(
    roots: Sequence[Node], names: Mapping[Node, str], loss: Node | None = None
) -> tuple[Equation, ...]:
    """The equations of `roots`, operands first. `names`: of tensors; the loss is a letter."""
    order = postorder(roots)
    names = {**{scan: "loop" for scan in order if isinstance(scan, Scan)}, **names}
    naming = naming_on_paper([*roots, *given_to_scans(roots)], names)
    called = None if loss is None or isinstance(loss, Leaf) else names.get(loss)
    paper = PaperNames(naming, loss=loss, called=called)
    taken = set(naming.names.values())
    scans = {n: StepOnPaper(n, read_of_steps(order, n), paper, taken)
             for n in order if isinstance(n, Scan)}  # fmt: skip
    of_steps: dict[Node, Math] = {}
    for scan, step in scans.items():
        stacks = [n for n in order if isinstance(n, Stacked) and n.scan is scan and n not in names]
        of_steps |= step.from_outside(stacks)
    paper.rename(of_steps)
    writer = EquationWriter(paper, {})
    lines = [n for n in naming.lines if n not in of_steps and paper(n) is not None]
    lines += [n for n in roots if n not in lines and not isinstance(n, Scan | Bundle)]
    found = []
    for node in lines:
        if isinstance(node, Scan):
            step = scans[node]
            found.append(replace(writer.named(node), intro=step.intro, steps=step.equations))
        elif isinstance(node, Named) or paper(node) is None:
            found.append(writer.inline(node))
        else:
            found.append(writer.equation(node))
    return tuple(found)
