"""The form with indices of scans: a tensor of a step at step t, read from the states before it.

The state h is written h_t after step t, t = 0, ..., T - 1, and h_-1 before the first; of a scan
that runs backwards h_T is the first state, and step t makes h_t of h_t+1.
"""

from __future__ import annotations

from symgrad.expr.node import Node
from symgrad.expr.scan import Final, Scan, Stacked
from symgrad.expr.step_index import given_at, last_index, made_at
from symgrad.report.notation import formula as m
from symgrad.report.notation.build import negative, total
from symgrad.report.notation.entry import Entry, entry_of
from symgrad.report.notation.index_form import WRITERS, IndexForm
from symgrad.report.notation.letters import NameOf
from symgrad.report.notation.names import symbol
from symgrad.report.notation.scalar import number


def state_name(state: Node, name_of: NameOf) -> m.Math:
    """What a carried state is called, without its step."""
    return name_of(state) or symbol(str(getattr(state, "name", "h")))


def index_given(scan: Scan, state: Node, step: m.Math) -> m.Math:
    """The index of what step `step` is given of a state."""
    return _beside(step, given_at(scan, state))


def index_made(scan: Scan, state: Node, step: m.Math) -> m.Math:
    """The index of what step `step` makes of a state."""
    return _beside(step, made_at(scan, state))


def _beside(step: m.Math, offset: int) -> m.Math:
    if not offset:
        return step
    if isinstance(step, m.Number):
        return number(int(step.text) + offset)
    return total(step, m.ONE if offset > 0 else negative(m.ONE))


class StepForm(IndexForm):
    """Writes entries of the tensors of one step."""

    def __init__(self, outer: IndexForm, scan: Scan, step: m.Math) -> None:
        super().__init__(outer.name_of, outer.letters)
        self.ranges = outer.ranges
        self.steps = (*outer.steps, step)
        self._outer, self._scan, self._step = outer, scan, step
        self._operands = dict(scan.inputs)

    def entry(self, node: Node, at: Entry) -> m.Math:
        """As of any tensor; what the step is given is read from what it is bound to."""
        step = self._scan.step
        if node in step.carried:
            before = index_given(self._scan, node, self._step)
            return entry_of(state_name(node, self.name_of), (*self.steps[:-1], before, *at))
        if node in step.sequences:
            return self._outer.entry(self._operands[node], (self._step, *at))
        if node in step.fixed:
            return self._outer.entry(self._operands[node], at)
        if node in step.following:
            state = step.carried[step.following.index(node)]
            made = index_made(self._scan, state, self._step)
            return entry_of(state_name(state, self.name_of), (*self.steps[:-1], made, *at))
        return super().entry(node, at)


def _stacked(w: IndexForm, node: Stacked, at: Entry) -> m.Math:
    return StepForm(w, node.scan, at[0]).entry(node.inner, at[1:])


def _final(w: IndexForm, node: Final, at: Entry) -> m.Math:
    last = number(last_index(node.scan, node.state))
    return entry_of(state_name(node.state, w.name_of), (*w.steps, last, *at))


WRITERS |= {Stacked: _stacked, Final: _final}
