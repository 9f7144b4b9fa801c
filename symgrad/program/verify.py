"""The verifier of programs: definitions before uses, shapes that fit, nothing read too late."""

from __future__ import annotations

from collections.abc import Set

from symgrad.expr.dimension import broadcast, same_shape
from symgrad.program.inlining import inlined_values
from symgrad.program.instruction import UPDATES, VIEWS, Instruction, Literal, Value
from symgrad.program.schedule import Schedule


class BrokenProgram(AssertionError):
    """The compiler made an illegal program; a defect of symgrad, never of its user."""


def verify(plan: Schedule, inlined: Set[Value] | None = None) -> None:
    """Raises: BrokenProgram if the program could not run, or would read memory written over.

    `inlined`: the values that are written, and so computed, where they are read; by default those
    of `inlined_values`.
    """
    program = plan.program
    if inlined is None:
        inlined = inlined_values(program.instructions)
    delayed: dict[Value, tuple[Value, ...]] = {}  # an inlined value -> what its reader reads for it
    known: set[Value] = set(program.arguments.values())
    holder: dict[Value, Value] = {}  # buffer -> the value whose entries lie in it now
    for line in program.instructions:
        for value in line.values:
            if value not in known:
                raise BrokenProgram(f"{line.op} reads a value before it is made")
        reads = tuple(r for v in line.values for r in (v, *delayed.get(v.root, ())))
        if line.result in inlined:
            delayed[line.result] = reads
        for value in reads:
            root = value.root
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
        _check_target(line, plan)
        known.add(line.result)
        if line.op not in VIEWS and line.result in plan.buffer:
            holder[plan.buffer[line.result]] = line.result
    owners: dict[Value, str] = {}
    for name, value in program.results.items():
        if value not in known:
            raise BrokenProgram(f"the result {name} is never made")
        root = value.root
        if root.argument is not None:
            raise BrokenProgram(
                f"the result {name} shares memory with the argument {root.argument}"
            )
        owner = owners.setdefault(plan.buffer.get(root, root), name)
        if owner != name:
            raise BrokenProgram(f"the results {owner} and {name} share memory")
        if root in plan.buffer and holder[plan.buffer[root]] is not root:
            raise BrokenProgram(f"the result {name} was written over")


def _check_target(line: Instruction, plan: Schedule) -> None:
    """What a line writes into is memory of its own kind, that it does not read meanwhile."""
    target = plan.written_to.get(line)
    if target is None:
        return
    if target.root.argument is not None:
        raise BrokenProgram(f"{line.op} would write to an argument")
    if target.dtype != line.result.dtype or not same_shape(target.shape, line.result.shape):
        raise BrokenProgram(f"{line.op} does not fit into what it is written to")
    memory = plan.buffer[target.root]
    sources = line.operands[1:] if line.op in UPDATES else line.operands
    for value in sources:
        if isinstance(value, Literal) or plan.buffer.get(value.root) is not memory:
            continue
        # entry by entry, an operand can be written over while it is read
        if line.op != "ufunc" or value.base is not None or value.shape != line.result.shape:
            raise BrokenProgram(f"{line.op} reads memory while it is written over")
