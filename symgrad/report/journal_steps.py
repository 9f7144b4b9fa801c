"""The steps of a journal as records: what arrives, which rule, what each operand receives.

    5-7  through  h = tanh(x W + b)                                  model.py:12
         rule     entry by entry; sums of products
         from     dL/dh            [n, 8]
         gives    dL/dW = x^T (dL/dh * (1 - h^2))    [3, 8], as W

At the level "steps", tensors without a name are told together with the one that they are written
inside of; at "every", each entry of the journal is a step of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from symgrad.calculus.journal import FORWARD, Journal, Step
from symgrad.expr.dimension import same_shape
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.expr.scan import Bundle, Final, Scan
from symgrad.expr.walk import uses
from symgrad.report.causes import causes
from symgrad.report.equation_writer import EquationWriter, shape_of
from symgrad.report.notation import Along, Math, Partial, Words
from symgrad.report.notation.step_letter import step_letter
from symgrad.report.paper_names import PaperNames, names_of
from symgrad.report.record.equation import Equation
from symgrad.report.record.steps import Arrival, Inner, StepRecord
from symgrad.report.step_groups import RULES, step_groups

FITTED = {"unbroadcast": "summed over what was stretched", "broadcast": "stretched to its shape"}
VERBS = {
    "rule": "through", "accumulate": "add up the paths to", "zero": "slope 0 on every path to",
    "independent": "nothing leads to", "batch": "every direction at once for",
}  # fmt: skip
EVERY = "every"

class Told(Protocol):
    """The step of a scan, told as a derivation of its own."""

    inner: Inner

    def arrival(self, position: int, left: Math) -> Math:
        """What the scan's operand at `position` receives, by what its steps receive."""


Within = Callable[[Scan, Journal, str], Told]


@dataclass(frozen=True)
class Surroundings:
    """What a journal is told in. told: tensors explained before. owner: the tensor with a name

    that another is written inside of. anchors: of the forward equations. within: tells the step
    of a scan. prefix: of the anchors of the steps.
    """

    names: PaperNames
    writer: EquationWriter
    told: frozenset[Node]
    owner: Callable[[Node], Node]
    anchors: dict[Node, str]
    level: str
    within: Within
    prefix: str = "step"


def step_records(journal: Journal, around: Surroundings) -> list[tuple[Node, StepRecord]]:
    """Every step of `journal`, with the tensor that it is about."""
    return list(_Teller(journal, around).steps())


