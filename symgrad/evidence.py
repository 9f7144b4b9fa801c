"""Numbers for a page: values at a point, and how far apart the two sides of each step are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symgrad.calculus.journal import Step
from symgrad.derivation import Derived, passes_after
from symgrad.evaluation.step_check import StepCheck
from symgrad.evaluation.study import Given, Numbers, study
from symgrad.evaluation.verify import Forms, kept_forms, watched
from symgrad.expr.node import Node
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION
from symgrad.report.record.equation import Verified
from symgrad.stages import before_derivation


@dataclass(frozen=True)
class PageNumbers:
    """What `Numbers` found, in the words of a page."""

    numbers: Numbers

    def value_of(self, node: Node) -> str | None:
        """The entries of `node` as text, None where they are not known."""
        return self.numbers.value_of(node)

    def verified(self, steps: Sequence[Step]) -> Verified | None:
        """The worst that was found about `steps`, None where none could be compared."""
        checks = [check for check in map(self.numbers.check, steps) if check is not None]
        compared = [check for check in checks if check.points]
        return _mark(compared)

    def agreed(self, rewriting: str) -> Verified | None:
        """What was found about a rewriting of this name, None where it could not be compared."""
        found = [c for c in self.numbers.checks if c.kind == "pass" and c.rule == rewriting]
        return _mark([check for check in found if check.points])

    @property
    def summary(self) -> str:
        """What was checked, and the steps at which it failed."""
        failed = "".join(f"; {failure}" for failure in self.numbers.failures)
        return f"{self.numbers.summary}{failed}"


def _mark(compared: Sequence[StepCheck]) -> Verified | None:
    """The worst of what was found."""
    if not compared:
        return None
    worst = max(compared, key=lambda check: (not check.ok, check.error))
    return Verified(worst.error_text, worst.ok)


def evidence_of(
    model: Model,
    derived: Derived,
    at: str | Path | Given | None = None,
    seed: int = 0,
    is_checked: bool = True,
    printed: Forms = (),
) -> PageNumbers:
    """Values at a point, and every step and rewriting of `derived` checked at random points.

    No step is checked unless `is_checked`. `at`: arrays by name or an .npz file of them, "random"
    for small numbers of one decimal, or None for no values. `printed`: more forms to check, each
    after the results that it must equal.
    Raises: CheckError, WeightsError.
    """
    given = (*model.parameters, *model.inputs, *model.states, *model.draws)
    forms = (
        ("", Form(model.values(), {}, {})),
        ("preparation", before_derivation(model)),
        *kept_forms(derived),
        *printed,
    )
    numbers = study(derived, given, at, seed, forms, is_checked=is_checked)
    if any(check.kind == "pass" for check in numbers.failures):
        numbers = study(derived, given, at, seed, (*pass_by_pass(model, derived), *printed))
    return PageNumbers(numbers)


def pass_by_pass(model: Model, derived: Derived) -> Forms:
    """The form after each single pass, so that a check names the one that changes a value."""
    return (
        *watched(model.values(), BEFORE_DERIVATION),
        *watched(derived.raw, passes_after(derived.name)),
    )
