"""What one call costs, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.report.notation.formula import Math


@dataclass(frozen=True)
class CostRow:
    """What an equation costs, or a pass: polynomials, and numbers at the sample sizes.

    part: "forward", "backward" or "total"; called: what it is called. flops, traffic, peak:
    None where the number says all.
    """

    number: str
    label: Math | None
    part: str
    called: str
    flops: Math | None
    traffic: Math | None
    peak: Math | None
    sample: tuple[str, ...]


@dataclass(frozen=True)
class CostRatio:
    """How many times as much a pass takes as another, at the sample sizes; "" where unknown."""

    called: str
    flops: str
    traffic: str
    peak: str


@dataclass(frozen=True)
class CostTable:
    """Costs per equation and in total. `sizes`: at which the numbers hold, "" if there are none.

    ratio: of the second part to the first, None where there is only one.
    """

    sizes: str
    rows: tuple[CostRow, ...]
    totals: tuple[CostRow, ...]
    ratio: CostRatio | None = None
