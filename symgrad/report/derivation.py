"""The derivation of one function, built from the journal and the forms it lies between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symgrad.derivation import Derived
from symgrad.expr.dimension import shape_text
from symgrad.expr.equation import equation, right_side
from symgrad.expr.leaf import Constant, Leaf, Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.report.derivation_record import Change, DerivationRecord, Line, Row
from symgrad.report.journal_steps import step_records
from symgrad.report.naming import Naming

Names = Mapping[Node, str]


def derivation_record(
    model: Model,
    derived: Derived,
    stabilised: Form,
    names: Names,
    numbers: Mapping[Node, int],
    costs: Sequence[tuple[str, str]],
) -> DerivationRecord:
    """What is to be told about `derived`.

    `stabilised`: the model's loss and outputs after the passes that precede differentiation, with
    origins. `names`, `numbers`: of the equations of the emitted module. `costs`: label and text.
    """
    local = {leaf: names.get(leaf, leaf.name) for leaf in (*model.parameters, *model.inputs)}
    forward, gradients = _numbered(derived, stabilised, names, numbers)
    return DerivationRecord(
        title=f"{model.name}: the derivation of {derived.name}",
        function=derived.name,
        given=tuple(_leaf_line(leaf, local[leaf]) for leaf in (*model.parameters, *model.inputs)),
        definition=_definition(model, local),
        changes=stabilising_changes(model, stabilised),
        forward=forward,
        steps=step_records(derived.journal.steps, _journal_naming(derived, stabilised, names)),
        gradients=gradients,
        results=_results(derived, names, numbers),
        independent=tuple(
            f"{leaf.name} is not read: no result depends on it" for leaf in derived.unread
        ),
        zeros=tuple(f"{name} is identically zero" for name in _zeros(derived)),
        costs=tuple(Row(label, text) for label, text in costs),
    )


def _leaf_line(leaf: Named, name: str) -> Line:
    kind = type(leaf).__name__.lower()
    text = f"{leaf.name}" if name == leaf.name else f"{leaf.name}, in the equations {name}"
    return Line("", f"{kind} {text}", f"{shape_text(leaf.shape)} {leaf.dtype}", leaf.location or "")


def _definition(model: Model, local: Names) -> tuple[Line, ...]:
    """The user's equations, in the order in which they are computed."""
    roots = [*model.outputs.values(), *([model.loss] if model.loss is not None else [])]
    naming = Naming(roots, {**model.names, **local})
    return tuple(_line(node, naming) for node in naming.lines)


def _line(node: Node, naming: Naming, number: str = "") -> Line:
    return Line(number, equation(node, naming.name_of), shape_text(node.shape), node.location or "")


def stabilising_changes(model: Model, stabilised: Form) -> tuple[Change, ...]:
    """The equations that read differently after stabilisation.

    Each tensor is compared with its origin, both written in terms of the tensors that have names
    before; where several say the same, it is said once.
    """
    roots = [*model.outputs.values(), *([model.loss] if model.loss is not None else [])]
    before = Naming(roots, model.names)
    known = {
        node: name
        for node, origin in stabilised.origins.items()
        if (name := before.name_of(origin)) is not None and not isinstance(node, Leaf)
    }
    known |= stabilised.names
    after = Naming(stabilised.outputs.values(), known)
    changes: dict[tuple[str, str], Change] = {}
    for node in after.lines:
        origin = stabilised.origins.get(node)
        if origin is None or origin is node or before.name_of(origin) is None:
            continue
        old, new = (f"{n.name_of(x)} = {right_side(x, n.name_of)}"
                    for x, n in ((origin, before), (node, after)))  # fmt: skip
        if old != new:
            changes.setdefault((old, new), Change(old, new, origin.location or ""))
    return tuple(changes.values())


def _numbered(
    derived: Derived, stabilised: Form, names: Names, numbers: Mapping[Node, int]
) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The emitted equations of the function: those of the values, and those of derivatives."""
    outputs = derived.form.outputs
    values = set(stabilised.outputs.values())
    below = set(postorder(outputs[key] for key, node in derived.raw.items() if node in values))
    forward, gradients = [], []
    for node in sorted(
        (n for n in postorder(outputs.values()) if n in numbers), key=numbers.__getitem__
    ):
        line = Line(
            f"({numbers[node]})",
            equation(node, names.get),
            shape_text(node.shape),
            node.location or "",
        )
        (forward if node in below else gradients).append(line)
    return tuple(forward), tuple(gradients)


def _journal_naming(derived: Derived, stabilised: Form, names: Names) -> Naming:
    """Names for what the journal speaks of: `h`, `d_h` and `t_h`."""
    steps = derived.journal.steps
    known: dict[Node, str] = {n: name for n, name in names.items() if isinstance(n, Named)}
    known |= {n: name for n, name in stabilised.names.items() if n not in known}
    derivatives: dict[Node, str] = {}
    for mark, owners in (("d", derived.journal.provenance), ("t", derived.journal.motion)):
        for node, primal in owners.items():
            wish = known.get(primal)
            if wish is not None and not isinstance(node, Leaf):
                derivatives.setdefault(node, f"{mark}_{wish}")
    roots: Iterable[Node] = (
        part for step in steps for part in (step.node, *step.before, step.result)
    )
    return Naming(roots, {**derivatives, **known})


def _results(
    derived: Derived, names: Names, numbers: Mapping[Node, int]
) -> tuple[Line, ...]:
    """What is returned: each result with its equation's number, or what it is."""
    lines = []
    for key, node in derived.form.outputs.items():
        number = f"({numbers[node]})" if node in numbers else ""
        name = names.get(node)
        text = name if name is not None else right_side(node, names.get)
        lines.append(Line(number, f"{key}: {text}" if text != key else key, shape_text(node.shape)))
    return tuple(lines)


def _zeros(derived: Derived) -> tuple[str, ...]:
    found = [
        key
        for key, node in derived.form.outputs.items()
        if isinstance(node, Constant) and node.value == 0
    ]
    return tuple(dict.fromkeys([*derived.zeros, *found]))
