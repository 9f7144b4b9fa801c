"""The verifier looks into loops: a body that could not run, step after step, is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from loop_cases import CASES

from symgrad.expr.node import FLOAT
from symgrad.program.instruction import Instruction, Value
from symgrad.program.loop import Loop
from symgrad.program.lower import lower
from symgrad.program.schedule import Schedule, schedule
from symgrad.program.verify import BrokenProgram, verify


def planned(case: str) -> tuple[Schedule, Instruction, Loop, Schedule]:
    """The plan, the line of its loop, the loop, and the plan of its body."""
    plan = schedule(lower(CASES[case]()))
    verify(plan)
    line = next(line for line in plan.program.instructions if line.op == "loop")
    return plan, line, line.options["loop"], plan.bodies[line]


def line_of(body: Schedule, name: str) -> Instruction:
    lines = body.program.instructions
    return next(line for line in lines if name in (line.op, line.options.get("name")))


def body_reads_what_comes_later() -> Schedule:
    plan, _, _, body = planned("every")
    body.program.instructions.reverse()
    return plan


def writes_to_the_state_before() -> Schedule:
    plan, _, loop, body = planned("two_states")
    line = line_of(body, "sin")
    body.written_to[line] = loop.carried[1].before
    return plan


def writes_to_what_is_outside() -> Schedule:
    plan, _, loop, body = planned("in_a_row")
    outside = Value(loop.carried[0].before.shape, FLOAT)
    writer = line_of(body, "tanh")
    body.written_to[writer] = outside
    return plan


def state_read_after_it_has_its_new_value() -> Schedule:
    plan, _, loop, body = planned("two_states")
    body.renamed[loop.carried[0].after] = loop.carried[0].before
    return plan


def state_of_another_shape() -> Schedule:
    plan, _, loop, _ = planned("last")
    before = loop.carried[0].before
    loop.carried[0].after = Value(before.shape[:1], FLOAT)
    return plan


def entry_never_written() -> Schedule:
    plan, _, loop, body = planned("every")
    writer = next(line for line, t in body.written_to.items() if t is loop.kept[0].slot)
    del body.written_to[writer]
    body.buffer[writer.result] = writer.result
    return plan


def loop_is_not_given_what_it_reads() -> Schedule:
    plan, line, _, _ = planned("every")
    line.operands = line.operands[:1]
    return plan


def kept_value_written_over() -> Schedule:
    """A later line of the body works in the entry that has been filled."""
    plan, _, loop, body = planned("inner_tensors")
    kept = next(kept for kept in loop.kept if kept.value in loop.direct)
    lines = body.program.instructions
    later = next(
        line for line in lines[[x.result for x in lines].index(kept.value) + 1 :]
        if line.op == "ufunc" and line.result.shape == kept.value.shape
    )  # fmt: skip
    body.written_to[later] = kept.value
    body.buffer[later.result] = body.buffer[kept.value]
    return plan


def final_state_is_an_argument() -> Schedule:
    """Without a step, what the loop leaves is the first state, which the caller owns."""
    plan, *_ = planned("last")
    part = next(x for x in plan.program.instructions if x.op == "part")
    plan.program.results["last"] = part.result
    return plan


def first_state_written_over() -> Schedule:
    """The memory of the first state is reused while the last, which may be it, is needed."""
    plan, *_ = planned("from_zeros")
    lines = plan.program.instructions
    part = next(x for x in lines if x.op == "part" and x.options.get("shares"))
    (shared,) = part.options["shares"][:1]
    last = lines[-1]
    extra = Instruction("ufunc", (shared,), Value(shared.shape, FLOAT), last.node, {"name": "sin"})
    plan.program.results["kept"] = part.result
    lines.append(extra)
    plan.written_to[extra] = shared
    plan.buffer[extra.result] = plan.buffer.get(shared, shared)
    return plan


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (body_reads_what_comes_later, "reads a value before it is made"),
        (writes_to_the_state_before, "would write to an argument"),
        (writes_to_what_is_outside, "what is made outside of its loop"),
        (state_read_after_it_has_its_new_value, "is read after it took a new value"),
        (state_of_another_shape, "does not fit"),
        (entry_never_written, "not filled once at each step"),
        (loop_is_not_given_what_it_reads, "loop reads what it is not given"),
        (kept_value_written_over, "was written over"),
        (final_state_is_an_argument, "shares memory with the argument h0"),
        (first_state_written_over, "was written over"),
    ],
)
def test_a_wrong_loop_is_refused(spoilt: Callable[[], Schedule], message: str) -> None:
    with pytest.raises(BrokenProgram, match=message):
        verify(spoilt())


@pytest.mark.parametrize("case", CASES)
def test_what_is_planned_is_legal(case: str) -> None:
    verify(schedule(lower(CASES[case]())))
