"""Costs as a page tells them: polynomials in the dimensions, and numbers at sample sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symgrad.report.derivation_record import CostRow, CostTable
from symgrad.report.notation import Math, number

FORWARD, BACKWARD, TOTAL = "forward", "backward", "total"


@dataclass(frozen=True)
class Spent:
    """FLOPs, bytes read and written, and the most bytes alive at a time."""

    flops: sympy.Expr
    traffic: sympy.Expr
    peak: sympy.Expr

    def at(self, sizes: Mapping[sympy.Symbol, int]) -> tuple[str, str, str]:
        numbers = (int(e.subs(sizes)) for e in (self.flops, self.traffic, self.peak))
        return tuple(f"{n:,}".replace(",", "\u202f") for n in numbers)  # type: ignore[return-value]


@dataclass(frozen=True)
class Costs:
    """What is handed in about a function. `equations`: by number. In bytes of float64."""

    equations: Mapping[int, Spent]
    forward: Spent
    backward: Spent
    total: Spent
    sizes: Mapping[sympy.Symbol, int]


def cost_table(
    costs: Costs, labels: Mapping[int, Math], forward: Sequence[int]
) -> CostTable:
    """A row for each equation, in the order of their numbers. `forward`: those of values."""

    def row(label: Math | None, text: str, part: str, spent: Spent) -> CostRow:
        return CostRow(
            text, label, part, number(spent.flops), number(spent.traffic), number(spent.peak),
            spent.at(costs.sizes),
        )  # fmt: skip

    rows = tuple(
        row(labels.get(k), f"{k}", FORWARD if k in forward else BACKWARD, spent)
        for k, spent in sorted(costs.equations.items())
    )
    totals = [row(None, "", TOTAL, costs.total)]
    if any(r.part == BACKWARD for r in rows):
        parts = ((FORWARD, costs.forward), (BACKWARD, costs.backward))
        totals = [*(row(None, "", name, spent) for name, spent in parts), *totals]
    sizes = ", ".join(f"{s.name} = {size}" for s, size in costs.sizes.items())
    return CostTable(sizes, rows, tuple(totals))
