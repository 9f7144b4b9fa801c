"""The program: straight-line, single-assignment instructions over values with known shapes.

ufunc      NumPy's elementwise function `name`; may write into a dead operand
dot        product of matrices or vectors          matmul  stacked matrix products
vdot       sum of all products of entries
vecdot     row-by-row inner products               reduce  `np.<name>.reduce` along an axis
view ops   transpose, index, reshape, slice, broadcast, diagonal, windows: share memory, free
columns    windows written out in the order of a view of them, so that BLAS can multiply them
fill ops   full, arange, identity, table
gather     take, take_along, pick;  scatter: add_at, add_along, add_pick, add_box (in place)
call       one of the module's own functions (`_erf`)
linalg     one of `np.linalg`, or a function of the module's own around one (`_solve`)
part       one of the results of a line that has several (`eigh`); its memory is its own
guard      a check of indices that raises; it has no result that others use
loop       a step that is run again and again (program/loop.py): its results are parts
entry      a view of one entry along the first axis;  store  writes a value into an entry
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy

from symgrad.expr.dimension import Shape, product
from symgrad.expr.node import Node

VIEWS = frozenset(
    {"transpose", "index", "reshape", "slice", "broadcast", "diagonal", "windows", "entry"}
)
# The dtype of what a line with several results gives: a tuple of arrays. Its shape counts the
# entries of those that no `part` takes.
SEVERAL = "several"
UPDATES = frozenset({"add_at", "add_along", "add_pick", "add_box"})
WRITES_OUT = frozenset({"ufunc", "dot", "matmul", "vecdot", "reduce", "columns", "concat"})
ACTS = frozenset({"guard", "store"})  # done for what they do: nothing reads their result


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

    def views(self) -> Iterator[Value]:
        """The value and what it is a view of, down to the memory."""
        value: Value | None = self
        while value is not None:
            yield value
            value = value.base

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
    """One function, or one step of a loop: its arguments, its lines, what it returns by name."""

    arguments: dict[Node, Value]
    instructions: list[Instruction]
    results: dict[str, Value]


def every_line(lines: Iterable[Instruction]) -> Iterator[Instruction]:
    """`lines`, and after each loop those of its body."""
    for line in lines:
        yield line
        if line.op == "loop":
            yield from every_line(line.options["loop"].body.instructions)


def takes_out(line: Instruction) -> bool:
    """Whether NumPy can write the result into memory that exists."""
    is_moved = line.options.get("name") == "where" or line.options.get("reshaped", False)
    return line.op in WRITES_OUT and not is_moved


def shared_with(line: Instruction | None) -> tuple[Value, ...]:
    """The values whose memory the result may lie in: the first state of a loop without a step."""
    return () if line is None else line.options.get("shares", ())
