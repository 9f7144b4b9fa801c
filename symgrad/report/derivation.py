"""The derivation of one function, told from the journal and the forms that it lies between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.emit.body import Block
from symgrad.report import telling_definition, telling_results, telling_steps
from symgrad.report.chapters import grouped
from symgrad.report.closed_forms import ClosedForm
from symgrad.report.code_lines import code_blocks
from symgrad.report.costs import Costs, cost_table
from symgrad.report.equation_writer import Evidence
from symgrad.report.followed_names import FollowedNames
from symgrad.report.record.definition import Drawing, Excerpt
from symgrad.report.record.derivation import DerivationRecord
from symgrad.report.telling import Telling

LEVELS = ("summary", "steps", "every")


@dataclass(frozen=True)
class Emitted:
    """What is known of the module: its lines, and what they cost."""

    blocks: Sequence[Block] = ()
    costs: Costs | None = None


def derivation_record(
    names: FollowedNames,
    emitted: Emitted,
    closed: Sequence[ClosedForm] = (),
    *,
    definition: tuple[Excerpt, ...] | None = None,
    graph: Drawing | None = None,
    evidence: Evidence | None = None,
) -> DerivationRecord:
    """What is to be told about the function whose tensors `names` calls.

    `closed`: results in one formula. `definition`: the user's own words, by default the lines that
    the model's tensors come from. `evidence`: values and checks, if they were computed.
    """
    telling = Telling(names, evidence)
    model, derived, costs = telling.model, telling.derived, emitted.costs
    forward = [
        (telling.layers.get(node, ""), equation)
        for node, equation in zip(telling.forward_lines, telling.forward, strict=True)
    ]
    derivatives = telling_results.derivatives(telling)
    told = {e.number: e for _, e in (*derivatives, *forward) if e.number}
    layers = {equation.number: layer for layer, equation in (*forward, *derivatives)}
    code = code_blocks(emitted.blocks, names, told)
    labels = {int(n): e.name for n, e in told.items() if e.name is not None}
    labels |= {
        int(block.number): block.equation.name
        for block in code
        if block.equation is not None and block.equation.name is not None
    }
    is_brief, explained = names.level == LEVELS[0], set[str]()
    if definition is None:
        definition = telling_definition.definition(telling)
    return DerivationRecord(
        title=f"{model.name}: the derivation of {derived.name}",
        model=model.name,
        function=derived.name,
        level=names.level,
        lead=telling_definition.lead(telling),
        definition=definition,
        given=telling_definition.given(telling),
        graph=graph,
        forward=grouped(forward, "forward"),
        rewritings=telling_definition.rewritings(telling, explained),
        chapters=() if is_brief else telling_steps.chapters(telling),
        simplifications=() if is_brief else telling_results.simplifications(telling, explained),
        derivatives=grouped(derivatives, "derivatives"),
        closed=telling_results.in_one_formula(telling, closed),
        results=telling_results.results(telling, told),
        independent=telling_results.independent(telling),
        zeros=telling_results.zeros(telling),
        code=grouped([(layers.get(b.number, ""), b) for b in code], "code"),
        costs=cost_table(costs, labels, tuple(names.followed.forward_numbers)) if costs else None,
        explanations=() if is_brief else telling_steps.rules(telling),
        verification=evidence.summary if evidence is not None else "",
    )
