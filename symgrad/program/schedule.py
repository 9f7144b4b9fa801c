"""Where each result lies in memory: in place over a dead operand, in a dead buffer, or anew.

z = x.dot(W.T)          # anew
z = z + b               # in place: the product is not read again
h = maximum(z, 0)       # in place: only h is read later
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from symgrad.expr.dimension import same_shape
from symgrad.expr.node import FLOAT
from symgrad.program.instruction import (
    ACTS,
    UPDATES,
    VIEWS,
    Instruction,
    Literal,
    Program,
    Value,
    shared_with,
    takes_out,
)
from symgrad.program.loop import Loop
from symgrad.program.order import drop_dead, guards_first, last_uses, protect_updates, sink
from symgrad.program.reordering import copy_once


@dataclass
class Schedule:
    """A program with memory decided.

    `written_to`: for an instruction that writes into existing memory, the value that lay there.
    `births`: per instruction the size of the buffer it allocates. `deaths`: buffers (by their
    first value) that are free after an instruction. `bodies`: the plans of the loops' bodies.
    `renamed`: of a body, the states that take the name of those before as soon as they are made.
    `turned`: values that may not lie in C order, since they are made of transposes.
    """

    program: Program
    written_to: dict[Instruction, Value] = field(default_factory=dict)
    buffer: dict[Value, Value] = field(default_factory=dict)
    last_use: dict[Value, int] = field(default_factory=dict)
    bodies: dict[Instruction, Schedule] = field(default_factory=dict)
    renamed: dict[Value, Value] = field(default_factory=dict)
    turned: set[Value] = field(default_factory=set)
    is_body: bool = False


def schedule(program: Program) -> Schedule:
    """Decides order and memory; changes only `program.instructions` and `program.results`."""
    drop_dead(program)
    copy_once(program)
    _note_shared_memory(program)
    _separate_results(program)
    return _ordered_and_placed(program, {})


def _ordered_and_placed(program: Program, direct: Mapping[Value, Value]) -> Schedule:
    """`direct`: for values of the body of a loop the memory outside that they are computed in."""
    guards_first(program)
    protect_updates(program)
    sink(program)
    plan = _place(program, direct)
    for line in program.instructions:
        if line.op == "loop":
            loop = line.options["loop"]
            body = _ordered_and_placed(loop.body, loop.direct)
            body.renamed.update(_renamed(loop, body))
            body.is_body = True
            plan.bodies[line] = body
    return plan


def _renamed(loop: Loop, body: Schedule) -> dict[Value, Value]:
    """States that take the name of the one before as soon as they are made: it is read no more.

    A number is not, since what is made of numbers may be written further down.
    """
    position = {line.result: place for place, line in enumerate(body.program.instructions)}
    renamed: dict[Value, Value] = {}
    for state in loop.carried:
        made = position.get(state.after)
        if made is None or state.after in renamed or not state.before.shape:
            continue
        if body.last_use.get(state.before, -1) <= made:
            renamed[state.after] = state.before
    return renamed


def _note_shared_memory(program: Program) -> None:
    """For each state that a loop leaves: the values whose memory it may lie in."""
    made_by = {line.result: line for line in program.instructions}
    for loop in (line.options["loop"] for line in program.instructions if line.op == "loop"):
        _note_shared_memory(loop.body)
        sources = loop.sources()
        owner: dict[Value, Value] = {}
        for value, state in loop.finals.items():
            around, inside = sources[state]
            others = dict.fromkeys(owner.setdefault(root, value) for root in inside)
            shares = (*around, *(other for other in others if other is not value))
            made_by[value].options = {**made_by[value].options, "shares": shares}


def _separate_results(program: Program) -> None:
    """Gives each result memory of its own: no argument, no read-only view, no shared buffer."""
    made_by = {line.result: line for line in program.instructions}
    taken: set[Value] = set()
    for name, value in program.results.items():
        root = value.root
        view = value
        no_result = False  # a view that cannot be written to, or would keep much more memory
        while view.base is not None:
            no_result |= made_by[view].op in {"broadcast", "diagonal", "windows", "entry"}
            view = view.base
        memory = _memory(root, made_by)
        if no_result or memory & taken or any(v.argument is not None for v in memory):
            node = value.node if value.node is not None else made_by[value].node
            copy = Value(value.shape, value.dtype, node=value.node)
            program.instructions.append(Instruction("copy", (value,), copy, node))
            program.results[name] = copy
            memory = {copy}
        taken |= memory


def _memory(root: Value, made_by: Mapping[Value, Instruction]) -> set[Value]:
    """Where the entries of `root` may lie."""
    found = [root]
    for value in found:
        shares = shared_with(made_by.get(value))
        found += [other.root for other in shares if other.root not in found]
    return set(found)


def _place(program: Program, direct: Mapping[Value, Value]) -> Schedule:
    plan = Schedule(program, last_use=last_uses(program))
    plan.buffer.update((slot, slot) for slot in direct.values())
    made_by = {line.result: line for line in program.instructions}
    dying: dict[int, list[Value]] = {}
    for value, position in plan.last_use.items():
        if value in made_by:
            dying.setdefault(position, []).append(value)
    free: dict[sympy.Expr, list[Value]] = {}  # by their number of entries
    for position, line in enumerate(program.instructions):
        result = line.result
        if line.op in UPDATES:
            updated = line.operands[0]
            assert isinstance(updated, Value)
            plan.written_to[line] = updated
        elif result in direct:
            plan.written_to[line] = direct[result]
        elif line.op == "ufunc" and result.shape and result.dtype == FLOAT:
            target = _dead_operand(line, position, plan, made_by)
            if target is not None:
                plan.written_to[line] = target
        if line not in plan.written_to and takes_out(line) and _is_large(result):
            found = _best(free.get(result.size, []), line)
            if found is not None:
                plan.written_to[line] = found
        if line in plan.written_to:
            plan.buffer[result] = plan.buffer[plan.written_to[line].root]
        elif result.base is None:
            plan.buffer[result] = result
        if _is_turned(line, plan):
            plan.turned.add(result)
        for value in dying.get(position, ()):
            made = made_by[value]
            if made.op in VIEWS | ACTS or value.base is not None or value not in plan.buffer:
                continue
            if shared_with(made):
                continue
            in_use = plan.written_to.get(line)
            if in_use is not None and plan.buffer[in_use.root] is plan.buffer[value]:
                continue
            if value.dtype == FLOAT and value.shape:
                free.setdefault(value.size, []).append(value)
    return plan


def _best(dead: list[Value], line: Instruction) -> Value | None:
    """Takes the last of the dead buffers of the shape of the result, or else of its size."""
    for k in reversed(range(len(dead))):  # nearly always the first that is looked at
        if same_shape(dead[k].shape, line.result.shape):
            return dead.pop(k)
    if not dead or line.op == "columns":  # those are filled by a view of their own
        return None
    return dead.pop()


def _is_turned(line: Instruction, plan: Schedule) -> bool:
    """Whether the result may not lie in C order: NumPy gives new arrays that of the operands."""
    if line in plan.written_to:
        return plan.written_to[line].root in plan.turned
    if line.op in VIEWS | {"ufunc", "reduce", "matmul", "einsum", "cast", "where"}:
        return line.op == "transpose" or any(v in plan.turned for v in line.values)
    return False


def _dead_operand(
    line: Instruction, position: int, plan: Schedule, made_by: dict[Value, Instruction]
) -> Value | None:
    """An operand of the result's shape and type whose memory is not read again."""
    if not takes_out(line):
        return None
    for operand in line.operands:
        if isinstance(operand, Literal) or operand not in made_by:
            continue
        if operand.base is not None and not _is_product_reshaped(operand, plan, made_by):
            continue
        if shared_with(made_by[operand.root]):
            continue
        if operand.dtype != FLOAT or not same_shape(operand.shape, line.result.shape):
            continue
        if plan.last_use[operand.root] == position and not _viewed_by(operand, line):
            return operand
    return None


def _is_product_reshaped(
    view: Value, plan: Schedule, made_by: Mapping[Value, Instruction]
) -> bool:
    """Whether it is all of a fresh matrix product, in another shape: its memory is in order."""
    product = view.base
    if product is None or made_by[view].op != "reshape" or product not in plan.buffer:
        return False
    return made_by[product].op in {"dot", "matmul"} and product.base is None


def _viewed_by(operand: Value, line: Instruction) -> bool:
    """Whether another operand of the line is a view of the same memory, read while written."""
    return any(v is not operand and v.root is operand.root for v in line.values)


def _is_large(value: Value) -> bool:
    """Whether the size of `value` grows with the batch: only then is reuse worth its ink."""
    return len(value.shape) > 1 and bool(value.size.free_symbols) and value.dtype == FLOAT
