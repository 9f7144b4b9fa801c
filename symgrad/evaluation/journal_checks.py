"""Every step of a journal, computed on both sides.

| kind        | what is compared                                                                  |
| rule        | what operand k receives, contracted with a change v, with the slope of <g, node>  |
|             | along v of this one node; forward: the tangent with the change of this one node   |
| unbroadcast | with the sums over the stretched axes                                             |
| broadcast   | with the tangent, stretched                                                       |
| accumulate  | with the sum of the contributions                                                 |
| zero        | the outputs' slope along a change of the node with 0                              |
| independent | the outputs with themselves, when the node is another                             |
| batch       | each direction taken alone                                                        |

A check is local: operands are at their values whatever was derived before, so a wrong rule is
seen at the step where it stands and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from symgrad.calculus.journal import FORWARD, REVERSE, Journal, Step
from symgrad.errors import CheckError
from symgrad.evaluation import forward_checks as forward
from symgrad.evaluation import reverse_checks as reverse
from symgrad.evaluation.compare import Finding
from symgrad.evaluation.context import Context, Stretch
from symgrad.evaluation.interpreter import Evaluation, Run
from symgrad.evaluation.step_check import StepCheck
from symgrad.expr.node import Node
from symgrad.expr.scan import Bound, Scan
from symgrad.expr.walk import postorder

COMPARED = {
    ("seed", REVERSE): "its shape is that of the tensor it starts from",
    ("seed", FORWARD): "its shape is that of the tensor that moves",
    ("rule", REVERSE): "its product with a change of the operand, and the slope of the node",
    ("rule", FORWARD): "it, and the change of the node when its operands move",
    ("unbroadcast", REVERSE): "it, and the sums over the stretched axes",
    ("broadcast", FORWARD): "it, and the tangent stretched",
    ("accumulate", REVERSE): "it, and the sum of what arrived",
    ("zero", REVERSE): "the slope of the outputs, and 0",
    ("zero", FORWARD): "the slope of the output, and 0",
    ("independent", REVERSE): "the outputs, and what they are for other values of the tensor",
    ("independent", FORWARD): "the output, and what it is for other values of what moves",
    ("batch", REVERSE): "it, and each direction taken alone",
    ("batch", FORWARD): "it, and each direction taken alone",
}


CHECKS: dict[tuple[str, str], Callable[[Step, Stretch, Context], Finding]] = {
    ("seed", REVERSE): reverse.seed,
    ("seed", FORWARD): reverse.seed,
    ("rule", REVERSE): reverse.rule,
    ("rule", FORWARD): forward.rule,
    ("unbroadcast", REVERSE): reverse.unbroadcast,
    ("broadcast", FORWARD): forward.broadcast,
    ("accumulate", REVERSE): reverse.accumulate,
    ("zero", REVERSE): reverse.zero,
    ("zero", FORWARD): forward.still,
    ("independent", REVERSE): reverse.independent,
    ("independent", FORWARD): forward.still,
    ("batch", REVERSE): forward.batch,
    ("batch", FORWARD): forward.batch,
}


def journal_checks(
    journal: Journal, evaluations: Sequence[Evaluation], seed: int, scan: str = ""
) -> list[StepCheck]:
    """A check of every step of `journal`, in its order, those within a scan after its own."""
    contexts = [
        Context(values, np.random.default_rng([seed, place]))
        for place, values in enumerate(evaluations)
    ]
    inner = {
        each: journal_checks(
            within,
            list(_inside(each, within, journal, contexts)),
            seed,
            each.label or _name_of(each),
        )
        for each, within in journal.inner.items()
        if isinstance(each, Scan)
    }
    checks: list[StepCheck] = []
    told: set[Node] = set()
    for step, stretch in _stretches(journal.steps):
        findings = [_finding(step, stretch, context) for context in contexts]
        check = _check(step, findings, scan)
        causes = [c for c in inner.get(step.node, ()) if not c.ok]
        if not check.ok and causes:
            check = replace(check, because=f"step {causes[0].number} in {causes[0].scan}")
        checks.append(check)
        if step.node in inner and step.node not in told:
            told.add(step.node)
            checks += inner[step.node]
    return checks


def _check(step: Step, findings: Sequence[Finding], scan: str) -> StepCheck:
    return StepCheck(
        number=step.number,
        kind=step.kind,
        rule=step.rule,
        ok=all(finding.holds for finding in findings),
        error=max((finding.error for finding in findings), default=0.0),
        compared=COMPARED[step.kind, step.mode],
        points=sum(finding.count > 0 for finding in findings),
        step=step,
        scan=scan,
    )


def _stretches(steps: Sequence[Step]) -> Iterator[tuple[Step, Stretch]]:
    """Each step with what it is known to start from, and which tensors move by which tangents."""
    stretch = Stretch("")
    is_starting = False
    for step in steps:
        if step.kind == "seed":
            if not is_starting or stretch.mode != step.mode:
                stretch = Stretch(step.mode)
            stretch.seeds.append(step.node)
        is_starting = step.kind == "seed"
        if step.mode == FORWARD and step.kind in ("seed", "rule", "broadcast"):
            before = dict(stretch.moving)
            yield step, Stretch(step.mode, stretch.seeds, before)
            stretch.moving[step.node] = step.result
        else:
            yield step, stretch


def _inside(
    scan: Scan, journal: Journal, around: Journal, contexts: Sequence[Context]
) -> Iterator[Evaluation]:
    """The step of `scan` at one of its steps, with the cotangents or tangents that it has there.

    Those that no scan of the derivation carries are random.
    """
    runs = [n for n in postorder(_nodes(around)) if isinstance(n, Scan) and n is not scan]
    bounds = [n for n in postorder(_nodes(journal)) if isinstance(n, Bound)]
    binds = {bound: each for each in (*runs, scan) for bound in each.step.bound}
    for context in contexts:
        run: Run | None = context.values.value_if_given(scan)
        if run is None or not run.steps:
            continue
        at = len(run.steps) // 2
        given = {}
        for bound in bounds:
            derived = context.values.value_if_given(binds[bound]) if bound in binds else None
            if derived is not None:
                given[bound] = derived.steps[at].value(bound)
            else:
                shape = context.sizes.shape(bound.shape)
                given[bound] = context.rng.standard_normal(shape)
        yield Evaluation(given, context.sizes)


def _nodes(journal: Journal) -> list[Node]:
    return [node for s in journal.steps for node in (s.node, s.result, *s.before)]


def _name_of(scan: Scan) -> str:
    return "the scan over " + ", ".join(bound.name for bound in scan.step.carried)


def _finding(step: Step, stretch: Stretch, context: Context) -> Finding:
    try:
        return CHECKS[step.kind, step.mode](step, stretch, context)
    except CheckError:  # it reads what has no value here
        return Finding(0.0, 0)
