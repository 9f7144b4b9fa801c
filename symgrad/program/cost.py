"""What a program costs, in closed form: FLOPs, bytes moved and peak memory as polynomials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import sympy

from symgrad.expr.dimension import product
from symgrad.expr.node import Node
from symgrad.program.cost_bounds import ITEM, Bytes, difference, largest, polynomial, terms_of
from symgrad.program.drawing import drawn_values
from symgrad.program.inlining import inlined_values
from symgrad.program.instruction import ACTS, SEVERAL, UPDATES, VIEWS, Instruction, Value
from symgrad.program.matrices import matrix_flops, matrix_scratch

if TYPE_CHECKING:
    from symgrad.program.schedule import Schedule

SAMPLE = 64  # what a dimension symbol is taken to be where sizes must be compared
BYTES = {"int": sympy.Integer(8), "bool": sympy.Integer(1), "float": ITEM, SEVERAL: ITEM}
# Bytes that the module's own functions hold for each entry of their argument while they run. The
# error functions compute in float64, and on what takes their longest branch.
SCRATCH = {
    "logsumexp": 2 * ITEM, "prod_others": 2 * ITEM, "erf": 98, "erfc": 99, "ndtr": 101,
    "overlap": 0, "reduce_windows": 0, "spread_to_chosen": ITEM + 3,
}  # fmt: skip


CACHED = 2**18  # entries of the columns that `_convolve` and `_correlate` make at a time


def _images(line: Instruction) -> sympy.Expr:
    return line.values[1].shape[0]


def _window(line: Instruction) -> sympy.Expr:
    return dict(line.options["arguments"])["size"]


BY_WINDOW: dict[str, Callable[[Instruction], sympy.Expr]] = {
    "overlap": lambda line: line.values[0].size,
    "reduce_windows": lambda line: line.result.size * (_window(line) - 1),
    "convolve": lambda line: 2 * line.result.size * line.values[0].shape[-1],
    "correlate": lambda line: 2 * line.result.size * _images(line) * line.values[0].shape[-1],
    "spread_to_chosen": lambda line: 4 * line.values[0].size * _window(line),
}

Moment = tuple[Node, Bytes, Bytes]  # a statement's tensor, what it keeps and what it needs besides


@dataclass(frozen=True)
class Cost:
    """FLOPs, bytes read and written, and the most bytes of results and temporaries alive at once.

    A number that is drawn counts as one operation. `peak` does not count the arguments; NumPy keeps
    a local array until the function returns or its memory is written over, and so does this count.
    Beyond it NumPy needs a header of about 100 bytes for each array, and buffers of a fixed size
    where types are converted.
    """

    flops: sympy.Expr
    traffic: sympy.Expr
    peak: sympy.Expr

    def at(self, sizes: Mapping[str, int], itemsize: int = 8) -> tuple[int, int, int]:
        """(FLOPs, bytes moved, peak bytes) for given sizes."""
        numbers = {ITEM: itemsize}
        symbols = (self.flops + self.traffic + self.peak).free_symbols
        numbers |= {s: sizes[s.name] for s in symbols if s.name in sizes}
        flops, traffic, peak = (int(e.subs(numbers)) for e in (self.flops, self.traffic, self.peak))
        return flops, traffic, peak


@lru_cache(maxsize=65536)
def sample_size(size: sympy.Expr, sample: int = SAMPLE) -> int:
    """`size` with every dimension symbol set to a typical batch size."""
    if isinstance(size, sympy.Integer):
        return int(size)
    return int(size.subs(dict.fromkeys(size.free_symbols, sample)))


def cost(plan: Schedule) -> Cost:
    """The cost of one call of a scheduled program."""
    lines = plan.program.instructions
    flops, traffic = _total(lines, line_flops), _total(lines, line_traffic)
    for _, value in drawn_values(plan.program):
        flops, traffic = flops + value.size, traffic + value.size * ITEM
    return Cost(sympy.expand(flops), sympy.expand(traffic), peak_bytes(plan))


def _total(
    lines: Iterable[Instruction], of_line: Callable[[Instruction], sympy.Expr]
) -> sympy.Expr:
    return sympy.Add(*(of_line(line) for line in lines if line.op not in VIEWS))


def _repeated(line: Instruction, of_line: Callable[[Instruction], sympy.Expr]) -> sympy.Expr:
    """What the lines of a loop take together."""
    loop = line.options["loop"]
    return loop.length * _total(loop.body.instructions, of_line)


def line_flops(line: Instruction) -> sympy.Expr:
    """Floating-point operations of one line; an elementary function counts as one."""
    if line.op == "loop":
        return _repeated(line, line_flops)
    if line.op in {"dot", "matmul", "vecdot"}:
        inner = line.values[0].shape[-1]
        return 2 * line.result.size * inner
    if line.op == "vdot":
        return 2 * line.values[0].size
    if line.op in {"reduce", "cumsum", "argmax", "argmin"}:
        return line.values[0].size
    if line.op == "call" and line.options["name"] in BY_WINDOW:
        return BY_WINDOW[line.options["name"]](line)
    if line.op == "linalg":
        return matrix_flops(line)
    if line.op in {"ufunc", "call"}:
        return line.result.size
    if line.op in UPDATES:
        return _updated(line) if line.options["sign"] else sympy.S.Zero
    if line.op == "einsum":
        letters = set(line.options["subscripts"]) - set(",->")
        sizes: dict[str, sympy.Expr] = {}
        for labels, value in zip(
            line.options["subscripts"].split("->")[0].split(","), line.values, strict=True
        ):
            sizes |= dict(zip(labels, value.shape, strict=True))
        return 2 * sympy.Mul(*(sizes[letter] for letter in letters))
    return sympy.S.Zero


def peak_bytes(plan: Schedule) -> sympy.Expr:
    """The most bytes that one call holds at a time, where no dimension is 0."""
    return peak_of(moments(plan))


def peak_of(moments: Sequence[Moment]) -> sympy.Expr:
    """The most bytes that are held in one of `moments`, which follow each other.

    What has a name is held to the end, so the last moment holds most of it; an earlier one can
    hold more only by what stands inside its statement or is needed while it runs.
    """
    total: Bytes = Counter()
    excesses: list[Bytes] = [Counter()]  # of the moments over the last one
    for _, made, needed in reversed(moments):
        excesses = largest([*excesses, difference(needed, total)])
        total.update(made)
    # max(8, 8*n - 8) is told as 8 + max(0, 8*n - 16)
    base = min(excesses, key=lambda excess: len(polynomial(excess).free_symbols - {ITEM}))
    beyond = sympy.Max(*(sympy.expand(polynomial(difference(e, base))) for e in excesses))
    return sympy.expand(polynomial(total) + polynomial(base)) + beyond


def moments(plan: Schedule) -> list[Moment]:
    """The bytes kept by each statement, and those needed beside them while it runs."""
    lines = [line for line in plan.program.instructions if line.op not in VIEWS]
    inlined = inlined_values(plan.program.instructions)
    inside: dict[Value, Bytes] = {}
    found: list[Moment] = [
        # a mask of zeros and ones is compared first
        (leaf, _bytes(value), terms_of(value.size) if leaf.kind == "bernoulli" else Counter())
        for leaf, value in drawn_values(plan.program)
    ]
    for line in lines:
        if line.op == "loop":
            found += _moments_of_loop(line, plan.bodies[line])
            continue
        needed = Counter(_scratch(line))
        for value in line.values:
            needed.update(inside.get(value, {}))
        is_new = line not in plan.written_to and line.op not in ACTS and not _is_of_loop(line, plan)
        made = _bytes(line.result) if is_new else Counter()
        if line.result in inlined:
            needed.update(made)
            inside[line.result] = needed
        else:
            found.append((line.node, made, needed))
    return found


def _moments_of_loop(line: Instruction, body: Schedule) -> list[Moment]:
    """The arrays that it fills, its first step, and one more step while the names of the first
    still hold what that made.
    """
    arrays: Bytes = Counter()
    for kept in line.options["loop"].kept:
        arrays.update(_bytes(kept.array))
    first = moments(body)
    again = [(node, Counter[sympy.Expr](), made + needed) for node, made, needed in first]
    return [(line.node, arrays, Counter()), *first, *again]


def _is_of_loop(line: Instruction, plan: Schedule) -> bool:
    """Whether `line` only names what a loop has made."""
    return line.op == "part" and any(of.result in line.values for of in plan.bodies)


def line_traffic(line: Instruction) -> sympy.Expr:
    """Bytes that one line reads and writes; an update touches only the entries that it changes."""
    if line.op == "loop":
        return _repeated(line, line_traffic)
    if line.op == "part":
        return sympy.S.Zero
    if line.op in UPDATES:
        passes = 2 if line.options["sign"] else 1  # what is added to is read as well
        touched = passes * _updated(line) * BYTES[line.result.dtype]
        return touched + sympy.Add(*(v.size * BYTES[v.dtype] for v in line.values[1:]))
    return sympy.Add(*(v.size * BYTES[v.dtype] for v in (*line.values, line.result)))


def _updated(line: Instruction) -> sympy.Expr:
    """How many entries an update adds to."""
    target, indices = line.values[0], line.values[-1]
    if line.op == "add_box":
        return product(
            size if entry == ":" else _extent(size, *entry)
            for entry, size in zip(line.options["box"], target.shape, strict=True)
        )
    if line.op == "add_at":
        others = [size for axis, size in enumerate(target.shape) if axis != line.options["axis"]]
        return indices.size * product(others)
    return indices.size


def _extent(
    size: sympy.Expr, start: sympy.Expr | None, stop: sympy.Expr | None, step: int
) -> sympy.Expr:
    """How many entries of an axis a slice has; None stands for an end of the axis."""
    first, beyond = (size - 1, sympy.S.NegativeOne) if step < 0 else (sympy.S.Zero, size)
    start, stop = first if start is None else start, beyond if stop is None else stop
    return sympy.ceiling(sympy.expand(stop - start) / step)


def _scratch(line: Instruction) -> Bytes:
    """What runs out of sight while a line does: inside a function, or in picking entries."""
    if line.op == "linalg":
        return terms_of(sympy.expand(matrix_scratch(line, ITEM)))
    if line.op == "call" and line.options["name"] in {"convolve", "correlate"}:
        entries = int(product(line.values[1].shape[1:]))
        few = max(1, CACHED // entries)
        own = product(line.result.shape) if line.options["name"] == "correlate" else 0
        return terms_of(sympy.expand(few * (entries + own) * ITEM))
    if line.op == "call":
        each = sympy.sympify(SCRATCH[str(line.options["name"])])
        return terms_of(sympy.expand(line.values[0].size * each))
    if line.op == "add_pick":
        return terms_of(sympy.expand(_updated(line) * BYTES[line.result.dtype]))
    return Counter()


def _bytes(value: Value) -> Bytes:
    return terms_of(sympy.expand(value.size * BYTES[value.dtype]))
