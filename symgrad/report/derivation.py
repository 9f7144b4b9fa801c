"""The derivation of one function, built from the journal and the forms it lies between."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from symgrad.derivation import Derived
from symgrad.expr.dimension import same_shape, shape_text
from symgrad.expr.equation import equation, reference
from symgrad.expr.leaf import Constant, Leaf, Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.report.derivation_record import Change, DerivationRecord, Line, Row
from symgrad.report.journal_steps import rule_rows, step_records
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
    leaves = (*model.parameters, *model.inputs)
    local = {leaf: names.get(leaf, leaf.name) for leaf in leaves}
    steps = derived.journal.steps
    defined = _defined(model, stabilised, derived, local)
    told = _told_parts(derived, stabilised)
    started = _start(stabilised, told, derived, defined)
    changes = _changes(stabilised, defined, started)
    values, gradients = _numbered(derived, stabilised, names, numbers)
    return DerivationRecord(
        title=f"{model.name}: the derivation of {derived.name}",
        function=derived.name,
        given=tuple(_leaf_line(leaf, local[leaf]) for leaf in leaves),
        definition=tuple(_line(node, defined) for node in defined.lines),
        changes=changes,
        start=tuple(_line(n, started) for n in started.lines if n in told and changes),
        steps=step_records(steps, _journal_naming(derived, started, told, names), told),
        rules=rule_rows(steps),
        values=values,
        gradients=gradients,
        results=_results(derived, names, numbers),
        independent=tuple(
            f"{leaf.name} is not read: no result depends on it" for leaf in derived.unread
        ),
        zeros=tuple(
            f"what {derived.name} returns for {name} is identically zero"
            for name in _zeros(derived)
        ),
        costs=tuple(Row(label, text) for label, text in costs),
    )


def derivative_names(
    derived: Derived, names: Names, automatic: Container[Node] = frozenset()
) -> dict[Node, str]:
    """`d_h` for the cotangent of what `names` calls `h`, `t_h` for its tangent.

    Where several tensors share one derivative, one whose name is not `automatic` lends its own.
    """
    owners = _owners(derived)
    found: dict[Node, str] = {}
    for (mark, node), primals in owners.items():
        known = [p for p in primals if p in names or p in found]
        for primal in sorted(known, key=lambda p: p in automatic):
            if not isinstance(node, Leaf):
                found.setdefault(node, f"{mark}_{names.get(primal, found.get(primal))}")
    return found


def _owners(derived: Derived) -> dict[tuple[str, Node], list[Node]]:
    """(mark, derivative) -> the tensors whose derivative it is, in the order of the journal."""
    journal = derived.journal
    owners: dict[tuple[str, Node], list[Node]] = {}
    for mark, table in (("d", journal.provenance), ("t", journal.motion)):
        for node, primal in table.items():
            owners[mark, node] = [primal]
    summed = {step.node for step in journal.steps if step.kind == "accumulate"}
    for step in journal.steps:
        x = step.operand
        if x is None or x in summed or not same_shape(x.shape, step.result.shape):
            continue  # what it receives is not its whole derivative
        if ("d", step.result) in owners:
            owners["d", step.result].append(x)
    return owners


def _roots(model: Model) -> list[Node]:
    return [*model.outputs.values(), *([model.loss] if model.loss is not None else [])]


def _leaf_line(leaf: Named, name: str) -> Line:
    kind = type(leaf).__name__.lower()
    text = leaf.name if name == leaf.name else f"{leaf.name}, in the equations {name}"
    return Line("", f"{kind} {text}", f"{shape_text(leaf.shape)} {leaf.dtype}", leaf.location or "")


def _line(node: Node, naming: Naming, number: str = "") -> Line:
    return Line(number, equation(node, naming.name_of), _shape(node), node.location or "")


def _shape(node: Node) -> str:
    return shape_text(node.shape) if node.shape else ""


def _defined(model: Model, stabilised: Form, derived: Derived, local: Names) -> Naming:
    """Names for the definition, a line for each tensor that the differentiation passes through."""
    origins = [stabilised.origins.get(step.node) for step in derived.journal.steps]
    known = set(postorder(_roots(model)))
    passed = [node for node in origins if node is not None and node in known]
    return Naming([*_roots(model), *passed], {**model.names, **local})


def _start(stabilised: Form, told: set[Node], derived: Derived, defined: Naming) -> Naming:
    """Names for what is differentiated: those of the definition, as far as it is the same."""
    known: dict[Node, str] = {}
    for node, origin in stabilised.origins.items():
        name = defined.name_of(origin)
        if name is not None:
            known.setdefault(node, name)
    known |= {n: name for n, name in stabilised.names.items() if not isinstance(n, Leaf)}
    passed = [step.node for step in derived.journal.steps if step.node in told]
    naming = Naming([*stabilised.outputs.values(), *passed], known)
    naming.automatic |= {n for n in known if stabilised.origins.get(n) in defined.automatic}
    return naming


def _told_parts(derived: Derived, stabilised: Form) -> set[Node]:
    """What is differentiated: all below the model's values that the journal starts from."""
    values = set(stabilised.outputs.values())
    return set(postorder(s.node for s in derived.journal.steps if s.node in values))


