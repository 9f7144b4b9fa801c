"""What a check found: one line of the table, and the law by which numbers are compared.

A slope `a` that a module claims and a central difference `n` agree if

    |a - n| <= 1e-6 (|a| + |n|) + 4 eps |f| / h

where the second term is the rounding of the difference itself. What is not a number agrees with
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

RELATIVE = 1e-6
EPS = 2.0**-52


@dataclass(frozen=True)
class Finding:
    """One comparison.

    function: which of the module's functions. subject: what was compared. claimed, found: what
    the function says and what was measured, as short text. error: the relative error, or None
    where none is measured. note: what a reader should know, or what to do about it.
    """

    function: str
    subject: str
    agrees: bool
    claimed: str = ""
    found: str = ""
    error: float | None = None
    note: str = ""


def slopes_agree(claimed: float, measured: float, magnitude: float, step: float) -> bool:
    """The law above; `magnitude` is |f|."""
    bound = RELATIVE * (abs(claimed) + abs(measured)) + 4 * EPS * magnitude / step
    return abs(claimed - measured) <= bound


def relative_error(claimed: float, measured: float) -> float:
    """|a - n| / (|a| + |n|), 0 if both are 0."""
    size = abs(claimed) + abs(measured)
    return abs(claimed - measured) / size if size else 0.0
