"""The program: straight-line, single-assignment instructions over values with known shapes.

ufunc      NumPy's elementwise function `name`; may write into a dead operand
dot        product of matrices or vectors          matmul  stacked matrix products
vdot       sum of all products of entries
vecdot     row-by-row inner products               reduce  `np.<name>.reduce` along an axis
view ops   transpose, index, reshape, slice, broadcast, diagonal: share memory, cost nothing
fill ops   full, arange, identity, table
gather     take, take_along, pick;  scatter: add_at, add_along, add_pick, add_box (in place)
call       one of the module's own functions (`_erf`)
guard      a check of indices that raises; it has no result that others use
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy

from symgrad.expr.dimension import Shape, product
from symgrad.expr.node import Node

VIEWS = frozenset({"transpose", "index", "reshape", "slice", "broadcast", "diagonal"})
UPDATES = frozenset({"add_at", "add_along", "add_pick", "add_box"})
WRITES_OUT = frozenset({"ufunc", "dot", "matmul", "vecdot", "reduce"})


@dataclass(frozen=True)
class Literal:
    """A number in the code: exact, or arithmetic of dimensions. Printed as a Python float."""

    number: sympy.Expr

    shape: Shape = ()
    dtype: str = "float"


@dataclass(eq=False)
class Value:
    """An array: an argument of the function or the result of one instruction.

    `shape` is what lies in memory; where a node is a broadcast of it, that is left to NumPy.
    `base`: the value whose memory a view shares. `node`: what it holds, if all of a node.
    """

    shape: Shape
    dtype: str
    base: Value | None = None
    node: Node | None = None
    argument: str | None = None

    @property
    def root(self) -> Value:
        value = self
        while value.base is not None:
            value = value.base
        return value

    @property
    def size(self) -> sympy.Expr:
        return product(self.shape)


Operand = Value | Literal


@dataclass(eq=False)
class Instruction:
    """`result = op(*operands)`. `node` is the equation that the line belongs to."""

    op: str
    operands: tuple[Operand, ...]
    result: Value
    node: Node
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> tuple[Value, ...]:
        return tuple(operand for operand in self.operands if isinstance(operand, Value))


@dataclass
class Program:
    """One function: its arguments, its lines, and what it returns by name."""

    arguments: dict[Node, Value]
    instructions: list[Instruction]
    results: dict[str, Value]
