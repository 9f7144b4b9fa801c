"""Slopes: what a derivative says about a curve, and what the curve itself says.

Every derivative is checked the same way: contracted with random directions until it is one number,
the slope of a curve of numbers, which central differences measure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symgrad.check.finding import Finding, relative_error, slopes_agree

STEPS = (1e-5, 1e-6, 1e-7)
Curve = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Claim:
    """`slope` is said to be the derivative of `curve` at 0.

    `curve(h)` gives the value and the magnitude that its rounding is relative to.
    """

    function: str
    subject: str
    slope: float
    curve: Curve


def judge(claim: Claim) -> Finding:
    """Compares the claim with central differences.

    The step is 1e-5. Only because a kink (of a relu, a maximum) may lie within it, 1e-6 and 1e-7
    are tried where it disagrees, and the note says so; a wrong slope agrees at none of them.
    """
    measured = 0.0
    for step in STEPS:
        (ahead, size), (behind, _) = claim.curve(step), claim.curve(-step)
        measured = (ahead - behind) / (2 * step)
        if slopes_agree(claim.slope, measured, size, step):
            note = "" if step == STEPS[0] else f"at step {step:g}: a kink lies within {STEPS[0]:g}"
            return _finding(claim, measured, True, note)
    return _finding(claim, measured, False, "")


def _finding(claim: Claim, measured: float, agrees: bool, note: str) -> Finding:
    return Finding(
        claim.function,
        claim.subject,
        agrees,
        claimed=f"{claim.slope:.9g}",
        found=f"{measured:.9g}",
        error=relative_error(claim.slope, measured),
        note=note,
    )
