"""What all parts of a derivation page share: the equations of the forward pass and their layers.

Tensors are followed through the forms of a derivation by their origins, so that an equation of the
forward pass, a derivative on paper and a line of code bear the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from symgrad.expr.leaf import Named
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan, Stacked
from symgrad.expr.walk import postorder
from symgrad.report.chapters import layer_of, layers_of
from symgrad.report.equation_sides import anchored
from symgrad.report.equation_writer import EquationWriter, Evidence
from symgrad.report.followed_names import FollowedNames
from symgrad.report.paper_names import PaperNames
from symgrad.report.record.equation import Equation
from symgrad.report.scan_steps import StepOnPaper, owner_in, read_of_steps


class Telling:
    """A derivation as it is told. `evidence`: values and checks, if they were computed.

    forward_lines, forward: the tensors of the forward pass that have a line, and their equations.
    anchors: of these. layers: of all tensors of the forward pass. owner: the tensor with a name
    that another is written inside of. of_steps: tensors that are told as those of a step. taken:
    names that are not to be given again.
    """

    def __init__(self, names: FollowedNames, evidence: Evidence | None) -> None:
        self.names, self.followed = names, names.followed
        self.derived, self.model = self.followed.derived, self.followed.model
        self.evidence = evidence
        followed, journal_names = self.followed, names.journal
        self.writer = EquationWriter(journal_names, followed.started_numbers, evidence)
        self.taken = {
            *journal_names.naming.names.values(), *names.paper.naming.names.values()
        }  # fmt: skip
        self.of_steps: set[Node] = set()
        raw, printed = self.derived.raw.values(), followed.textbook.form.outputs.values()
        passed = [step.result for step in self.derived.journal.steps]
        self._name_steps(journal_names, postorder([*followed.forward_roots, *raw, *passed]))
        self._name_steps(names.paper, postorder(printed))
        self.forward_lines = [
            node for node in names.started.lines
            if node in followed.told and node not in self.of_steps
            and journal_names(node) is not None
        ]  # fmt: skip
        self.forward = anchored(
            self.equation(node, self.writer, journal_names, followed.told)
            for node in self.forward_lines
        )
        self.owner = owner_in(followed.forward_roots, journal_names)
        self.layers = layers_of(followed.forward_roots, self.owner)
        self.anchors = {
            node: equation.anchor
            for node, equation in zip(self.forward_lines, self.forward, strict=True)
        }

    def equation(
        self, node: Node, writer: EquationWriter, names: PaperNames, around: Iterable[Node]
    ) -> Equation:
        """An equation; of a scan, those of its step. `around`: what may read the step."""
        equation = writer.equation(node)
        if not isinstance(node, Scan):
            return equation
        step = StepOnPaper(node, read_of_steps(around, node), names, self.taken)
        return replace(equation, intro=step.intro, steps=step.equations)

    def layer_of_derivative(self, paper: Node) -> str:
        """The layer of the tensor that a tensor on paper is the derivative of."""
        journal, node = self.derived.journal, self.followed.started_as(paper)
        for _ in range(3):  # the change of a derivative of a tensor
            node = journal.provenance.get(node, journal.motion.get(node, node))
        if isinstance(node, Named):
            return layer_of(node.name)
        return self.layers.get(node, "")

    def _name_steps(self, names: PaperNames, nodes: Sequence[Node]) -> None:
        """A tensor of a step, at every step, is called as in the step: its first index is t."""
        users = {n for n, o in self.followed.stabilised.origins.items() if o in self.model.names}
        for scan in (node for node in nodes if isinstance(node, Scan)):
            step = StepOnPaper(scan, read_of_steps(nodes, scan), names, self.taken)
            stacks = [
                node for node in nodes
                if isinstance(node, Stacked) and node.scan is scan and node not in users
                and self.followed.started_as(node) not in users
            ]  # fmt: skip
            called = step.from_outside(stacks)
            names.rename(called)
            self.of_steps.update(called)
