"""The steps of a journal as titles and labelled lines.

    3-5  through h = x @ W + b  [n, 8]                         model.py:12
         rule      map_adjoint
         from      d_h  [n, 8]
         t1 gets   d_h
         b gets    d_h, summed over the axes that were stretched: d_b = sum(d_h, axis=0)  [8]

Entries about the same tensor that follow each other are told as one step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from symgrad.calculus.journal import FORWARD, Step
from symgrad.expr.dimension import shape_text
from symgrad.expr.equation import reference, right_side
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.report.derivation_record import Row, StepRecord
from symgrad.report.naming import Naming

FITTED = {"unbroadcast": "summed over what was stretched", "broadcast": "stretched to its shape"}


def step_records(steps: Sequence[Step], naming: Naming, told: set[Node]) -> tuple[StepRecord, ...]:
    """Every step of `steps`. `told`: tensors that have been explained before."""
    writer = _Writer(naming, set(told))
    groups = groupby(
        steps, lambda s: (s.mode, s.node, s.kind == "rule" or s.kind in FITTED or s.kind)
    )
    return tuple(writer.step(list(group)) for _, group in groups)


def rule_rows(steps: Sequence[Step]) -> tuple[Row, ...]:
    """The rules that `steps` used and their formulas, in the order of their first use."""
    return tuple(
        Row(name, text) for name, text in {s.rule: s.formula for s in steps if s.rule}.items()
    )


Told = tuple[str, str, list[Row]]


class _Writer:
    def __init__(self, naming: Naming, told: set[Node]) -> None:
        self.naming = naming
        self.told = told

    def step(self, steps: list[Step]) -> StepRecord:
        first, last = steps[0], steps[-1]
        title, about, rows = TELLERS[first.kind](self, steps)
        number = str(first.number) if first is last else f"{first.number}-{last.number}"
        return StepRecord(number, title, about, first.location or "", tuple(rows))

    def short(self, node: Node) -> str:
        """The name, or the formula of what has none."""
        return reference(node, self.naming.name_of)

    def shaped(self, text: str, node: Node) -> str:
        return f"{text}  {shape_text(node.shape)}" if node.shape else text

    def equation(self, node: Node) -> str:
        """`name = formula` where it has a name, else the formula."""
        name = self.naming.name_of(node)
        formula = right_side(node, self.naming.name_of)
        return formula if name is None or isinstance(node, Leaf) else f"{name} = {formula}"

    def result(self, label: str, node: Node, how: str = "") -> list[Row]:
        """What a step gives: its equation, or its name if that was told, and what it needs."""
        is_told = node in self.told
        text = self.short(node) if is_told else self.shaped(self.equation(node), node)
        needed = [] if is_told else self.naming.untold(node, self.told)
        self.told.update(needed, [node])
        rows = [Row("with", self.shaped(self.equation(n), n)) for n in needed]
        return [*rows, Row(label, f"{how}{text}")]

    def _seed(self, steps: list[Step]) -> Told:
        rows = []
        for step in steps:
            mark = "t" if step.mode == FORWARD else "d"
            text = self.shaped(
                f"{mark}_{self.short(step.node)} = {self.short(step.result)}", step.result
            )
            rows.append(Row("given", text))
            self.told.add(step.result)
        title = "start along" if steps[0].mode == FORWARD else "start from"
        return title, self.short(steps[0].node), rows

    def _rule(self, steps: list[Step]) -> Told:
        node = steps[0].node
        rows = [Row("rule", steps[0].rule)]
        rows += [Row("from", self.shaped(self.short(g), g)) for g in steps[0].before]
        fitted_later = {s.position for s in steps if s.kind in FITTED}
        for step in steps:
            receiver = step.operand if step.operand is not None else node
            verb = "gets" if step.operand is not None else "moves by"
            if step.kind in FITTED:
                rows += self.result(
                    f"{self.short(receiver)} {verb}",
                    step.result,
                    f"{self.short(step.before[0])}, {FITTED[step.kind]}: ",
                )
            elif step.position in fitted_later:
                if step.result not in self.told and step.result in self.naming.names:
                    rows += self.result("first", step.result)
            else:
                rows += self.result(f"{self.short(receiver)} {verb}", step.result)
        return "through", self.shaped(self.equation(node), node), rows

    def _accumulate(self, steps: list[Step]) -> Told:
        (step,) = steps
        title = f"add up {len(step.before)} paths to"
        return title, self.short(step.node), self.result("sum", step.result)

    def _zero(self, steps: list[Step]) -> Told:
        return "slope 0 on every path to", self.short(steps[0].node), self._nothing(steps)

    def _independent(self, steps: list[Step]) -> Told:
        title = "nothing moves" if steps[0].mode == FORWARD else "nothing depends on"
        return title, self.short(steps[0].node), self._nothing(steps)

    def _nothing(self, steps: list[Step]) -> list[Row]:
        return [Row("gets", self.shaped(self.short(s.result), s.result)) for s in steps]

    def _batch(self, steps: list[Step]) -> Told:
        rows = []
        for step in steps:
            rows += [Row("from", self.shaped(self.short(one), one)) for one in step.before]
            rows += self.result("gives", step.result)
        return "every direction at once of", self.short(steps[0].node), rows


TELLERS: dict[str, Callable[[_Writer, list[Step]], Told]] = {
    "seed": _Writer._seed,
    "rule": _Writer._rule,
    "accumulate": _Writer._accumulate,
    "zero": _Writer._zero,
    "independent": _Writer._independent,
    "batch": _Writer._batch,
}
