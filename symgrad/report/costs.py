"""Costs as a page tells them: polynomials in the dimensions, and numbers at sample sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symgrad.report.cost_formula import cost_formula
from symgrad.report.notation import Math
from symgrad.report.record.costs import CostRatio, CostRow, CostTable

FORWARD, BACKWARD, TOTAL = "forward", "backward", "total"
OF_TANGENTS = {FORWARD: "values", BACKWARD: "derivatives", TOTAL: TOTAL}
SPACE = "\u202f"  # between thousands


@dataclass(frozen=True)
class Spent:
    """FLOPs, bytes read and written, and the most bytes alive at a time."""

    flops: sympy.Expr
    traffic: sympy.Expr
    peak: sympy.Expr

    @property
    def formulas(self) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
        return self.flops, self.traffic, self.peak

    def at(self, sizes: Mapping[sympy.Symbol, int]) -> tuple[int, int, int]:
        flops, traffic, peak = (int(e.subs(sizes)) for e in self.formulas)
        return flops, traffic, peak


@dataclass(frozen=True)
class Costs:
    """What is handed in about a function. `equations`: by number. In bytes of float64.

    sizes: of every dimension, in the order in which formulas name them. has_tangents: whether
    derivatives are carried forward, so that none of it is a backward pass.
    """

    equations: Mapping[int, Spent]
    forward: Spent
    backward: Spent
    total: Spent
    sizes: Mapping[sympy.Symbol, int]
    has_tangents: bool = False


def cost_table(
    costs: Costs, labels: Mapping[int, Math], forward: Sequence[int]
) -> CostTable:
    """A row for each equation, in the order of their numbers. `forward`: those of values."""
    dims = tuple(costs.sizes)

    def called(part: str) -> str:
        return OF_TANGENTS[part] if costs.has_tangents else part

    def formula(cost: sympy.Expr) -> Math | None:
        return cost_formula(cost, dims) if cost.free_symbols else None

    def row(label: Math | None, text: str, part: str, spent: Spent) -> CostRow:
        flops, traffic, peak = map(formula, spent.formulas)
        numbers = tuple(f"{n:,}".replace(",", SPACE) for n in spent.at(costs.sizes))
        return CostRow(text, label, part, called(part), flops, traffic, peak, numbers)

    rows = tuple(
        row(labels.get(k), f"{k}", FORWARD if k in forward else BACKWARD, spent)
        for k, spent in sorted(costs.equations.items())
    )
    totals = [row(None, "", TOTAL, costs.total)]
    ratio = None
    if {r.part for r in rows} == {FORWARD, BACKWARD}:
        parts = ((FORWARD, costs.forward), (BACKWARD, costs.backward))
        totals = [*(row(None, "", name, spent) for name, spent in parts), *totals]
        times = map(_times, costs.backward.at(costs.sizes), costs.forward.at(costs.sizes))
        ratio = CostRatio(f"{called(BACKWARD)} / {called(FORWARD)}", *times)
    sizes = ", ".join(f"{s.name} = {size}" for s, size in costs.sizes.items())
    return CostTable(sizes, rows, tuple(totals), ratio)


def _times(one: int, other: int) -> str:
    """How many times `other` goes into `one`, with decimals where they say something; "" for 0."""
    if other == 0:
        return ""
    return f"{one / other:.2f}" if one < 10 * other else f"{one / other:.0f}"
