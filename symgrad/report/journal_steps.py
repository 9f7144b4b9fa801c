"""The steps of a journal as titles and labelled lines.

    3  through h = tanh(z)                                     model.py:12
       rule      map_adjoint: y = f(x_0, ..., x_k)  =>  x_i' = G * df/dx_i.
       from      d_h  [n, 128]
       z gets    d_z = d_h * (1 - tanh(z)**2)  [n, 128]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgrad.calculus.journal import FORWARD, Step
from symgrad.expr.dimension import shape_text
from symgrad.expr.equation import reference, right_side
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.report.derivation_record import Row, StepRecord
from symgrad.report.naming import Naming


def step_records(steps: Sequence[Step], naming: Naming) -> tuple[StepRecord, ...]:
    """Every step of `steps`. Tensors that need a line of their own get it where they first occur."""
    writer = _Writer(naming)
    return tuple(writer.step(step) for step in steps)


Told = tuple[str, str, list[Row]]


class _Writer:
    def __init__(self, naming: Naming) -> None:
        self.naming = naming
        self.defined: set[Node] = set()
        self.own_lines = {node: place for place, node in enumerate(naming.lines)}

    def step(self, step: Step) -> StepRecord:
        title, about, rows = TELLERS[step.kind](self, step)
        return StepRecord(str(step.number), title, about, step.location or "", tuple(rows))

    def text(self, node: Node) -> str:
        """`name = formula` where it has a name, else the formula, and the shape behind it."""
        name = self.naming.name_of(node)
        formula = right_side(node, self.naming.name_of)
        shape = f"  {shape_text(node.shape)}" if node.shape else ""
        is_plain = name is None or (isinstance(node, Leaf) and name == formula)
        return f"{formula if is_plain else f'{name} = {formula}'}{shape}"

    def short(self, node: Node) -> str:
        """The name, or the formula of what has none."""
        return reference(node, self.naming.name_of)

    def shaped(self, node: Node) -> str:
        return f"{self.short(node)}{f'  {shape_text(node.shape)}' if node.shape else ''}"

    def helpers(self, node: Node) -> list[Row]:
        """Lines for the nameless tensors that the formula of `node` calls t1, t2, ..."""
        found: list[Node] = []
        stack = list(node.operands)
        seen: set[Node] = set()
        while stack:
            operand = stack.pop()
            if operand in seen:
                continue
            seen.add(operand)
            if operand in self.own_lines:
                if operand not in self.defined and operand in self.naming.automatic:
                    found.append(operand)
                    stack.extend(operand.operands)
            else:
                stack.extend(operand.operands)
        self.defined.update(found)
        return [Row("with", self.text(n)) for n in sorted(found, key=self.own_lines.__getitem__)]

    def result(self, label: str, node: Node) -> list[Row]:
        rows = self.helpers(node)
        self.defined.add(node)
        return [*rows, Row(label, self.text(node))]

    def _seed(self, step: Step) -> Told:
        title = "direction of" if step.mode == FORWARD else "start from"
        return title, self.short(step.node), self.result("given", step.result)

    def _rule(self, step: Step) -> Told:
        rows = [Row("rule", f"{step.rule}: {step.formula}")]
        rows += [Row("from", self.shaped(g)) for g in step.before]
        receiver = step.operand if step.operand is not None else step.node
        verb = "gets" if step.operand is not None else "moves by"
        rows += self.result(f"{self.short(receiver)} {verb}", step.result)
        return "through", self.text(step.node), rows

    def _fitted(self, step: Step) -> Told:
        receiver = step.operand if step.operand is not None else step.node
        forward = step.mode == FORWARD
        title = "stretch to the shape of" if forward else "sum over what was stretched of"
        rows = [Row("from", self.shaped(part)) for part in step.before]
        return title, self.short(receiver), rows + self.result("gives", step.result)

    def _accumulate(self, step: Step) -> Told:
        title = f"add up {len(step.before)} paths to"
        return title, self.short(step.node), self.result("sum", step.result)

    def _zero(self, step: Step) -> Told:
        rows = [Row("gets", self.text(step.result))]
        return "slope 0 on every path to", self.short(step.node), rows

    def _independent(self, step: Step) -> Told:
        title = "nothing moves" if step.mode == FORWARD else "nothing depends on"
        return title, self.short(step.node), [Row("gets", self.text(step.result))]

    def _batch(self, step: Step) -> Told:
        rows = [Row("from", self.shaped(one)) for one in step.before]
        rows += self.result("gives", step.result)
        return "every direction at once of", self.short(step.node), rows


TELLERS: dict[str, Callable[[_Writer, Step], Told]] = {
    "seed": _Writer._seed,
    "rule": _Writer._rule,
    "unbroadcast": _Writer._fitted,
    "broadcast": _Writer._fitted,
    "accumulate": _Writer._accumulate,
    "zero": _Writer._zero,
    "independent": _Writer._independent,
    "batch": _Writer._batch,
}
