"""Where each result lies in memory: in place over a dead operand, in a dead buffer, or anew.

z = x.dot(W.T)          # anew
z = z + b               # in place: the product is not read again
h = maximum(z, 0)       # in place: only h is read later
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symgrad.expr.dimension import Shape, same_shape
from symgrad.expr.node import FLOAT
from symgrad.program.instruction import (
    UPDATES,
    VIEWS,
    WRITES_OUT,
    Instruction,
    Literal,
    Program,
    Value,
)


@dataclass
class Schedule:
    """A program with memory decided.

    `written_to`: for an instruction that writes into existing memory, the value that lay there.
    `births`: per instruction the size of the buffer it allocates. `deaths`: buffers (by their
    first value) that are free after an instruction.
    """

    program: Program
    written_to: dict[Instruction, Value] = field(default_factory=dict)
    buffer: dict[Value, Value] = field(default_factory=dict)
    last_use: dict[Value, int] = field(default_factory=dict)


def schedule(program: Program) -> Schedule:
    """Decides order and memory; changes only `program.instructions` and `program.results`."""
    _separate_results(program)
    _drop_dead(program)
    _guards_first(program)
    _protect_updates(program)
    _sink(program)
    return _place(program)


def _separate_results(program: Program) -> None:
    """Gives each result memory of its own: no argument, no read-only view, no shared buffer."""
    made_by = {line.result: line for line in program.instructions}
    taken: set[Value] = set()
    for name, value in program.results.items():
        root = value.root
        view = value
        read_only = False
        while view.base is not None:
            read_only |= made_by[view].op in {"broadcast", "diagonal"}
            view = view.base
        if root.argument is not None or root in taken or read_only:
            node = value.node if value.node is not None else made_by[value].node
            copy = Value(value.shape, value.dtype, node=value.node)
            program.instructions.append(Instruction("copy", (value,), copy, node))
            program.results[name] = copy
            root = copy
        taken.add(root)


def _drop_dead(program: Program) -> None:
    needed = set(program.results.values())
    kept: list[Instruction] = []
    for line in reversed(program.instructions):
        if line.result in needed or line.op == "guard":
            needed.update(line.values)
            if line.result.base is not None:
                needed.add(line.result.base)
            kept.append(line)
    program.instructions[:] = reversed(kept)


def _guards_first(program: Program) -> None:
    """Checks of arguments come before any work."""
    early = [
        line
        for line in program.instructions
        if line.op == "guard" and all(v.argument is not None for v in line.values)
    ]
    first = set(early)
    program.instructions[:] = early + [line for line in program.instructions if line not in first]


def _protect_updates(program: Program) -> None:
    """An update in place of something that is still read afterwards works on a copy."""
    last = _last_uses(program)
    made_by = {line.result: line for line in program.instructions}
    lines: list[Instruction] = []
    for position, line in enumerate(program.instructions):
        target = line.operands[0] if line.operands else None
        if line.op in UPDATES and isinstance(target, Value):
            maker = made_by.get(target)
            owned = maker is not None and maker.op not in VIEWS and target.base is None
            if not owned or last[target.root] > position:
                copy = Value(target.shape, target.dtype)
                lines.append(Instruction("copy", (target,), copy, line.node))
                line = Instruction(
                    line.op, (copy, *line.operands[1:]), line.result, line.node, line.options
                )
        lines.append(line)
    program.instructions[:] = lines


def _sink(program: Program) -> None:
    """Moves leaves of the program that only later lines read (views, fills) to their first use."""
    movable = VIEWS | {"arange", "identity", "table"}
    lines = program.instructions
    first_use: dict[Value, int] = {}
    for position, line in enumerate(lines):
        for value in line.values:
            first_use.setdefault(value, position)
    placed: dict[int, list[Instruction]] = {}
    kept: list[tuple[int, Instruction]] = []
    for position in range(len(lines) - 1, -1, -1):
        line = lines[position]
        target = first_use.get(line.result)
        if line.op in movable and target is not None and target > position + 1:
            placed.setdefault(target, []).append(line)
            for value in line.values:
                if first_use[value] == position:
                    first_use[value] = target
        else:
            kept.append((position, line))
    moved: list[Instruction] = []

    def put(position: int, line: Instruction) -> None:
        for early in reversed(placed.get(position, [])):
            moved.append(early)
        moved.append(line)

    for position, line in reversed(kept):
        put(position, line)
    if len(moved) == len(lines) and _in_order(moved, program):
        program.instructions[:] = moved


def _in_order(lines: list[Instruction], program: Program) -> bool:
    known = set(program.arguments.values())
    for line in lines:
        if any(value not in known for value in line.values):
            return False
        known.add(line.result)
    return True


def _last_uses(program: Program) -> dict[Value, int]:
    """By memory root: the position of the last line that reads or writes it."""
    end = len(program.instructions)
    last: dict[Value, int] = {}
    for position, line in enumerate(program.instructions):
        last.setdefault(line.result.root, position)
        for value in line.values:
            last[value.root] = position
    for value in program.results.values():
        last[value.root] = end
    return last


def _place(program: Program) -> Schedule:
    plan = Schedule(program, last_use=_last_uses(program))
    made_by = {line.result: line for line in program.instructions}
    dying: dict[int, list[Value]] = {}
    for value, position in plan.last_use.items():
        if value.argument is None:
            dying.setdefault(position, []).append(value)
    free: dict[Shape, list[Value]] = {}
    for position, line in enumerate(program.instructions):
        result = line.result
        if line.op in UPDATES:
            updated = line.operands[0]
            assert isinstance(updated, Value)
            plan.written_to[line] = updated
        elif line.op == "ufunc" and result.shape and result.dtype == FLOAT:
            target = _dead_operand(line, position, plan, made_by)
            if target is not None:
                plan.written_to[line] = target
        if line not in plan.written_to and _takes_out(line) and _is_large(result):
            if free.get(result.shape):
                plan.written_to[line] = free[result.shape].pop()
        if line in plan.written_to:
            plan.buffer[result] = plan.buffer[plan.written_to[line]]
        elif result.base is None:
            plan.buffer[result] = result
        for value in dying.get(position, ()):
            made = made_by[value]
            if made.op in VIEWS or value.base is not None or value not in plan.buffer:
                continue
            in_use = plan.written_to.get(line)
            if in_use is not None and plan.buffer[in_use] is plan.buffer[value]:
                continue
            if value.dtype == FLOAT and value.shape:
                free.setdefault(value.shape, []).append(value)
    return plan


def _dead_operand(
    line: Instruction, position: int, plan: Schedule, made_by: dict[Value, Instruction]
) -> Value | None:
    """An operand of the result's shape and type whose memory is not read again."""
    if not _takes_out(line):
        return None
    for operand in line.operands:
        if isinstance(operand, Literal) or operand.base is not None or operand not in made_by:
            continue
        if operand.dtype != FLOAT or not same_shape(operand.shape, line.result.shape):
            continue
        if plan.last_use[operand] == position and not _viewed_by(operand, line):
            return operand
    return None


def _takes_out(line: Instruction) -> bool:
    """Whether NumPy can write the result into memory that exists."""
    return line.op in WRITES_OUT and line.options.get("name") != "where"


def _viewed_by(operand: Value, line: Instruction) -> bool:
    """Whether another operand of the line is a view of the same memory, read while written."""
    return any(v is not operand and v.root is operand for v in line.values)


def _is_large(value: Value) -> bool:
    """Whether the size of `value` grows with the batch: only then is reuse worth its ink."""
    return len(value.shape) > 1 and bool(value.size.free_symbols) and value.dtype == FLOAT
