"""The equations of one step of a scan, with the step as a subscript: h_t = tanh(U h_t-1 + W x_t).

A scan that runs backwards reads h_t+1. The first state is h_-1, or h_T of a scan backwards.
"""

from __future__ import annotations

from symgrad.expr.node import Node
from symgrad.expr.scan import Bound, Scan
from symgrad.report.notation import formula as m
from symgrad.report.notation.entry import entry_of
from symgrad.report.notation.equations import Equations, equations_of
from symgrad.report.notation.index_scans import index_given, index_made, state_name
from symgrad.report.notation.letters import NameOf
from symgrad.report.notation.names import symbol
from symgrad.report.notation.scalar import number
from symgrad.report.notation.step_letter import step_letter


def step_names(scan: Scan, name_of: NameOf, step: m.Math | None = None) -> NameOf:
    """What the tensors of a step are called at `step`: `name_of`, with the step as an index."""
    step = step_letter() if step is None else step
    operands = dict(scan.inputs)
    carried, following = scan.step.carried, scan.step.following

    def at_step(node: Node) -> m.Math | None:
        if node in carried:
            return entry_of(state_name(node, name_of), (index_given(scan, node, step),))
        if node in operands:
            bound = name_of(operands[node]) or name_of(node) or symbol(_name(node))
            return entry_of(bound, (step,)) if node in scan.step.sequences else bound
        if node in following:
            state = carried[following.index(node)]
            return entry_of(state_name(state, name_of), (index_made(scan, state, step),))
        name = name_of(node)
        return None if name is None else entry_of(name, (step,))

    return at_step


def _name(node: Node) -> str:
    return node.name if isinstance(node, Bound) else "x"


def step_equations(scan: Scan, name_of: NameOf, told: tuple[Node, ...] = ()) -> list[Equations]:
    """The equations of `told`, tensors of the step that `name_of` knows, and of the next states.

    name_of: also asked for the names of the carried states, without their step.
    """
    names = step_names(scan, name_of)
    found = [equations_of(node, names) for node in told if node not in scan.step.following]
    for state, after in zip(scan.step.carried, scan.step.following, strict=True):
        if isinstance(after, Bound):  # it is handed on as it came
            left = entry_of(state_name(state, name_of), (step_letter(),))
            handed = m.Relation("=", left, names(after) or symbol(after.name))
            found.append(Equations(handed, (), {}, handed, {}))
        else:
            found.append(equations_of(after, names))
    return found


def steps_remark(scan: Scan) -> m.Math:
    """`t = 0, ..., T - 1`, or downwards."""
    first, last = m.ZERO, number(scan.length - 1)
    ends = (last, first) if scan.is_reversed else (first, last)
    steps = (ends[0], m.Symbol("…", (), True), ends[1])
    return m.Relation("=", step_letter(), m.Listed(steps, is_bare=True))
