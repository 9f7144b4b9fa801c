"""What a program costs, in closed form: FLOPs, bytes moved and peak memory as polynomials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import sympy

from symgrad.expr.dimension import product
from symgrad.program.inlining import inlined_values
from symgrad.program.instruction import UPDATES, VIEWS, Instruction, Value

if TYPE_CHECKING:
    from symgrad.program.schedule import Schedule

SAMPLE = 64  # what a dimension symbol is taken to be where sizes must be compared
ITEM = sympy.Symbol("itemsize", integer=True, positive=True)  # bytes of a float: 4 or 8
BYTES = {"int": sympy.Integer(8), "bool": sympy.Integer(1), "float": ITEM}
# Bytes that the module's own functions hold for each entry of their argument while they run. The
# error functions compute in float64, and on what takes their longest branch.
SCRATCH = {"logsumexp": 2 * ITEM, "prod_others": 2 * ITEM, "erf": 98, "erfc": 99}

Bytes = Counter[sympy.Expr]  # a polynomial: the coefficient of each product of dimensions


@dataclass(frozen=True)
class Cost:
    """FLOPs, bytes read and written, and the most bytes of results and temporaries alive at once.

    `peak` does not count the arguments; NumPy keeps a local array until the function returns or
    its memory is written over, and so does this count. Beyond it NumPy needs a header of about
    100 bytes for each array, and buffers of a fixed size where types are converted.
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
    lines = [line for line in plan.program.instructions if line.op not in VIEWS]
    flops = sympy.Add(*(line_flops(line) for line in lines))
    traffic = sympy.Add(*(_traffic(line) for line in lines))
    return Cost(sympy.expand(flops), sympy.expand(traffic), peak_bytes(plan))


def line_flops(line: Instruction) -> sympy.Expr:
    """Floating-point operations of one line; an elementary function counts as one."""
    if line.op in {"dot", "matmul", "vecdot"}:
        inner = line.values[0].shape[-1]
        return 2 * line.result.size * inner
    if line.op == "vdot":
        return 2 * line.values[0].size
    if line.op in {"reduce", "cumsum", "argmax", "argmin"}:
        return line.values[0].size
    if line.op in {"ufunc", "call"}:
        return line.result.size
    if line.op in UPDATES:
        return _updated(line)
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
    """The most bytes that one call holds at a time.

    What has a name is held to the end, so the last moment holds most of it; an earlier one can
    hold more only by what stands inside its statement or is needed while it runs.
    """
    lines = [line for line in plan.program.instructions if line.op not in VIEWS]
    inlined = inlined_values(plan.program.instructions)
    inside: dict[Value, Bytes] = {}
    moments: list[tuple[Bytes, Bytes]] = []  # kept by each statement, and needed while it runs
    for line in lines:
        needed = Counter(_scratch(line))
        for value in line.values:
            needed.update(inside.get(value, {}))
        is_new = line not in plan.written_to and line.op != "guard"
        made = _bytes(line.result) if is_new else Counter()
        if line.result in inlined:
            needed.update(made)
            inside[line.result] = needed
        else:
            moments.append((made, needed))
    total: Bytes = Counter()
    more: list[Bytes] = []  # by which a moment exceeds the last one
    for made, needed in reversed(moments):
        excess = _difference(needed, total)
        if not _is_within(excess, [*more, Counter()]):
            more = [*(other for other in more if not _is_within(other, [excess])), excess]
        total.update(made)
    beyond = [_polynomial(excess) for excess in more]
    if more and not all(c > 0 for excess in more for c in excess.values()):
        beyond.append(sympy.S.Zero)
    extra = sympy.Max(*beyond) if beyond else sympy.S.Zero
    return sympy.expand(_polynomial(total) + extra)


def _traffic(line: Instruction) -> sympy.Expr:
    """Bytes that one line reads and writes; an update touches only the entries that it changes."""
    if line.op in UPDATES:
        touched = 2 * _updated(line) * BYTES[line.result.dtype]
        return touched + sympy.Add(*(v.size * BYTES[v.dtype] for v in line.values[1:]))
    return sympy.Add(*(v.size * BYTES[v.dtype] for v in (*line.values, line.result)))


def _updated(line: Instruction) -> sympy.Expr:
    """How many entries an update adds to."""
    target, indices = line.values[0], line.values[-1]
    if line.op == "add_box":
        return product(
            size if entry == ":" else _extent(*entry)
            for entry, size in zip(line.options["box"], target.shape, strict=True)
        )
    if line.op == "add_at":
        others = [size for axis, size in enumerate(target.shape) if axis != line.options["axis"]]
        return indices.size * product(others)
    return indices.size


def _extent(start: sympy.Expr, stop: sympy.Expr | None, step: int) -> sympy.Expr:
    """How many entries a slice has."""
    end = sympy.S.NegativeOne if stop is None else stop
    return sympy.ceiling(sympy.expand(end - start) / step)


def _scratch(line: Instruction) -> Bytes:
    """What runs out of sight while a line does: inside a function, or in picking entries."""
    if line.op == "call":
        each = sympy.sympify(SCRATCH[str(line.options["name"])])
        return _terms(sympy.expand(line.values[0].size * each))
    if line.op == "add_pick":
        return _terms(sympy.expand(_updated(line) * BYTES[line.result.dtype]))
    return Counter()


def _bytes(value: Value) -> Bytes:
    return _terms(sympy.expand(value.size * BYTES[value.dtype]))


@lru_cache(maxsize=4096)
def _terms(polynomial: sympy.Expr) -> Bytes:
    return Counter(polynomial.as_coefficients_dict())


def _polynomial(terms: Bytes) -> sympy.Expr:
    return sympy.Add(*(coefficient * term for term, coefficient in terms.items()))


def _difference(a: Bytes, b: Bytes) -> Bytes:
    terms = Counter({t: a[t] - b[t] for t in (*a, *b)})
    return Counter({t: c for t, c in terms.items() if c != 0})


def _is_within(terms: Bytes, others: Iterable[Bytes]) -> bool:
    """Whether `terms` is no more than one of `others` whatever the dimensions stand for."""
    return any(all(c <= 0 for c in _difference(terms, other).values()) for other in others)
