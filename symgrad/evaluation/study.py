"""A derivation with numbers: values beside its equations, and every step checked; in one call.

    numbers = study(derived, given, at="random", seed=0, forms=forms)
    numbers.value_of(node)    a tensor at the point of the worked example, as text; None without one
    numbers.shown(node)       the same as rows of entries, for a page
    numbers.check(step)       what was found about a step of a journal
    numbers.failures          the checks that failed; none if all is well

`given`: the model's parameters, inputs and states. `forms`: forms of the same results one after the
other, each with the name of what made it of the one before; "" begins anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from symgrad.calculus.journal import Step
from symgrad.errors import CheckError
from symgrad.evaluation.given_values import point_from, read_values
from symgrad.evaluation.interpreter import Array, Evaluation
from symgrad.evaluation.points import Point, nice_point
from symgrad.evaluation.shown import Shown, shown, text_of
from symgrad.evaluation.step_check import StepCheck
from symgrad.evaluation.verify import (
    DerivedFunction,
    checks_at,
    kept_forms,
    leaves_of,
    results_of,
    roots_of,
    verify_derivation,
)
from symgrad.expr.leaf import Named
from symgrad.expr.node import Node
from symgrad.expr.scan import Bound, Bundle, Scan
from symgrad.passes.form import Form

RANDOM = "random"
Given = Mapping[str, Any]  # arrays by name


@dataclass(frozen=True)
class Numbers:
    """What is known about a derivation in numbers.

    point: of the worked example, or None. checks: of the steps, then of the passes. unchecked:
    why there are none, or "".
    """

    point: Point | None
    checks: tuple[StepCheck, ...]
    unchecked: str = ""

    @cached_property
    def _evaluation(self) -> Evaluation | None:
        return None if self.point is None else self.point.evaluation()

    @cached_property
    def _by_step(self) -> Mapping[Step, StepCheck]:
        return {check.step: check for check in self.checks if check.step is not None}

    @property
    def failures(self) -> tuple[StepCheck, ...]:
        """The checks that failed of themselves, in the order of the derivation."""
        return tuple(check for check in self.checks if not check.ok and not check.because)

    def check(self, step: Step) -> StepCheck | None:
        """What was found about a step of the journal, or of one within it."""
        return self._by_step.get(step)

    @property
    def summary(self) -> str:
        """What was checked, in one sentence."""
        if not self.checks:
            return f"no step was computed: {self.unchecked}"
        passes = sum(check.kind == "pass" for check in self.checks)
        points = max((check.points for check in self.checks), default=0)
        worst = max(self.checks, key=lambda check: check.error)
        verdict = f"{len(self.failures)} fail" if self.failures else "all hold"
        return (
            f"{len(self.checks) - passes} steps and {passes} rewritings were computed on both "
            f"sides at {points} random points: {verdict}; the largest relative error is "
            f"{worst.error_text}"
        )

    def rounded_up(self) -> Numbers:
        """The same with errors that do not depend on how a machine rounds."""
        return replace(self, checks=tuple(check.rounded_up() for check in self.checks))

    def value(self, node: Node) -> Array | None:
        """What `node` comes to; None without a point, and for what has no one value."""
        if self._evaluation is None or not has_value(node):
            return None
        return self._evaluation.value_if_given(node)

    def shown(self, node: Node) -> Shown | None:
        """The same, as entries to be printed."""
        value = self.value(node)
        return None if value is None else shown(value)

    def value_of(self, node: Node) -> str | None:
        """The same as text on one line."""
        value = self.value(node)
        return None if value is None else text_of(value)


def study(
    derived: DerivedFunction,
    given: Sequence[Named],
    at: str | Path | Given | None = None,
    seed: int = 0,
    forms: Sequence[tuple[str, Form]] = (),
    points: int = 2,
    is_checked: bool = True,
) -> Numbers:
    """Everything that a page shows in numbers.

    `at`: arrays by name or an .npz file of them, or "random" for small numbers of one decimal, or
    None for no values.
    `points`: how many random points the steps are checked at; none unless `is_checked`. Where no
    random point has finite results, they are checked at the point of the file, if one is given.

    Raises: CheckError if the file does not fit the model, or `at` is "random" and no point is
    found at which it is finite; WeightsError if the file cannot be read.
    """
    roots = roots_of(derived, forms)
    leaves = leaves_of(roots, given)
    point = None
    if at == RANDOM:
        point = nice_point(leaves, roots, seed, results_of(derived))
    elif at is not None:
        values, source = (at, "`at`") if isinstance(at, Mapping) else (read_values(at), str(at))
        point = point_from(values, leaves, source, seed, set(leaves_of(roots)))
        _check_indices(point, results_of(derived), source)
    if not is_checked:
        return Numbers(point, (), "it was not asked for")
    try:
        return Numbers(point, verify_derivation(derived, given, forms, points, seed))
    except CheckError as reason:
        if point is None:
            return Numbers(point, (), reason.what)
    forms = forms or kept_forms(derived)
    return Numbers(point, checks_at(derived, [point.evaluation()], forms, seed))


def _check_indices(point: Point, roots: Sequence[Node], source: str) -> None:
    try:
        point.evaluation().values(roots)
    except IndexError as reason:
        raise CheckError(
            f"the whole numbers of {source} do not fit what they index: {reason}"
        ) from None


def values_of(nodes: Sequence[Node], point: Point) -> dict[Node, Array]:
    """The value of each of `nodes` at `point`; what is computed for one is shared by all."""
    evaluation = point.evaluation()
    return {node: evaluation.value(node) for node in nodes if has_value(node)}


def has_value(node: Node) -> bool:
    """Whether it is a tensor of its own: not a whole scan, and not given to its steps."""
    return not isinstance(node, Scan | Bundle | Bound)
