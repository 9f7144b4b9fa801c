"""What is reshaped in another order than it lies in memory is copied; here once for all readers.

y = x.transpose(0, 2, 1).reshape(n * t, d) @ W          x_copy = x.transpose(0, 2, 1).copy()
dW = g.T @ x.transpose(0, 2, 1).reshape(n * t, d)   ->  y = x_copy.reshape(n * t, d) @ W
                                                        dW = g.T @ x_copy.reshape(n * t, d)
"""

from __future__ import annotations

from itertools import pairwise

import sympy

from symgrad.expr.dimension import Shape, same
from symgrad.program.instruction import VIEWS, Instruction, Program, Value


def copy_once(program: Program) -> None:
    """Writes out transposed arrays of which several statements read the same other shape."""
    made_by = {line.result: line for line in program.instructions}
    readers: dict[Value, int] = {}
    for line in program.instructions:
        if line.op not in VIEWS:
            for view in {view for value in line.values for view in value.views()}:
                readers[view] = readers.get(view, 0) + 1
    lines: list[Instruction] = []
    copies: dict[Value, Value] = {}
    for line in program.instructions:
        if line.op == "reshape" and readers.get(line.result, 0) > 1:
            (turned,) = line.values
            maker = made_by.get(turned)
            if maker is not None and _moves_entries(maker, line.result.shape):
                if turned not in copies:
                    copies[turned] = Value(turned.shape, turned.dtype)
                    lines.append(Instruction("copy", (turned,), copies[turned], line.node))
                line.operands = (copies[turned],)
                line.result.base = copies[turned]
        lines.append(line)
    program.instructions[:] = lines


def _moves_entries(turned: Instruction, shape: Shape) -> bool:
    """Whether a transposed array takes the shape only by copying: axes merge that lie apart."""
    if turned.op != "transpose":
        return False
    places = [
        (axis, size)
        for axis, size in zip(turned.options["axes"], turned.result.shape, strict=True)
        if size != 1
    ]
    for merged in shape:
        entries, group = sympy.S.One, []
        while places and not same(entries, merged):
            axis, size = places.pop(0)
            group.append(axis)
            entries = entries * size
        if any(second != first + 1 for first, second in pairwise(group)):
            return True
    return False
