"""Costs in closed form, as text: polynomials in the dimensions."""

from __future__ import annotations

import sympy

from symgrad.program.cost import Cost
from symgrad.program.cost_bounds import ITEM


def flops_text(total: Cost) -> str:
    """Floating-point operations of one call."""
    return _text(total.flops)


def peak_text(total: Cost, itemsize: int = 8) -> str:
    """The most bytes of results and temporaries alive at once, where no dimension is 0."""
    return _text(total.peak.subs(ITEM, itemsize))


def cost_rows(total: Cost) -> list[tuple[str, str]]:
    """Labels and formulas, as the derivation tells them."""
    return [
        ("FLOPs", flops_text(total)),
        ("memory", f"{peak_text(total)} bytes at most, in float64"),
        ("traffic", f"{_text(total.traffic.subs(ITEM, 8))} bytes, in float64"),
    ]


def _text(cost: sympy.Expr) -> str:
    """The terms of largest degree first."""
    return sympy.sstr(sympy.expand(cost), order="grlex")
