"""The derivation of a model's function as a record, with what only the compiler knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import sympy

from symgrad.calculus.journal import FORWARD
from symgrad.compiler import Compiled
from symgrad.doors import door_of
from symgrad.drawing.graph import computation_graph
from symgrad.emit.function import code_blocks
from symgrad.errors import UnsupportedError
from symgrad.evaluation.study import RANDOM, Given, Numbers
from symgrad.evidence import evidence_of
from symgrad.health_pages import health_section
from symgrad.model.model import Model
from symgrad.passes.pipeline import Observer
from symgrad.program.cost import Cost, cost
from symgrad.program.cost_bounds import ITEM
from symgrad.program.cost_by_equation import spending
from symgrad.report.closed_forms import as_forms, closed_forms
from symgrad.report.costs import Costs, Spent
from symgrad.report.derivation import Emitted, derivation_record
from symgrad.report.followed import Followed
from symgrad.report.followed_names import FollowedNames
from symgrad.report.notation.step_letter import steps_counted_beside
from symgrad.report.record.definition import Drawing, Excerpt
from symgrad.report.record.derivation import DerivationRecord
from symgrad.sample_sizes import sample_sizes
from symgrad.stages import before_derivation, compiled_with

FLOAT64 = 8
OF_THE_LOSS = ("value_and_grad", "input_grad", "per_example_grad")  # with a health of gradients


def derivation_of(
    model: Model,
    function: str | None = None,
    level: str = "steps",
    definition: tuple[Excerpt, ...] | None = None,
    observer: Observer | None = None,
    at: str | Path | Given | None = None,
    seed: int = 0,
    is_checked: bool = False,
    is_portable: bool = False,
    measures: bool = False,
    sizes: Mapping[str, Any] | None = None,
) -> tuple[DerivationRecord, Numbers | None]:
    """All that a page tells of `function`, by default value_and_grad or the first there is.

    `at`, `seed`: of the values of a worked example, as for `evidence_of`. `is_checked`: whether
    each step is computed on both sides. `is_portable`: whether errors are rounded up, so that the
    page is the same on every machine. `measures`: whether the code's gradients are measured beside
    those that gradient health predicts. `sizes`: at which costs are shown, as for `sample_sizes`.
    The second result is what was found in numbers, if any.
    """
    sample_sizes(model, sizes or {})  # what is wrong with them is said before much is computed
    compiled, position = compiled_with(model, function, observer)
    stabilised = before_derivation(model)
    derived, equations = compiled.derived[position], compiled.equations[position]
    called = {*map(str, model.dims), *(x.name for x in (*model.parameters, *model.inputs))}
    with steps_counted_beside(called):
        followed = Followed(model, derived, stabilised, equations.names, equations.numbers)
        names = FollowedNames(followed, level)
        plan = compiled.plans[position]
        door = door_of(model, derived, plan, equations)
        evidence, closed = None, closed_forms(names)
        if at is not None or is_checked:
            evidence = evidence_of(
                model, derived, at, seed, is_checked, as_forms(followed, closed)
            )
        point = None if evidence is None or at == RANDOM else evidence.numbers.point
        of_arrays = {} if point is None else point.sizes.known
        emitted = Emitted(
            code_blocks(derived.name, plan, equations, door, derived.returned),
            costs_of(
                compiled, position, followed.forward_numbers,
                sample_sizes(model, sizes or {}, of_arrays),
            ),
        )  # fmt: skip
        if evidence is not None and is_portable:
            evidence = replace(evidence, numbers=evidence.numbers.rounded_up())
        record = derivation_record(
            names, emitted, closed,
            definition=definition, graph=drawing_of(names), evidence=evidence,
        )  # fmt: skip
        if derived.name in OF_THE_LOSS:
            record = replace(record, health=health_section(model, measures))
    return record, None if evidence is None else evidence.numbers


def drawing_of(called: FollowedNames) -> Drawing:
    """The graph of what is differentiated; words where the library that lays it out is missing."""
    followed, names = called.followed, called.started.names
    outputs = {names.get(node, "result"): node for node in followed.forward_roots}
    title = followed.model.name
    backward = bool(followed.derived.journal.steps)
    try:
        svg = computation_graph(
            outputs, names, followed.started_numbers, title=title, backward=backward
        )
    except UnsupportedError as missing:
        return Drawing("", f"{missing.what}: {missing.fix}")
    return Drawing(svg, f"The graph of {title}: {', '.join(outputs)} and what they come from")


def costs_of(
    compiled: Compiled,
    position: int,
    forward: frozenset[int],
    sizes: Mapping[sympy.Symbol, int],
) -> Costs:
    """What a function costs, equation by equation, in bytes of float64, with numbers at `sizes`."""
    plan, equations = compiled.plans[position], compiled.equations[position]
    values = {node for node, number in equations.numbers.items() if number in forward}
    spent = spending(plan, equations.owner, values)
    by_number: dict[int, Spent] = {}
    for node, own in spent.equations.items():
        number = equations.numbers.get(node)
        if number is not None and node in equations.names:
            by_number[number] = _spent(own)
    steps = compiled.derived[position].journal.steps
    return Costs(
        by_number, _spent(spent.forward), _spent(spent.backward), _spent(cost(plan)), sizes,
        any(step.mode == FORWARD for step in steps),
    )  # fmt: skip


def _spent(own: Cost) -> Spent:
    return Spent(*(_bytes(e) for e in (own.flops, own.traffic, own.peak)))


def _bytes(expression: sympy.Expr) -> sympy.Expr:
    return sympy.expand(expression.subs(ITEM, FLOAT64))


