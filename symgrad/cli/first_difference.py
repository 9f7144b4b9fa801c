"""Which pass first changes a value: every form between two passes is compiled and called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from symgrad.calculus.journal import Journal
from symgrad.check.conduct import ROUNDING, compared
from symgrad.check.point import draw_point, random_directions
from symgrad.check.subject import Subject
from symgrad.check.tree import Tree
from symgrad.compiler import assembled
from symgrad.derivation import Derived, passes_after
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION
from symgrad.stages import first_form, raw_form

SEEDS = (0, 1, 2)


def first_difference(model: Model, derived: Derived) -> tuple[list[str], bool]:
    """A line per pass with its largest relative change, up to the first that exceeds rounding.

    And whether there is none such.
    """
    lines: list[str] = []
    for stage in (_before(model), _after(model, derived)):
        name, function = next(stage)
        expected = [_called(model, function, seed) for seed in SEEDS]
        for name, function in stage:
            found = [_called(model, function, seed) for seed in SEEDS]
            findings = [
                compared(name, "values", new, old, ROUNDING)
                for new, old in zip(found, expected, strict=True)
            ]
            worst = max(finding.error or 0.0 for finding in findings)
            if not all(finding.agrees for finding in findings):
                (first, *_) = [finding for finding in findings if not finding.agrees]
                became = f"{first.found} became {first.claimed}"
                lines.append(f"{name} CHANGES VALUES by {worst:.1e} {first.note}: {became}")
                return lines, False
            lines.append(f"{name}: {worst:.1e}")
            expected = found
    return [*lines, "no pass changes a value"], True


def _before(model: Model) -> Iterator[tuple[str, Derived]]:
    """The values of the model, as written and after each pass that precedes differentiation."""
    form = first_form(model)

    def values(form: Form) -> Derived:
        outputs = {key or "loss": node for key, node in form.outputs.items()}
        named = Form(outputs, form.names, {})
        keys = {key: key for key in outputs}
        return Derived("forward", named, keys, Journal(), named, (), named)

    yield "the definition", values(form)
    for each in BEFORE_DERIVATION:
        form = each(form)
        yield each.__name__, values(form)


def _after(model: Model, derived: Derived) -> Iterator[tuple[str, Derived]]:
    """A function as differentiated, and after each later pass."""
    form = raw_form(model, derived)
    yield derived.name, replace(derived, form=form)
    for each in passes_after(derived.name):
        form = each(form)
        yield each.__name__, replace(derived, form=form)


def _called(model: Model, derived: Derived, seed: int) -> Tree:
    """What the function gives at the random point of `seed`."""
    subject = Subject(assembled(model, [derived]).load())
    point = draw_point(subject, seed)
    given = random_directions(subject, derived.name, point, np.random.default_rng(seed))
    return subject.call(derived.name, point, **given)
