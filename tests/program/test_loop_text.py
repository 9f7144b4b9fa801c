"""Loops as they are written: one for each scan, its body under its equations, names that hold."""

from __future__ import annotations

import ast

import pytest
from executing import OpenDoor, emitted_source
from loop_cases import CASES

from symgrad.emit.door import local_names
from symgrad.emit.equations import number_equations
from symgrad.emit.naming import Naming
from symgrad.expr.leaf import Named
from symgrad.expr.walk import postorder
from symgrad.program.instruction import VIEWS, Value
from symgrad.program.lower import lower
from symgrad.program.schedule import Schedule, schedule

RECURRENT = """\
    # (1) for t = 0, ..., T - 1, from h[-1] = h0
    W_T = W.T.copy()
    h_all = np.empty((T + 1, n, 3), dtype)
    h_all[0] = h0
    h = h_all[0]
    for t in range(T):
        # (2) h[t] = tanh((x[t] + h[t-1] @ W.T))   [n, 3]
        h_sum = h.dot(W_T)
        h_sum += x[t]
        h = np.tanh(h_sum, out=h_all[t + 1])
"""
BACKWARDS = """\
    # (1) for t = T - 1, ..., 0, from h[T] = h0
    W_T = W.T.copy()
    h = h0
    h_all = np.empty((T, n, 3), dtype)
    for t in reversed(range(T)):
        # (2) h[t] = tanh((x[t] + h[t+1] @ W.T))   [n, 3]
        h_sum = h.dot(W_T)
        h_sum += x[t]
        h = np.tanh(h_sum, out=h_all[t])
"""


@pytest.mark.parametrize(
    ("case", "text"), [("product_of_both", RECURRENT), ("every_backwards", BACKWARDS)]
)
def test_a_recurrent_net_is_written_as_by_hand(case: str, text: str) -> None:
    assert text in emitted_source(CASES[case]())[0]


def test_states_change_hands_in_one_statement() -> None:
    assert "        a, b = b, a\n" in emitted_source(CASES["swap"]())[0]


@pytest.mark.parametrize("case", CASES)
def test_loops_are_python_without_long_lines(case: str) -> None:
    source, *_ = emitted_source(CASES[case]())
    ast.parse(source)
    assert max(map(len, source[source.index("def f(") :].splitlines())) <= 100


def check_names(plan: Schedule, naming: Naming, holds: dict[str, Value]) -> None:
    """Every name stands for the value that is read under it. `holds`: what it stands for now."""
    names = naming.names

    def read(value: Value) -> None:
        name = names.get(value.root)
        if name in holds:
            assert holds[name] is value.root, f"{name} stands for another value when it is read"

    for line in plan.program.instructions:
        for value in line.values:
            read(value)
        if line.op == "loop":
            loop, inner = line.options["loop"], dict(holds)
            for state in loop.carried:
                inner[names[state.before]] = state.before
            check_names(plan.bodies[line], naming, inner)
            for value in loop.finals:
                holds[names[value]] = value
        elif line.result in names and line.op not in VIEWS and line.op != "part":
            holds[names[line.result]] = line.result
    if plan.is_body:
        for value in plan.program.results.values():
            read(value)


@pytest.mark.parametrize("case", CASES)
def test_names_stand_for_what_is_read_under_them(case: str) -> None:
    outputs = CASES[case]()
    plan = schedule(lower(outputs))
    leaves = [leaf for leaf in postorder(outputs.values()) if isinstance(leaf, Named)]
    local = local_names(leaves, [])
    (equations,) = number_equations([plan.program], {}, local, ["n", "T"])
    naming = Naming(plan, equations, OpenDoor((), tuple(leaves), (), local))
    check_names(plan, naming, {})
