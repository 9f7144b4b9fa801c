"""Which lines a program has, and where: nothing dead, checks first, views where they are read.

Runs before memory is decided (schedule.py), on a function and on the body of each of its loops.
"""

from __future__ import annotations

from symgrad.program.instruction import (
    ACTS,
    UPDATES,
    VIEWS,
    Instruction,
    Program,
    Value,
    shared_with,
)


def drop_dead(program: Program) -> None:
    """Leaves out what no result needs; of a loop also what it would keep for no reader."""
    needed = set(program.results.values())
    kept: list[Instruction] = []
    for line in reversed(program.instructions):
        if line.result in needed or line.op in ACTS:
            if line.op == "loop":
                _trim(line, needed)
            needed.update(line.values)
            if line.result.base is not None:
                needed.add(line.result.base)
            kept.append(line)
    program.instructions[:] = reversed(kept)


def _trim(line: Instruction, needed: set[Value]) -> None:
    loop = line.options["loop"]
    loop.keep(needed)
    drop_dead(loop.body)
    line.operands = loop.reads()


def guards_first(program: Program) -> None:
    """Checks of arguments come before any work."""
    early = [
        line
        for line in program.instructions
        if line.op == "guard" and all(v.argument is not None for v in line.values)
    ]
    first = set(early)
    program.instructions[:] = early + [line for line in program.instructions if line not in first]


def protect_updates(program: Program) -> None:
    """An update in place of something that is still read afterwards works on a copy."""
    last = last_uses(program)
    made_by = {line.result: line for line in program.instructions}
    lines: list[Instruction] = []
    for position, line in enumerate(program.instructions):
        target = line.operands[0] if line.operands else None
        if line.op in UPDATES and isinstance(target, Value):
            maker = made_by.get(target)
            owned = maker is not None and maker.op not in VIEWS and target.base is None
            if not owned or shared_with(maker) or last[target.root] > position:
                copy = Value(target.shape, target.dtype)
                lines.append(Instruction("copy", (target,), copy, line.node))
                line = Instruction(
                    line.op, (copy, *line.operands[1:]), line.result, line.node, line.options
                )
        lines.append(line)
    program.instructions[:] = lines


def sink(program: Program) -> None:
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
        is_named = target is not None and lines[target].op == "loop"  # not where it is used
        if line.op in movable and target is not None and target > position + 1 and not is_named:
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
    if len(moved) == len(lines) and _in_order(moved):
        program.instructions[:] = moved


def _in_order(lines: list[Instruction]) -> bool:
    made = {line.result for line in lines}
    known: set[Value] = set()
    for line in lines:
        if any(value in made and value not in known for value in line.values):
            return False
        known.add(line.result)
    return True


def last_uses(program: Program) -> dict[Value, int]:
    """By memory root: the position of the last line that reads or writes it."""
    end = len(program.instructions)
    last: dict[Value, int] = {}
    for position, line in enumerate(program.instructions):
        last.setdefault(line.result.root, position)
        for value in line.values:
            last[value.root] = position
    for value in program.results.values():
        last[value.root] = end
    for line in reversed(program.instructions):
        for other in shared_with(line):
            last[other.root] = max(last.get(other.root, 0), last[line.result.root])
    return last
