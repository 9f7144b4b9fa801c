"""The verifier of programs refuses wrong schedules: each is a right one with one thing spoilt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import symgrad as sg
from symgrad.expr.node import Node
from symgrad.program.instruction import Instruction, Value
from symgrad.program.lower import lower
from symgrad.program.schedule import Schedule, schedule
from symgrad.program.verify import BrokenProgram, verify

n = sg.dim("n")
x, y = sg.input("x", (n, 3)), sg.input("y", (n, 3))
square, vector = sg.input("s", (n, n)), sg.input("v", (n,))


def planned(**outputs: Node) -> Schedule:
    plan = schedule(lower(outputs))
    verify(plan)
    return plan


def line_of(plan: Schedule, name: str) -> Instruction:
    """The first line that is the operation or NumPy function `name`."""
    lines = plan.program.instructions
    return next(line for line in lines if name in (line.op, line.options.get("name")))


def over(plan: Schedule, line: Instruction, target: Value) -> None:
    """Lets `line` write over `target`."""
    plan.written_to[line] = target
    plan.buffer[line.result] = plan.buffer.get(target, target)


def reads_what_was_written_over() -> Schedule:
    h = sg.exp(x)
    plan = planned(loss=sg.sum(sg.sin(h) * sg.cos(h)))
    exp = line_of(plan, "exp").result
    first = next(i for i in plan.program.instructions if i.options.get("name") in ("sin", "cos"))
    over(plan, first, exp)
    return plan


def result_written_over() -> Schedule:
    h = sg.exp(x)
    plan = planned(h=h, k=sg.sin(h))
    over(plan, line_of(plan, "sin"), line_of(plan, "exp").result)
    return plan


def writes_to_an_argument() -> Schedule:
    plan = planned(h=sg.exp(x))
    (argument,) = plan.program.arguments.values()
    over(plan, line_of(plan, "exp"), argument)
    return plan


def writes_into_another_shape() -> Schedule:
    h = sg.exp(vector)
    plan = planned(k=sg.sin(square) + h)
    over(plan, line_of(plan, "sin"), line_of(plan, "exp").result)
    return plan


def product_over_its_operand() -> Schedule:
    plan = planned(p=sg.exp(square) @ square)
    over(plan, line_of(plan, "dot"), line_of(plan, "exp").result)
    return plan


def sum_over_what_it_reads_transposed() -> Schedule:
    h = sg.exp(square)
    plan = planned(t=h + h.T)
    over(plan, line_of(plan, "add"), line_of(plan, "exp").result)
    return plan


def results_in_one_buffer() -> Schedule:
    plan = planned(h=sg.exp(x), k=sg.sin(x))
    plan.program.results["k"] = plan.program.results["h"]
    return plan


def result_is_an_argument() -> Schedule:
    plan = planned(h=sg.exp(x))
    (plan.program.results["h"],) = plan.program.arguments.values()
    return plan


def out_of_order() -> Schedule:
    plan = planned(loss=sg.sum(sg.sin(sg.exp(x))))
    plan.program.instructions.reverse()
    return plan


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (reads_what_was_written_over, "reads memory that was written over"),
        (result_written_over, "the result h was written over"),
        (writes_to_an_argument, "ufunc would write to an argument"),
        (writes_into_another_shape, "ufunc does not fit into what it is written to"),
        (product_over_its_operand, "dot reads memory while it is written over"),
        (sum_over_what_it_reads_transposed, "ufunc reads memory while it is written over"),
        (results_in_one_buffer, "the results h and k share memory"),
        (result_is_an_argument, "the result h shares memory with the argument x"),
        (out_of_order, "reads a value before it is made"),
    ],
)
def test_a_wrong_schedule_is_refused(spoilt: Callable[[], Schedule], message: str) -> None:
    with pytest.raises(BrokenProgram, match=message):
        verify(spoilt())


def test_a_transposed_operand_is_not_written_over() -> None:
    h = sg.exp(square)
    plan = planned(t=h + h.T)
    add = line_of(plan, "add")
    assert plan.written_to.get(add) is not line_of(plan, "exp").result
