"""What a program costs, in closed form: FLOPs, bytes moved and peak memory as polynomials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import sympy

from symgrad.program.instruction import VIEWS, Instruction

if TYPE_CHECKING:
    from symgrad.program.schedule import Schedule

SAMPLE = 64  # what a dimension symbol is taken to be where sizes must be compared
ITEM = sympy.Symbol("itemsize", integer=True, positive=True)  # bytes of a float: 4 or 8
BYTES = {"int": sympy.Integer(8), "bool": sympy.Integer(1), "float": ITEM}


@dataclass(frozen=True)
class Cost:
    """FLOPs, bytes read and written, and the most bytes of results and temporaries alive at once.

    `peak` does not count the arguments; NumPy keeps a local array until the function returns or
    its memory is written over, and so does this count.
    """

    flops: sympy.Expr
    traffic: sympy.Expr
    peak: sympy.Expr

    def at(self, sizes: Mapping[str, int], itemsize: int = 8) -> tuple[int, int, int]:
        """(FLOPs, bytes moved, peak bytes) for given sizes."""
        numbers = {ITEM: itemsize}
        symbols = (self.flops + self.traffic + self.peak).free_symbols
        numbers |= {s: sizes[s.name] for s in symbols if s.name in sizes}
        return tuple(int(e.subs(numbers)) for e in (self.flops, self.traffic, self.peak))  # type: ignore[return-value]


@lru_cache(maxsize=65536)
def sample_size(size: sympy.Expr, sample: int = SAMPLE) -> int:
    """`size` with every dimension symbol set to a typical batch size."""
    if isinstance(size, sympy.Integer):
        return int(size)
    return int(size.subs(dict.fromkeys(size.free_symbols, sample)))


def cost(plan: Schedule) -> Cost:
    """The cost of one call of a scheduled program."""
    flops: list[sympy.Expr] = []
    traffic: list[sympy.Expr] = []
    allocated: list[sympy.Expr] = []
    for line in plan.program.instructions:
        if line.op in VIEWS:
            continue
        flops.append(line_flops(line))
        touched = [v.size * BYTES[v.dtype] for v in (*line.values, line.result)]
        traffic.extend(touched)
        if line not in plan.written_to and line.op != "guard":
            allocated.append(line.result.size * BYTES[line.result.dtype])
    return Cost(*(sympy.expand(sympy.Add(*terms)) for terms in (flops, traffic, allocated)))


def line_flops(line: Instruction) -> sympy.Expr:
    """Floating-point operations of one line; an elementary function counts as one."""
    if line.op in {"dot", "matmul", "vecdot"}:
        inner = line.values[0].shape[-1]
        return 2 * line.result.size * inner
    if line.op == "vdot":
        return 2 * line.values[0].size
    if line.op in {"reduce", "cumsum", "argmax", "argmin"}:
        return line.values[0].size
    if line.op in {"ufunc", "call", "add_at", "add_along", "add_pick", "add_box"}:
        return line.values[1].size if line.op.startswith("add") else line.result.size
    if line.op == "einsum":
        letters = set(line.options["subscripts"]) - set(",->")
        sizes: dict[str, sympy.Expr] = {}
        for labels, value in zip(
            line.options["subscripts"].split("->")[0].split(","), line.values, strict=True
        ):
            sizes |= dict(zip(labels, value.shape, strict=True))
        return 2 * sympy.Mul(*(sizes[letter] for letter in letters))
    return sympy.S.Zero