class _Teller:
    def __init__(self, journal: Journal, around: Surroundings) -> None:
        self.journal, self.around = journal, around
        self.names = around.names
        self.lent: dict[Node, Math] = {}  # of derivatives that were not told under their own yet
        self.base = self.writer = around.writer.calling(self.lent)  # `writer`: that of the step
        self.is_every = around.level == EVERY
        self.told = set(around.told)
        self.called: dict[Node, Math] = {}  # under which name a derivative was told first
        self.summed = {step.node for step in journal.steps if step.kind == "accumulate"}

    def steps(self) -> Iterator[tuple[Node, StepRecord]]:
        for about, steps in step_groups(self.journal, self.around.owner, self.is_every):
            record = self._step(about, steps)
            if record.arrivals or record.inner is not None or self.is_every:
                yield about, record

    def _step(self, about: Node, steps: list[Step]) -> StepRecord:
        first, last = min(s.number for s in steps), max(s.number for s in steps)
        step = steps[0]
        name = self._name(about)
        is_scan = isinstance(about, Scan)
        anchor = f"{self.around.prefix}-{first}"
        told = None
        if isinstance(about, Scan) and about in self.journal.inner:
            told = self.around.within(about, self._passed_within(about, step.mode), anchor)
        own = [s for s in steps if not isinstance(s.result, Bundle)]
        self.writer = self._writer_within(about, own)
        explained = [s for s in own if s.node is about] or own if is_scan else own
        evidence = self.writer.evidence
        verb = "start along" if step.mode == FORWARD else "start from"
        number = f"{first}" if len(steps) == 1 else f"{first} to {last}"
        return StepRecord(
            number=number,
            anchor=anchor,
            verb=VERBS.get("rule" if is_scan or step.kind in FITTED else step.kind, verb),
            about=name,
            equation=self._passed(about, step),
            causes=causes(explained, name, self._read),
            before=tuple(self._before(own)),
            arrivals=tuple(self._arrivals(about, own, told)),
            where=step.location or "",
            inner=told.inner if told is not None else None,
            verified=evidence.verified(steps) if evidence is not None else None,
        )

    def _passed_within(self, scan: Scan, mode: str) -> Journal:
        """The derivation of the step of a scan, in one direction."""
        inner = self.journal.inner[scan]
        return replace(inner, steps=[step for step in inner.steps if step.mode == mode])

    def _name(self, node: Node) -> Math:
        if isinstance(node, Scan):
            return Words(f"the loop over {step_letter().base}")
        return self.names(node) or self.writer.inline(node).either or Words("it")

    def _passed(self, about: Node, step: Step) -> Equation | None:
        """The forward equation through which a step goes, with a link to it."""
        is_rule = step.kind in RULES
        if not is_rule or isinstance(about, Leaf | Scan) or self.names(about) is None:
            return None
        return replace(self.writer.equation(about), anchor=self.around.anchors.get(about, ""))

    def _read(self, node: Node) -> list[Math]:
        """The named tensors that `node` reads, itself or through what is written inside of it."""
        found: dict[Node, None] = {}
        stack = list(reversed(node.operands))
        while stack:
            operand = stack.pop()
            if isinstance(operand, Scan):
                continue
            if self.names(operand) is not None:
                found.setdefault(operand)
            else:
                stack.extend(reversed(operand.operands))
        return names_of(found, self.names)

    def _before(self, steps: Sequence[Step]) -> Iterator[Equation]:
        """The derivatives that a step starts from: those that no other entry of it made."""
        seen: set[Node] = set()
        for step in steps:
            for node in () if step.kind in ("seed", "accumulate") else step.before:
                parts = node.operands if isinstance(node, Bundle) else (node,)
                for part in parts:
                    if part not in seen and not isinstance(part, Scan) and self._stands(part):
                        seen.add(part)
                        yield self._arriving(step, part)
            seen.add(step.result)

    def _stands(self, node: Node) -> bool:
        """Whether the reader knows it; else it is told beside what reads it."""
        return node in self.told or node not in self.names.naming.automatic

    def _writer_within(self, about: Node, steps: Sequence[Step]) -> EquationWriter:
        """In a step, what arrives is called the derivative by the tensor that it is about."""
        first = next((s for s in steps if s.node is about and s.position is not None), None)
        if first is None or self.names(about) is None or len(first.before) != 1:
            return self.base
        if isinstance(about, Scan) or isinstance(first.before[0], Leaf):
            return self.base
        return self.base.calling({first.before[0]: self._derivative(about, first.mode)})

    def _arriving(self, step: Step, node: Node) -> Equation:
        """What a step starts from: in reverse mode the derivative by what it is about."""
        is_its_own = step.position is not None and step.kind == "rule"
        if not is_its_own or isinstance(step.node, Scan) or self.names(step.node) is None:
            return self.writer.inline(node)
        return self.writer.named(node, self._derivative(step.node, step.mode))

    def _arrivals(
        self, about: Node, steps: Sequence[Step], told: Told | None
    ) -> Iterator[Arrival]:
        fitted_later = {(s.node, s.position) for s in steps if s.kind in FITTED}
        for step in steps:
            receiver = step.operand if step.operand is not None else step.node
            if isinstance(receiver, Scan) or (
                step.kind == "rule" and (step.node, step.position) in fitted_later
            ):
                continue
            is_inside = self.around.owner(receiver) is not receiver and receiver is not about
            if not self.is_every and is_inside:
                continue
            arrival = self._arrival(step, receiver)
            if told is not None and step.position is not None:
                left = arrival.equation.name or self._derivative(receiver, step.mode)
                by_steps = told.arrival(step.position, left)
                equation = replace(self.writer.named(step.result, left), matrix=by_steps)
                arrival = replace(arrival, equation=equation, needed=())
            yield arrival

    def _arrival(self, step: Step, receiver: Node) -> Arrival:
        result = step.result
        if step.kind == "batch":
            return self._every_direction(step)
        is_part = receiver in self.summed and (step.position is not None or step.kind == "seed")
        is_raw = step.kind == "rule" and step.position is not None
        is_raw = is_raw and not same_shape(result.shape, receiver.shape)
        left = self._derivative(receiver, step.mode)
        if not is_part and not is_raw:
            left = self._left(result, receiver, left)
        if is_part or is_raw:
            equation = self._once(result)
        elif result in self.told or (isinstance(result, Leaf) and self.names(result) is not None):
            equation = self.writer.same(result, left, self.called.get(result))
        else:
            equation = self.writer.equation(result, left)
        if not is_part and not is_raw:
            self._call(result, receiver, left)
        needed = self._needed(result)
        expected = step.node if is_raw else receiver
        fits = same_shape(result.shape, expected.shape)
        return Arrival(
            receiver=self._name(receiver),
            equation=equation,
            needed=needed,
            shape=shape_of(result) or "a number",
            expected=shape_of(expected) or "a number",
            fits=fits,
            is_part=is_part,
            how=FITTED.get(step.kind, "before what was stretched is summed" if is_raw else ""),
        )

    def _left(self, result: Node, receiver: Node, left: Math) -> Math:
        """What a derivative is called, here and from here on.

        The derivative by what has no name of its own keeps the name that a reader of it needs.
        """
        own = self.names(result)
        if own is None or result not in self.names.naming.automatic or result in self.told:
            return left
        if not self._has_name(receiver):
            return own
        self.names.rename({result: left})
        return left

    def _needed(self, result: Node) -> tuple[Equation, ...]:
        """What the formula of `result` reads and no step has told; it is told from here on."""
        if result in self.told:
            return ()
        untold = self.names.naming.untold(result, self.told)
        needed = [node for node in untold if not isinstance(node, Scan | Bundle)]
        self.told.update(needed, [result])
        return tuple(map(self.writer.equation, needed))

    def _has_name(self, node: Node) -> bool:
        """Whether it has one, or is what a loop leaves: h[T - 1] says what it is as well."""
        return self.names(node) is not None or isinstance(node, Final)

    def _call(self, result: Node, receiver: Node, left: Math) -> None:
        """`result` was told as `left`, and is called so until it is told under its own name."""
        if left == self.names(result):
            self.lent.pop(result, None)
        elif self._has_name(receiver) and not isinstance(result, Leaf) and result not in self.told:
            self.lent[result] = left
        self.called.setdefault(result, left)

    def _every_direction(self, step: Step) -> Arrival:
        """A derivative along one direction, with one more axis for each axis of the directions."""
        (one,), result = step.before, step.result
        equation = self._once(result)
        needed = self._needed(result)
        name = self.names(one)
        return Arrival(
            receiver=name if name is not None else self._name(step.node),
            equation=equation,
            needed=needed,
            shape=shape_of(result),
            expected=shape_of(one),
            fits=same_shape(result.shape[len(result.shape) - one.ndim :], one.shape),
            how="with the axes of the directions in front",
        )

    def _once(self, node: Node) -> Equation:
        if self.names(node) is None or node in self.told or isinstance(node, Leaf):
            return self.writer.inline(node)
        return self.writer.equation(node)

    def _derivative(self, node: Node, mode: str) -> Math:
        mark = "t" if mode == FORWARD else "d"
        known = self.names.derivative(node, mark)
        if known is not None:
            return known
        name = self._name(node)
        return Along(name) if mark == "t" else Partial(name, self.names.loss)


def told_apart(roots: Iterable[Node], names: Container[Node]) -> Callable[[Node], bool]:
    """Whether a tensor below `roots` has a line of its own: a name, or several readers."""
    counts = uses(roots)
    return lambda node: node in names or isinstance(node, Leaf) or counts.get(node, 2) > 1


def displayed(journal: Journal, is_told: Callable[[Node], bool], level: str) -> list[Node]:
    """The derivatives that a telling of `journal` shows, each on a line of its own."""
    found: list[Node] = []
    for step in journal.steps:
        if level == EVERY or step.operand is None or is_told(step.operand):
            for node in (*step.before, step.result) if level == EVERY else (step.result,):
                found += node.operands if isinstance(node, Bundle) else (node,)
    return found
