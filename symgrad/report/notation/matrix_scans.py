"""Matrix notation of what is read from scans: h[t - 1], the state that step t is given."""

from __future__ import annotations

from symgrad.expr.node import Node
from symgrad.expr.scan import Final, Stacked
from symgrad.expr.step_index import last_index
from symgrad.report.notation import formula as m
from symgrad.report.notation.entry import Entry, entry_of
from symgrad.report.notation.index_scans import index_given, index_made, state_name
from symgrad.report.notation.matrix_form import FAMILIES, MatrixForm, NoMatrices
from symgrad.report.notation.scalar import number
from symgrad.report.notation.step_letter import step_letter


def _final(w: MatrixForm, node: Final, at: Entry) -> m.Math:
    last = number(last_index(node.scan, node.state))
    return entry_of(state_name(node.state, w.name_of), (last, *at))


def _stacked(w: MatrixForm, node: Stacked, at: Entry) -> m.Math:
    """A tensor of the step, at one step or, if its index is the step itself, at all of them."""
    step = node.scan.step
    if node.inner in step.carried:
        state, index_of = node.inner, index_given
    elif node.inner in step.following:
        state, index_of = step.carried[step.following.index(node.inner)], index_made
    else:
        return _within(w, node, at)
    name = state_name(state, w.name_of)
    if at:
        return entry_of(name, (index_of(node.scan, state, at[0]), *at[1:]))
    if index_of(node.scan, state, step_letter()) != step_letter():
        raise NoMatrices
    return name


def _within(w: MatrixForm, node: Stacked, at: Entry) -> m.Math:
    """A tensor of the step without a name, written out in those that have one."""
    if not at:
        raise NoMatrices
    scan, here = node.scan, at[0]
    given = dict(scan.inputs)

    def name_of(x: Node) -> m.Math | None:
        if x in scan.step.carried:
            return entry_of(state_name(x, w.name_of), (index_given(scan, x, here),))
        if x in given:
            name = w.name_of(given[x])
            if name is None:
                raise NoMatrices
            return name if x in scan.step.fixed else entry_of(name, (here,))
        if x in scan.step.following:
            state = scan.step.carried[scan.step.following.index(x)]
            return entry_of(state_name(state, w.name_of), (index_made(scan, state, here),))
        name = w.name_of(x)
        return None if name is None else entry_of(name, (here,))

    inner = MatrixForm(name_of, w.letters)
    inner.ranges, inner.remarks = w.ranges, w.remarks
    return inner.right_side(node.inner, at[1:]).counted


FAMILIES |= {Final: _final, Stacked: _stacked}
