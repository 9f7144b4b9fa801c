"""What was found out about one step of a derivation by computing both of its sides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symgrad.calculus.journal import Step

# Relative: rounding stays far below it, and a rule that is wrong by 0.001 % far above.
TOLERANCE = 1e-7
# Of errors, for a text that must not depend on the machine: rounding differs from one to another.
BOUNDS = (1e-12, 1e-10, TOLERANCE)


def error_text(error: float, is_bound: bool = False) -> str:
    """An error in two figures, 0 where there was none; or what it is below."""
    if is_bound:
        return f"below {error:.0e}".replace("e-0", "e-")
    return "0" if error == 0 else f"{error:.1e}"


@dataclass(frozen=True)
class StepCheck:
    """Both sides of a step, computed at random points.

    number: as in its journal, or the place of the pass. kind: as in the journal, or "pass".
    rule: the name of the rule or the pass, "" for a step of the driver. ok: whether no point
    contradicts it. error: the largest one seen, relative. compared: what, in words. points: at
    how many there was something to compare. step: the entry of the journal, None for a pass.
    scan: what the scan is called in whose step it stands, "" outside. because: the step that is
    the cause, where it fails since that one does. is_bound: whether `error` is a bound on it.
    """

    number: int
    kind: str
    rule: str
    ok: bool
    error: float
    compared: str
    points: int
    step: Step | None = None
    scan: str = ""
    because: str = ""
    is_bound: bool = False

    @property
    def error_text(self) -> str:
        """The error in two figures; "0" where both sides are the same to the last bit."""
        return error_text(self.error, self.is_bound)

    def rounded_up(self) -> StepCheck:
        """With the first of BOUNDS above the error in its place, which is the same everywhere."""
        bound = next((bound for bound in BOUNDS if self.error < bound), self.error)
        return replace(self, error=bound, is_bound=bound > self.error)

    def __str__(self) -> str:
        where = f" in the step of {self.scan}" if self.scan else ""
        verdict = "holds" if self.ok else "FAILS"
        if not self.points:
            verdict = "was compared nowhere"
        rule = f" {self.rule}" if self.rule else ""
        follows = f", because of {self.because}" if self.because else ""
        return (
            f"{self.kind} {self.number}{where}{rule} {verdict}: {self.compared}, "
            f"relative error {self.error_text} at {self.points} points{follows}"
        )