def _changes(stabilised: Form, before: Naming, after: Naming) -> tuple[Change, ...]:
    """The equations of the definition that read differently after it was rewritten."""
    changes: dict[tuple[str, str], Change] = {}
    told = {node for node, origin in stabilised.origins.items() if before.name_of(origin)}
    for node in after.lines:
        origin = stabilised.origins.get(node)
        if origin is None or before.name_of(origin) is None:
            continue
        old, new = equation(origin, before.name_of), equation(node, after.name_of)
        if old != new:
            needed = tuple(equation(n, after.name_of) for n in after.untold(node, told))
            changes.setdefault((old, new), Change(old, new, needed, origin.location or ""))
    return tuple(changes.values())


def _numbered(
    derived: Derived, stabilised: Form, names: Names, numbers: Mapping[Node, int]
) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The emitted equations of the function: those of the values, and those of derivatives."""
    outputs = derived.form.outputs
    values = set(stabilised.outputs.values())
    below = set(postorder(outputs[key] for key, node in derived.raw.items() if node in values))
    forward: list[Line] = []
    gradients: list[Line] = []
    # another function may number a tensor that this one writes inside others, without a name
    mine = [node for node in postorder(outputs.values()) if node in numbers and node in names]
    for node in sorted(mine, key=numbers.__getitem__):
        text = equation(node, names.get)
        line = Line(f"({numbers[node]})", text, _shape(node), node.location or "")
        (forward if node in below else gradients).append(line)
    return tuple(forward), tuple(gradients)


def _journal_naming(derived: Derived, started: Naming, told: set[Node], names: Names) -> Naming:
    """Names for what the journal speaks of: `h`, `d_h` and `t_h`; what was told keeps its form."""
    roots: Iterable[Node] = (
        part for step in derived.journal.steps for part in (step.node, *step.before, step.result)
    )
    nameless = {node for node in told if node not in started.names}
    leaves = {node: name for node, name in names.items() if isinstance(node, Named)}
    copies = {
        copy: started.names[node]
        for copy, node in derived.journal.copies.items()
        if node in started.names and node not in started.automatic
    }
    passed = copies | started.names
    known = {**leaves, **derivative_names(derived, passed, started.automatic), **passed}
    return Naming(roots, known, nameless)


def _results(derived: Derived, names: Names, numbers: Mapping[Node, int]) -> tuple[Line, ...]:
    """What is returned: each result with its equation's number, or what it is."""
    lines = []
    for key, node in derived.form.outputs.items():
        number = f"({numbers[node]})" if node in numbers else ""
        text = reference(node, names.get)
        lines.append(Line(number, f"{key}: {text}" if text != key else key, _shape(node)))
    return tuple(lines)


def _zeros(derived: Derived) -> tuple[str, ...]:
    found = [
        key
        for key, node in derived.form.outputs.items()
        if isinstance(node, Constant) and node.value == 0
    ]
    return tuple(dict.fromkeys(found))
