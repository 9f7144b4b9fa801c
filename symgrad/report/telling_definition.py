"""What a derivation page begins with: what is computed, how it was defined, what is given."""

from __future__ import annotations

from symgrad.expr.leaf import Leaf, Named, Random
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION
from symgrad.report.equation_sides import differ
from symgrad.report.equation_writer import EquationWriter, shape_of
from symgrad.report.excerpts import excerpts
from symgrad.report.notation import Math, symbol
from symgrad.report.paper_names import PaperNames
from symgrad.report.reasons import told_once
from symgrad.report.record.definition import Excerpt, Given
from symgrad.report.record.equation import Prose, Rewriting
from symgrad.report.simplified import history
from symgrad.report.telling import Telling

LEADS = {
    "forward": "the outputs of the model",
    "loss": "the loss",
    "value_and_grad": "the loss and its gradient with respect to every parameter",
    "input_grad": "the gradient of the loss with respect to the inputs",
    "jvp": "the outputs, and how they change when the parameters move along a direction",
    "vjp": "the outputs, and the gradient of their sum, weighted by given cotangents",
    "hvp": "the Hessian of the loss times a direction",
    "hessian": "the second derivatives of the loss, block by block",
    "jacobian": "the derivatives of the outputs with respect to every parameter",
    "per_example_grad": "for each example the gradient of its own loss",
}


def lead(telling: Telling) -> Prose:
    """What the function gives, and how to read the formulas."""
    derived, followed = telling.derived, telling.followed
    what = LEADS[derived.name]
    if not derived.journal.steps:
        verb = "are" if derived.name == "forward" else "is"
        return (f"How {what} {verb} computed.",)
    found: list[str | Math] = [f"How {what} come about, from the definition to the code. "]
    if followed.loss is not None and followed.loss in followed.told:
        found += [telling.names.journal.loss, " stands for the loss. "]
    found.append("A vector is a column, indices count from 0, and ⊙ multiplies entry by entry.")
    return tuple(found)


def definition(telling: Telling) -> tuple[Excerpt, ...]:
    """The user's lines that the model's tensors come from."""
    model = telling.model
    leaves = (*model.parameters, *model.states, *model.inputs)
    places = [leaf.location for leaf in leaves]
    places += [node.location for node in postorder(model.values().values())]
    places.append(model.location)
    return excerpts(dict.fromkeys(place for place in places if place is not None))


def given(telling: Telling) -> tuple[Given, ...]:
    """The parameters, the state and the inputs, and what is drawn at random."""
    model = telling.model
    drawn = [x for x in postorder(telling.followed.forward_roots) if isinstance(x, Random)]
    leaves = (*model.parameters, *model.states, *model.inputs, *drawn)
    return tuple(_given(telling, leaf) for leaf in leaves)


def _given(telling: Telling, leaf: Named) -> Given:
    evidence = telling.evidence
    return Given(
        type(leaf).__name__.lower(), leaf.name, telling.names.journal(leaf) or symbol(leaf.name),
        shape_of(leaf), leaf.dtype, leaf.location or "",
        evidence.value_of(leaf) if evidence is not None else None,
    )  # fmt: skip


def rewritings(telling: Telling, explained: set[str]) -> tuple[Rewriting, ...]:
    """The equations of the definition that read differently after they were rewritten.

    explained: names of passes whose reason was told; it grows.
    """
    stabilised, before = telling.followed.stabilised, telling.names.defined
    names = PaperNames(before, {}, {}, telling.model.loss, called=telling.names.loss_name)
    was = EquationWriter(names, {})
    told = {n for n, origin in stabilised.origins.items() if names(origin) is not None}
    origins = {stabilised.origins.get(n, n) for n in telling.forward_lines}
    passed = history(Form(telling.model.values(), {}, {}), BEFORE_DERIVATION)
    found: dict[tuple[Math | None, Math | None], Rewriting] = {}
    for node in telling.forward_lines:
        origin = stabilised.origins.get(node)
        if origin is None or origin is node or names(origin) is None:
            continue
        if isinstance(origin, Leaf):
            continue
        old, new = was.equation(origin), telling.writer.equation(node)
        reasons = passed.reasons(origin, before.names)
        if not differ(old, new) or not reasons:
            continue
        read = [was.equation(x) for x in before.untold(origin, origins)]
        needed = telling.names.started.untold(node, told)
        read += [telling.writer.equation(x) for x in needed]
        rewriting = Rewriting(old, new, tuple(dict.fromkeys(read)), reasons)
        found.setdefault((old.index, new.index), rewriting)
    return told_once(found.values(), explained)
