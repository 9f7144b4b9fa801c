"""The differentiation on a derivation page: its steps, layer by layer, and the rules that it uses.

The step of a loop is told within the step that passes the loop, as a derivation of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from symgrad.calculus.journal import Journal
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan
from symgrad.report.chapters import grouped
from symgrad.report.equation_writer import EquationWriter
from symgrad.report.explanations import explanations
from symgrad.report.journal_steps import Surroundings, step_records
from symgrad.report.notation.step_letter import within_a_step
from symgrad.report.paper_names import PaperNames
from symgrad.report.record.derivation import Group
from symgrad.report.record.steps import Explanation, Inner
from symgrad.report.scan_steps import StepOnPaper, owner_in, read_of_steps
from symgrad.report.telling import Telling


def chapters(telling: Telling) -> tuple[Group, ...]:
    """The steps of the journal."""
    within = partial(_ToldStep, telling, telling.names.journal, telling.followed.told)
    around = Surroundings(
        telling.names.journal, telling.writer, frozenset(telling.followed.told), telling.owner,
        telling.anchors, telling.names.level, within,
    )  # fmt: skip
    steps = step_records(telling.derived.journal, around)
    return grouped([(telling.layers.get(node, ""), step) for node, step in steps], "steps")


def rules(telling: Telling) -> tuple[Explanation, ...]:
    """The families of rules that the journal and those of steps use."""
    journal = telling.derived.journal
    return explanations([s for each in (journal, *journal.inner.values()) for s in each.steps])


class _ToldStep:
    """The step of a scan and its derivation.

    names, told: what things are called around the scan, and what is told there. prefix: of the
    anchors of its steps.
    """

    def __init__(
        self, telling: Telling, names: PaperNames, told: Collection[Node], scan: Scan,
        journal: Journal, prefix: str,
    ) -> None:  # fmt: skip
        level = telling.names.level
        step = StepOnPaper(scan, read_of_steps(told, scan), names, telling.taken, journal, level)
        self.arrival = step.arrival
        around = Surroundings(
            step.names, EquationWriter(step.names, {}, telling.evidence), step.told,
            owner_in(step.roots, step.names), {}, level,
            partial(_ToldStep, telling, step.names, step.told), prefix,
        )  # fmt: skip
        with within_a_step():
            steps = tuple(record for _, record in step_records(journal, around))
        self.inner = Inner(step.intro, step.equations, steps)
