"""What a function draws before it computes: how many numbers, and what they hold in memory.

A random tensor is an argument to the program; the function itself fills it.
"""

from __future__ import annotations

from symgrad.expr.leaf import Random
from symgrad.program.instruction import Program, Value


def drawn_values(program: Program) -> list[tuple[Random, Value]]:
    """The random tensors that the program reads."""
    found = [(node, v) for node, v in program.arguments.items() if isinstance(node, Random)]
    return sorted(found, key=lambda pair: pair[0].serial)
