"""All checks of one module, in order, as a stream of findings.

For each of several seeds a random point; at it every derivative against differences of the
function below it. Then the same at batch size 1, and the conduct of every function.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from symgrad.check.conduct import conduct, consistency, state_consistency
from symgrad.check.finding import Finding
from symgrad.check.first_order import FIRST_ORDER, Claims
from symgrad.check.point import Point, draw_point, fitting_sizes
from symgrad.check.second_order import SECOND_ORDER
from symgrad.check.sizes import NoSuchSize
from symgrad.check.slopes import judge
from symgrad.check.subject import Subject
from symgrad.errors import CheckError

SEEDS = (0, 1, 2)
DERIVATIVES: dict[str, Claims] = FIRST_ORDER | SECOND_ORDER
# The function below each derivative: one of these is needed to compare with.
BELOW: dict[str, tuple[str, ...]] = {
    "value_and_grad": ("loss", "value_and_grad"),
    "input_grad": ("loss", "value_and_grad"),
    "jvp": ("forward", "loss", "value_and_grad"),
    "vjp": ("forward",),
    "jacobian": ("forward",),
    "per_example_grad": ("loss", "value_and_grad"),
    "hvp": ("value_and_grad",),
    "hessian": ("value_and_grad",),
}


def check_module(
    module: types.ModuleType,
    reference: types.ModuleType | None = None,
    seeds: Sequence[int] = SEEDS,
    progress: Callable[[str], None] = lambda stage: None,
) -> list[Finding]:
    """Every finding about `module`; `progress` hears what comes next.

    `reference`: a module of the same model with functions to compare with that `module` lacks.

    Raises: CheckError if `module` is not a generated module, or cannot be called.
    """
    subject = Subject(module, reference)
    return merged(_findings(subject, seeds, progress))


def _findings(
    subject: Subject, seeds: Sequence[int], progress: Callable[[str], None]
) -> Iterator[Finding]:
    try:
        points = [draw_point(subject, seed) for seed in seeds]
    except CheckError:
        raise
    except Exception as error:  # whatever a function raises on a right call is a finding
        yield Finding("all", "right calls return", False, note=f"{type(error).__name__}: {error}")
        return
    for seed, point in zip(seeds, points, strict=True):
        for function in subject.functions:
            if function in DERIVATIVES:
                progress(f"{function}, random point {seed}")
                yield from _derivative(subject, function, point, seed)
    yield from _guarded("all", consistency(subject, points[0]))
    yield from _guarded("all", state_consistency(subject, points[0]))
    yield from _batch_of_one(subject, seeds[0], progress)
    for function in subject.functions:
        progress(f"{function}, conduct")
        yield from _guarded(function, conduct(subject, function, points[0], points[-1]))


def _derivative(
    subject: Subject, function: str, point: Point, seed: int, where: str = ""
) -> Iterator[Finding]:
    if subject.lower(*BELOW[function]) is None:
        below = " or ".join(BELOW[function])
        yield Finding(function, "slopes", False, note=f"not comparable: emit {below} too")
        return
    if function in ("vjp", "jacobian") and not subject.outputs:
        yield Finding(function, "slopes", False, note="not comparable: OUTPUTS is missing")
        return
    claims = DERIVATIVES[function](subject, point, np.random.default_rng([seed, 7]))
    for finding in _guarded(function, map(judge, claims)):
        yield replace(finding, subject=finding.subject + where)


def _guarded(function: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """`findings`; what a function raises on a right call is one more."""
    try:
        yield from findings
    except Exception as error:
        note = f"{type(error).__name__}: {error}"
        yield Finding(function, "right calls return", False, note=note)


def _batch_of_one(
    subject: Subject, seed: int, progress: Callable[[str], None]
) -> Iterator[Finding]:
    """Derivatives where every named size is 1; nothing is claimed where the loss is not finite."""
    names = fitting_sizes(subject)
    if not names:
        return
    ones = dict.fromkeys(names, 1)
    label = ", ".join(f"{name}=1" for name in names)
    try:
        point = draw_point(subject, seed, ones)
    except (CheckError, NoSuchSize, ValueError, IndexError):
        yield Finding(
            "all", f"slopes at {label}", True, note="not comparable: not finite at that size"
        )
        return
    for function in subject.functions:
        if function in DERIVATIVES:
            progress(f"{function} at {label}")
            yield from _derivative(subject, function, point, seed, f", {label}")


def merged(findings: Iterator[Finding]) -> list[Finding]:
    """One finding per function and subject: the first that disagrees, else the worst error."""
    kept: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.function, finding.subject)
        known = kept.get(key)
        if known is None or (known.agrees and _is_worse(finding, known)):
            kept[key] = finding
    return list(kept.values())


def _is_worse(finding: Finding, known: Finding) -> bool:
    if finding.agrees != known.agrees:
        return known.agrees
    return (finding.error or 0.0) > (known.error or 0.0)
