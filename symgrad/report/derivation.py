"""The derivation of one function, told from the journal and the forms that it lies between.

Tensors are followed through these forms by their origins, so that an equation of the forward pass,
a derivative on paper and a line of code bear the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.calculus.journal import Journal
from symgrad.emit.body import Block
from symgrad.expr.leaf import Constant, Leaf, Named
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan, Stacked
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION
from symgrad.report.chapters import grouped, layer_of, layers_of
from symgrad.report.closed_forms import ClosedForm
from symgrad.report.code_lines import code_blocks
from symgrad.report.costs import Costs, cost_table
from symgrad.report.derivation_record import (
    Closed,
    DerivationRecord,
    Drawing,
    Equation,
    Excerpt,
    Explanation,
    Given,
    Group,
    Inner,
    Prose,
    Result,
    Rewriting,
)
from symgrad.report.equation_sides import anchored, differ, is_circular, with_names
from symgrad.report.equation_writer import EquationWriter, Evidence, shape_of
from symgrad.report.excerpts import excerpts
from symgrad.report.explanations import explanations
from symgrad.report.followed import Followed, read_of_steps
from symgrad.report.journal_steps import Surroundings, step_records
from symgrad.report.notation import Math, symbol
from symgrad.report.paper_names import PaperNames, owners_of
from symgrad.report.reasons import BY_NAME, told_once
from symgrad.report.scan_steps import StepOnPaper, owner_in
from symgrad.report.simplified import history, history_on_paper

LEVELS = ("summary", "steps", "every")
LEADS = {
    "forward": "the outputs of the model",
    "loss": "the loss",
    "value_and_grad": "the loss and its gradient with respect to every parameter",
    "input_grad": "the gradient of the loss with respect to the inputs",
    "jvp": "the outputs, and how they change when the parameters move along a direction",
    "vjp": "the outputs, and the gradient of their sum, weighted by given cotangents",
    "hvp": "the Hessian of the loss times a direction",
    "hessian": "the second derivatives of the loss, block by block",
    "jacobian": "the derivatives of the outputs with respect to every parameter",
    "per_example_grad": "for each example the gradient of its own loss",
}


@dataclass(frozen=True)
class Emitted:
    """What is known of the module: its lines, and what they cost."""

    blocks: Sequence[Block] = ()
    costs: Costs | None = None


def derivation_record(
    followed: Followed,
    emitted: Emitted,
    closed: Sequence[ClosedForm] = (),
    *,
    definition: tuple[Excerpt, ...] | None = None,
    graph: Drawing | None = None,
    evidence: Evidence | None = None,
) -> DerivationRecord:
    """What is to be told about a function.

    `closed`: results in one formula. `definition`: the user's own words, by default the lines that
    the model's tensors come from. `evidence`: values and checks, if they were computed.
    """
    return _Telling(followed, emitted, closed, evidence).record(definition, graph)


class _Telling:
    def __init__(
        self,
        followed: Followed,
        emitted: Emitted,
        closed: Sequence[ClosedForm],
        evidence: Evidence | None,
    ) -> None:
        self.followed, self.emitted, self.closed = followed, emitted, closed
        self.derived, self.model = followed.derived, followed.model
        self.evidence = evidence
        self.names = followed.journal_names
        self.writer = EquationWriter(self.names, followed.started_numbers, evidence)
        self.taken = {*self.names.naming.names.values(), *followed.paper.names.values()}
        self.of_steps: set[Node] = set()  # not told: they are told as tensors of a step
        self.explained: set[str] = set()  # passes whose reason was told
        self.printed = followed.textbook.form.outputs
        raw = self.derived.raw.values()
        self._name_steps(self.names, postorder([*followed.forward_roots, *raw]))
        self._name_steps(followed.paper_names, postorder(self.printed.values()))
        self.forward_lines = [
            node for node in followed.started.lines
            if node in followed.told and node not in self.of_steps
            and self.names(node) is not None
        ]  # fmt: skip
        self.forward = anchored(
            self._equation(node, self.writer, self.names, followed.told)
            for node in self.forward_lines
        )
        self.owner = owner_in(followed.forward_roots, self.names)
        self.layers = layers_of(followed.forward_roots, self.owner)
        self.anchors = {
            node: equation.anchor
            for node, equation in zip(self.forward_lines, self.forward, strict=True)
        }

    def record(
        self, definition: tuple[Excerpt, ...] | None, graph: Drawing | None
    ) -> DerivationRecord:
        followed, derived, model = self.followed, self.derived, self.model
        lines, derivatives = self._derivatives()
        told = {e.number: e for e in (*derivatives, *self.forward) if e.number}
        titles = [self.layers.get(node, "") for node in self.forward_lines]
        derived_titles = [self._layer_of_derivative(node) for node in lines]
        layer_of_number = {
            equation.number: title
            for title, equation in zip(
                (*titles, *derived_titles), (*self.forward, *derivatives), strict=True
            )
        }
        code = code_blocks(self.emitted.blocks, followed, told)
        labels = {int(n): e.name for n, e in told.items() if e.name is not None}
        labels |= {
            int(block.number): block.equation.name
            for block in code
            if block.equation is not None and block.equation.name is not None
        }
        shown = followed.level != LEVELS[0]
        costs = self.emitted.costs
        return DerivationRecord(
            title=f"{model.name}: the derivation of {derived.name}",
            model=model.name,
            function=derived.name,
            level=followed.level,
            lead=self._lead(),
            definition=self._definition() if definition is None else definition,
            given=tuple(map(self._given, (*model.parameters, *model.states, *model.inputs))),
            graph=graph,
            rewritings=self._rewritings(),
            forward=grouped(list(zip(titles, self.forward, strict=True)), "forward"),
            chapters=self._chapters() if shown else (),
            simplifications=self._simplifications() if shown else (),
            derivatives=grouped(
                list(zip(derived_titles, derivatives, strict=True)), "derivatives"
            ),
            closed=tuple(map(self._closed, self.closed)),
            results=self._results(told),
            independent=tuple(
                (symbol(leaf.name), " is not read: no result depends on it")
                for leaf in derived.unread
            ),
            zeros=self._zeros(),
            code=grouped([(layer_of_number.get(b.number, ""), b) for b in code], "code"),
            costs=cost_table(costs, labels, tuple(followed.forward_numbers)) if costs else None,
            explanations=self._explanations() if shown else (),
            verification=self.evidence.summary if self.evidence is not None else "",
        )

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

    def _equation(
        self, node: Node, writer: EquationWriter, names: PaperNames, around: Iterable[Node]
    ) -> Equation:
        """An equation; of a scan, those of its step."""
        equation = writer.equation(node)
        if not isinstance(node, Scan):
            return equation
        step = StepOnPaper(node, read_of_steps(around, node), names, self.taken)
        return replace(equation, intro=step.intro, steps=step.equations)

    # -- what was defined --------------------------------------------------------------------

    def _lead(self) -> Prose:
        what = LEADS[self.derived.name]
        if not self.derived.journal.steps:
            return (f"How {what} are computed." if self.derived.name == "forward"
                    else f"How {what} is computed.",)  # fmt: skip
        lead: list[str | Math] = [f"How {what} come about, from the definition to the code. "]
        if self.followed.loss is not None and self.followed.loss in self.followed.told:
            lead += [self.names.loss, " is the loss, "]
            lead += [self.names.derivative(self.followed.loss) or "", " its derivative by itself."]
            lead = [lead[0], self.names.loss, " stands for the loss. "]
        lead.append("A vector is a column, indices count from 0, and ⊙ multiplies entry by entry.")
        return tuple(lead)

    def _definition(self) -> tuple[Excerpt, ...]:
        leaves = (*self.model.parameters, *self.model.states, *self.model.inputs)
        places = [leaf.location for leaf in leaves]
        places += [node.location for node in postorder(self.model.values().values())]
        places.append(self.model.location)
        return excerpts(dict.fromkeys(place for place in places if place is not None))

    def _given(self, leaf: Named) -> Given:
        return Given(
            type(leaf).__name__.lower(), leaf.name, self.names(leaf) or symbol(leaf.name),
            shape_of(leaf), leaf.dtype, leaf.location or "",
            self.evidence.value_of(leaf) if self.evidence is not None else None,
        )  # fmt: skip

    def _rewritings(self) -> tuple[Rewriting, ...]:
        """The equations of the definition that read differently after they were rewritten."""
        stabilised, before = self.followed.stabilised, self.followed.defined
        names = PaperNames(before, {}, {}, self.model.loss, called=self.followed.loss_name)
        was = EquationWriter(names, {})
        told = {n for n, origin in stabilised.origins.items() if names(origin) is not None}
        passed = history(Form(self.model.values(), {}, {}), BEFORE_DERIVATION)
        found: dict[tuple[Math | None, Math | None], Rewriting] = {}
        for node in self.forward_lines:
            origin = stabilised.origins.get(node)
            if origin is None or origin is node or names(origin) is None:
                continue
            if isinstance(origin, Leaf):
                continue
            old, new = was.equation(origin), self.writer.equation(node)
            reasons = passed.reasons(origin, before.names)
            if not differ(old, new) or not reasons:
                continue
            needed = self.followed.started.untold(node, told)
            rewriting = Rewriting(old, new, tuple(map(self.writer.equation, needed)), reasons)
            found.setdefault((old.index, new.index), rewriting)
        return told_once(found.values(), self.explained)

    # -- the differentiation -----------------------------------------------------------------

    def _chapters(self) -> tuple[Group, ...]:
        around = Surroundings(
            self.names, self.writer, frozenset(self.followed.told), self.owner, self.anchors,
            self.followed.level, self._within,
        )  # fmt: skip
        steps = step_records(self.derived.journal, around)
        return grouped([(self.layers.get(node, ""), step) for node, step in steps], "steps")

    def _layer_of_derivative(self, paper: Node) -> str:
        """The layer of the tensor that a tensor on paper is the derivative of."""
        journal, node = self.derived.journal, self.followed.started_as(paper)
        for _ in range(3):  # the change of a derivative of a tensor
            node = journal.provenance.get(node, journal.motion.get(node, node))
        if isinstance(node, Named):
            return layer_of(node.name)
        return self.layers.get(node, "")

    def _within(self, scan: Scan, journal: Journal, prefix: str) -> _ToldStep:
        read = read_of_steps(self.followed.told, scan)
        return _ToldStep(self, StepOnPaper(
            scan, read, self.names, self.taken, journal, self.followed.level
        ), journal, prefix)  # fmt: skip

    def _explanations(self) -> tuple[Explanation, ...]:
        steps = list(self.derived.journal.steps)
        for journal in self.derived.journal.inner.values():
            steps += journal.steps
        return explanations(steps)

    # -- what became of the derivatives ------------------------------------------------------

    def _derivatives(self) -> tuple[list[Node], tuple[Equation, ...]]:
        """The equations on paper that were not told as part of the forward pass."""
        followed = self.followed
        names = followed.paper_names
        writer = EquationWriter(names, followed.paper_numbers, self.evidence)
        told = set(self.forward_lines)
        returned = set(self.printed.values())
        lines = [
            node
            for node in followed.paper.lines
            if names(node) is not None
            and node not in self.of_steps
            and node in followed.beyond_values
            and not (node in followed.values_on_paper and followed.started_as(node) in told)
        ]
        taken = {equation.anchor for equation in self.forward}
        also = self._also_called()
        equations = [
            replace(
                with_names(
                    self._equation(node, writer, names, followed.paper.names),
                    also.get(followed.started_as(node), ()),
                ),
                is_result=node in returned,
            )
            for node in lines
        ]
        return lines, anchored(equations, taken)

    def _also_called(self) -> dict[Node, tuple[Math, ...]]:
        """What else a derivative is called: of a sum z = u + b, the derivatives by all three."""
        found: dict[Node, tuple[Math, ...]] = {}
        for (mark, node), primals in owners_of(self.derived.journal).items():
            known = [x for x in primals if x in self.model.names or isinstance(x, Named)]
            names = (self.names.derivative(x, mark) for x in known if mark == "d")
            found[node] = tuple(dict.fromkeys(name for name in names if name is not None))
        return found

    def _simplifications(self) -> tuple[Group, ...]:
        followed = self.followed
        if not followed.derived.journal.steps:
            return ()
        names = followed.paper_names
        writer = EquationWriter(names, followed.paper_numbers)
        passed = history_on_paper(self.derived)
        told = set(self.forward_lines)
        read = {n for n, o in followed.textbook.form.origins.items() if o in followed.textbook.read}
        standing = {origin: node for node, origin in self.derived.paper.origins.items()}
        found = []
        for node in followed.paper.lines:
            origin = followed.started_as(node)
            if origin is node or node in followed.values_on_paper or origin in told:
                continue
            if node in self.of_steps or origin in followed.textbook.along:
                continue
            name = names(node)
            if self.names(origin) is None or isinstance(origin, Leaf) or name is None:
                continue
            old, new = self.writer.equation(origin, name), writer.equation(node)
            simplified = standing.get(origin, node)
            reasons = passed.reasons(origin, self.names.naming.names)
            if simplified is not node and not read.isdisjoint(node.operands):
                is_same = not differ(old, writer.equation(simplified, name))
                reasons = (*(() if is_same else reasons), BY_NAME)
            if differ(old, new) and reasons and not is_circular(old):
                title = self._layer_of_derivative(node)
                found.append((title, Rewriting(old, new, (), reasons)))
        told_as = told_once((rewriting for _, rewriting in found), self.explained)
        titles = [title for title, _ in found]
        return grouped(list(zip(titles, told_as, strict=True)), "simplified")

    def _closed(self, form: ClosedForm) -> Closed:
        equation = form.equation(self.followed.result_symbol(form.key))
        return Closed(equation, self.evidence.agreed(form.title) if self.evidence else None)

    def _results(self, told: Mapping[str, Equation]) -> tuple[Result, ...]:
        followed = self.followed
        found = []
        for key, node in self.printed.items():
            number = followed.paper_numbers.get(node)
            text = "" if number is None else str(number)
            name = followed.result_symbol(key)
            target = told[text].anchor if text in told else ""
            found.append(Result(key, name, text, target, shape_of(node)))
        return tuple(found)

    def _zeros(self) -> tuple[Prose, ...]:
        found = [
            (self.followed.result_symbol(key), " is 0 everywhere")
            for key, node in self.derived.form.outputs.items()
            if isinstance(node, Constant) and node.value == 0
        ]
        return tuple(dict.fromkeys(found))


class _ToldStep:
    """The step of a scan and its derivation."""

    def __init__(
        self, telling: _Telling, step: StepOnPaper, journal: Journal, prefix: str
    ) -> None:
        self.arrival = step.arrival
        writer = EquationWriter(step.names, {}, telling.evidence)
        owner = owner_in(step.roots, step.names)
        around = Surroundings(
            step.names, writer, step.told, owner, {}, telling.followed.level,
            telling._within, prefix,
        )  # fmt: skip
        steps = tuple(record for _, record in step_records(journal, around))
        self.inner = Inner(step.intro, step.equations, steps)
