"""A whole derivation in numbers: each step of its journal, and the form after each pass.

    checks = verify_derivation(derived, (*model.parameters, *model.inputs, *model.states))

The graph is computed once at each point; all checks are local, so the cost is linear in the
number of steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from symgrad.calculus.journal import Journal
from symgrad.errors import CheckError
from symgrad.evaluation.compare import Finding, compared, together
from symgrad.evaluation.interpreter import Evaluation
from symgrad.evaluation.journal_checks import journal_checks
from symgrad.evaluation.points import random_point
from symgrad.evaluation.step_check import StepCheck
from symgrad.expr.dimension import shape_text
from symgrad.expr.leaf import Named
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.scan import Scan
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form, Pass
from symgrad.passes.pipeline import run

Forms = Sequence[tuple[str, Form]]

# The part of the largest result below which a difference counts as rounding of the large ones.
NEGLIGIBLE = 1e-6
MOST_ENTRIES = 4_000_000  # of one tensor; with more, a derivation is not computed
SMALL = 2  # what a symbolic size is at least taken for


class DerivedFunction(Protocol):
    """What is looked at of a derived function (`symgrad.derivation.Derived`)."""

    @property
    def raw(self) -> Mapping[str, Node]: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def paper(self) -> Form: ...
    @property
    def form(self) -> Form: ...


def verify_derivation(
    derived: DerivedFunction,
    given: Sequence[Named] = (),
    forms: Forms = (),
    points: int = 2,
    seed: int = 0,
) -> tuple[StepCheck, ...]:
    """Every step of the derivation of `derived`, then every pass, checked at random points.

    `given`: leaves of the model; those that are read are found. `forms`: the form after each
    pass; a name "" begins a new sequence. By default those that `derived` keeps.

    Raises: CheckError if no point is found at which the results are finite, or a tensor is too
    large.
    """
    forms = forms or kept_forms(derived)
    roots = roots_of(derived, forms)
    leaves = leaves_of(roots, given)
    _check_sizes(roots)
    evaluations = [
        random_point(leaves, roots, seed + k, finite=results_of(derived)).evaluation()
        for k in range(points)
    ]
    return checks_at(derived, evaluations, forms, seed)


def _check_sizes(roots: Sequence[Node]) -> None:
    """Raises: CheckError if a tensor alone would fill more memory than a page is worth."""
    for node in postorder(roots):
        dims = {symbol: SMALL for size in node.shape for symbol in size.free_symbols}
        entries = math.prod(int(size.subs(dims)) for size in node.shape)
        if entries > MOST_ENTRIES:
            raise CheckError(f"a tensor of shape {shape_text(node.shape)} has too many entries")


def checks_at(
    derived: DerivedFunction, evaluations: Sequence[Evaluation], forms: Forms, seed: int = 0
) -> tuple[StepCheck, ...]:
    """The same at the points of `evaluations`; `seed`: of the directions that are tried."""
    return (
        *journal_checks(derived.journal, evaluations, seed),
        *pass_checks(forms, evaluations),
    )


def kept_forms(derived: DerivedFunction) -> Forms:
    """The results as derived, on paper, and as they are written for the machine."""
    return (
        ("", Form(dict(derived.raw), {}, {})),
        ("simplification", derived.paper),
        ("rewriting for the machine", derived.form),
    )


def watched(outputs: Mapping[str, Node], passes: Sequence[Pass]) -> Forms:
    """The form of `outputs` after each of `passes`, the first as it is."""
    form = Form.of(outputs)
    forms = [("", form)]
    run(form, passes, lambda name, after: forms.append((name, after)))
    return forms


def pass_checks(forms: Forms, evaluations: Sequence[Evaluation]) -> list[StepCheck]:
    """Whether each pass gives the values that it was given, where those are finite."""
    checks: list[StepCheck] = []
    before: Form | None = None
    for name, form in forms:
        if name and before is not None:
            findings = [_same(before, form, values) for values in evaluations]
            checks.append(
                StepCheck(
                    number=len(checks) + 1,
                    kind="pass",
                    rule=name,
                    ok=all(finding.holds for finding in findings),
                    error=max((finding.error for finding in findings), default=0.0),
                    compared="the values before it, and after it",
                    points=sum(finding.count > 0 for finding in findings),
                )
            )
        before = form
    return checks


def _same(before: Form, after: Form, values: Evaluation) -> Finding:
    if set(before.outputs) != set(after.outputs):
        return Finding(np.inf, 1)
    old = {name: values.value(node) for name, node in before.outputs.items()}
    new = {name: values.value(node) for name, node in after.outputs.items()}
    finite = [np.abs(x[np.isfinite(x)]) for x in old.values()]
    largest = max((float(np.max(x, initial=0)) for x in finite), default=0.0)
    return together([compared(new[name], old[name], NEGLIGIBLE * largest) for name in old])


def roots_of(derived: DerivedFunction, forms: Forms = ()) -> list[Node]:
    """All that a derivation speaks of, outside of the steps of scans."""
    steps = [node for s in derived.journal.steps for node in (s.node, s.result, *s.before)]
    outputs = [*derived.raw.values(), *derived.paper.outputs.values()]
    outputs += derived.form.outputs.values()
    return list(
        dict.fromkeys([*outputs, *steps, *(n for _, f in forms for n in f.outputs.values())])
    )


def results_of(derived: DerivedFunction) -> list[Node]:
    """What must be finite at a point: the results, and what is differentiated."""
    seeds = [step.node for step in derived.journal.steps if step.kind == "seed"]
    started = [node for node in seeds if node.dtype == FLOAT and not isinstance(node, Scan)]
    return list(dict.fromkeys([*derived.raw.values(), *started]))


def leaves_of(roots: Sequence[Node], given: Sequence[Named] = ()) -> list[Named]:
    """`given`, and the leaves below `roots` that a caller passes in."""
    below = [leaf for leaf in postorder(roots) if isinstance(leaf, Named)]
    return list(dict.fromkeys([*given, *below]))
