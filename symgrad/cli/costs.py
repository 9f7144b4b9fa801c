"""Costs in closed form, as text: polynomials in the dimensions."""

from __future__ import annotations

import sympy

from symgrad.program.cost import ITEM, Cost


def flops_text(total: Cost) -> str:
    """Floating-point operations of one call."""
    return str(total.flops)


def peak_text(total: Cost, itemsize: int = 8) -> str:
    """The most bytes of results and temporaries alive at once."""
    return str(sympy.expand(total.peak.subs(ITEM, itemsize)))


def cost_rows(total: Cost) -> list[tuple[str, str]]:
    """Labels and formulas, as the derivation tells them."""
    return [
        ("FLOPs", flops_text(total)),
        ("memory", f"{peak_text(total)} bytes at most, in float64"),
        ("traffic", f"{sympy.expand(total.traffic.subs(ITEM, 8))} bytes, in float64"),
    ]
