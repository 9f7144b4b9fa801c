"""The verifier of programs: definitions before uses, shapes that fit, nothing read too late."""

from __future__ import annotations

from collections.abc import Mapping, Set

from symgrad.expr.dimension import broadcast, same, same_shape
from symgrad.program.inlining import inlined_values
from symgrad.program.instruction import (
    UPDATES,
    VIEWS,
    Instruction,
    Literal,
    Value,
    shared_with,
)
from symgrad.program.schedule import Schedule


class BrokenProgram(AssertionError):
    """The compiler made an illegal program; a defect of symgrad, never of its user."""


def verify(
    plan: Schedule, inlined: Set[Value] | None = None, given: Set[Value] = frozenset()
) -> None:
    """Raises: BrokenProgram if the program could not run, or would read memory written over.

    `inlined`: the values that are written, and so computed, where they are read; by default those
    of `inlined_values`. `given`: what the body of a loop reads of the program around it.
    """
    program = plan.program
    if inlined is None:
        inlined = inlined_values(program.instructions)
    delayed: dict[Value, tuple[Value, ...]] = {}  # an inlined value -> what its reader reads for it
    known: set[Value] = set(program.arguments.values()) | given
    makers = {line.result: line for line in program.instructions}
    holder: dict[Value, Value] = {}  # buffer -> the value whose entries lie in it now
    for line in program.instructions:
        for value in line.values:
            if value not in known:
                raise BrokenProgram(f"{line.op} reads a value before it is made")
        if line.op == "loop":
            verify_loop(line, plan.bodies[line])
        reads = tuple(r for v in line.values for r in (v, *delayed.get(v.root, ())))
        if line.result in inlined:
            delayed[line.result] = reads
        for root in _memory([value.root for value in reads], makers):
            if root.argument is None and root in plan.buffer:
                if holder[plan.buffer[root]] is not root:
                    raise BrokenProgram(f"{line.op} reads memory that was written over")
        if line.result in known:
            raise BrokenProgram(f"{line.op} makes a value twice")
        if line.op == "ufunc":
            shape = broadcast([o.shape for o in line.operands])
            if not same_shape(shape, line.result.shape):
                raise BrokenProgram(
                    f"{line.options['name']}: shape {line.result.shape} is not {shape}"
                )
        if line.op in {"dot", "matmul", "vecdot"}:
            a, b = line.values
            inner = b.shape[-2] if line.op != "vecdot" and len(b.shape) > 1 else b.shape[-1]
            if not same_shape((a.shape[-1],), (inner,)):
                raise BrokenProgram(f"{line.op}: inner sizes {a.shape[-1]} and {inner}")
        if line.op in UPDATES:
            target = line.operands[0]
            if isinstance(target, Literal) or target.root.argument is not None:
                raise BrokenProgram(f"{line.op} would write to an argument")
            if target.root in given:
                raise BrokenProgram(f"{line.op} would write to what is made outside of its loop")
        _check_target(line, plan)
        known.add(line.result)
        if line.op not in VIEWS and line.result in plan.buffer:
            holder[plan.buffer[line.result]] = line.result
    for name, value in program.results.items():
        if value not in known:
            raise BrokenProgram(f"the result {name} is never made")
        for root in _memory([value.root], makers):
            if root in plan.buffer and holder.get(plan.buffer[root]) is not root:
                raise BrokenProgram(f"the result {name} was written over")
    if plan.is_body:
        _check_names(plan)
    else:
        _check_owners(plan)


def _memory(roots: list[Value], makers: Mapping[Value, Instruction]) -> list[Value]:
    """`roots`, and those whose memory they may lie in."""
    for root in roots:
        roots += [v.root for v in shared_with(makers.get(root)) if v.root not in roots]
    return roots


def _check_owners(plan: Schedule) -> None:
    """Each result of a function lies in memory of its own."""
    makers = {line.result: line for line in plan.program.instructions}
    owners: dict[Value, str] = {}
    for name, value in plan.program.results.items():
        for root in _memory([value.root], makers):
            if root.argument is not None:
                raise BrokenProgram(
                    f"the result {name} shares memory with the argument {root.argument}"
                )
            owner = owners.setdefault(plan.buffer.get(root, root), name)
            if owner != name:
                raise BrokenProgram(f"the results {owner} and {name} share memory")


def _check_target(line: Instruction, plan: Schedule) -> None:
    """What a line writes into is memory of its own kind, that it does not read meanwhile."""
    target = plan.written_to.get(line)
    if target is None:
        return
    if target.root.argument is not None:
        raise BrokenProgram(f"{line.op} would write to an argument")
    if target.dtype != line.result.dtype or not same(target.size, line.result.size):
        raise BrokenProgram(f"{line.op} does not fit into what it is written to")
    if target.root not in plan.buffer:
        raise BrokenProgram(f"{line.op} would write to what is made outside of its loop")
    memory = plan.buffer[target.root]
    sources = line.operands[1:] if line.op in UPDATES else line.operands
    for value in sources:
        if isinstance(value, Literal) or plan.buffer.get(value.root) is not memory:
            continue
        # entry by entry, an operand can be written over while it is read
        is_view = value.base is not None and value is not target
        if line.op != "ufunc" or is_view or value.shape != line.result.shape:
            raise BrokenProgram(f"{line.op} reads memory while it is written over")


def verify_loop(line: Instruction, body: Schedule) -> None:
    """The body of a loop is a program that could run, step after step."""
    loop = line.options["loop"]
    around = set(line.values)
    for value in loop.reads():
        if isinstance(value, Value) and value not in around:
            raise BrokenProgram("loop reads what it is not given")
    verify(body, given=around)
    for state in loop.carried:
        before, after = state.before, state.after
        if not same_shape(before.shape, after.shape) or before.dtype != after.dtype:
            raise BrokenProgram(f"the state {before.argument} does not fit what comes after it")
    filled = [line.result for line in body.program.instructions if line.op == "store"]
    filled += body.written_to.values()
    for kept in loop.kept:
        if filled.count(kept.slot) != 1:
            raise BrokenProgram("an array of a loop is not filled once at each step")
        if body.buffer.get(kept.slot) is not kept.slot:
            raise BrokenProgram("an array of a loop is filled through other memory")


def _check_names(body: Schedule) -> None:
    """A state that takes the name of the one before is made when that is read no more."""
    lines = body.program.instructions
    for after, before in body.renamed.items():
        made = [line.result for line in lines].index(after)
        later = [value for line in lines[made + 1 :] for value in line.values]
        if any(value.root is before for value in (*later, *body.program.results.values())):
            raise BrokenProgram(f"the state {before.argument} is read after it took a new value")
