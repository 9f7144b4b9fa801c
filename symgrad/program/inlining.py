"""Which values stand inside the statement that reads them, and so are held no longer than it runs.

s = square(h); d = 1 - s; m = h > 0; g = g * m     ->   ...; g = g * (h > 0)
a = x.sum(); b = a / n                             ->   b = x.sum() / n
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from symgrad.expr.node import BOOL
from symgrad.program.instruction import VIEWS, Instruction, Value

MOST_INLINED = 4  # operations inside one statement: a chain of thousands must not nest


def inlined_values(lines: Sequence[Instruction]) -> set[Value]:
    """Values written where they are read: numbers, and masks that the next statement reads.

    What reads an array is written in the next statement or not at all: later the array may have
    been written over. Numbers made of numbers may wait.
    """
    statements = [line for line in lines if line.op not in VIEWS]
    readers: dict[Value, list[Instruction]] = {}
    for line in lines:
        for value in line.values:
            readers.setdefault(value, []).append(line)
    inlined: set[Value] = set()
    operations: dict[Value, int] = {}
    reads_arrays: set[Value] = set()
    for line, following in zip_longest(statements, statements[1:]):
        value = line.result
        operations[value] = 1 + sum(operations[v] for v in line.values if v in inlined)
        if any(v.root.shape or v in reads_arrays for v in line.values):
            reads_arrays.add(value)
        if operations[value] > MOST_INLINED:
            continue
        if len(readers.get(value, ())) != 1 or line.options.get("cast") or value.node is not None:
            continue
        (reader,) = readers[value]
        next_reads = reader is following and reader.op == "ufunc"
        may_wait = reader.op == "ufunc" and value not in reads_arrays and not value.shape
        if line.op == "ufunc" and (next_reads or may_wait):
            if not value.shape or value.dtype == BOOL:
                inlined.add(value)
        elif not value.shape and next_reads and line.op in {"reduce", "dot", "vdot"}:
            inlined.add(value)
    return inlined
