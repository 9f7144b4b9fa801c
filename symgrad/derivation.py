"""What each emitted function computes, as expressions: derived from a model, with its journal.

Here the rooms meet: a model's loss and outputs are stabilised, differentiated as the function
asks, and simplified. What comes out is ready to be lowered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symgrad.calculus import derivatives
from symgrad.calculus.journal import Journal
from symgrad.calculus.reverse import gradients
from symgrad.derived_names import names_of_results, origins_of, with_copies, with_inner_names
from symgrad.errors import DefinitionError
from symgrad.expr.leaf import Cotangent, Input, Named, Tangent
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.walk import postorder
from symgrad.model.model import Model
from symgrad.passes.form import Form, Pass
from symgrad.passes.pipeline import (
    AFTER_BATCHING,
    AFTER_DERIVATION,
    BEFORE_DERIVATION,
    Observer,
    run,
)

DEFAULT_FUNCTIONS = ("forward", "loss", "value_and_grad")


@dataclass(frozen=True)
class Derived:
    """One function: its results after simplification, by path, and how they are returned.

    `form.outputs`: result name -> expression. `returned`: nested tuples and dicts of result
    names. `raw`: the results before simplification. `unread`: the model's inputs and parameters
    that no result depends on.
    """

    name: str
    form: Form
    returned: Any
    journal: Journal
    raw: Mapping[str, Node]
    unread: tuple[Named, ...]

    @property
    def leaves(self) -> tuple[Named, ...]:
        return tuple(n for n in postorder(self.form.outputs.values()) if isinstance(n, Named))


@dataclass
class Request:
    """What a builder is given: the stabilised model, and a journal to write into."""

    model: Model
    loss: Node | None
    outputs: Mapping[str, Node]
    wrt: tuple[Named, ...]
    inputs: tuple[Input, ...]
    journal: Journal = field(default_factory=Journal)

    def scalar(self, function: str) -> Node:
        if self.loss is None:
            raise DefinitionError(
                f"{function} needs a loss, and the model {self.model.name} has none",
                fix=f"give sg.Model a loss, or emit without {function}",
            )
        return self.loss

    def needs_parameters(self, function: str) -> tuple[Named, ...]:
        if not self.wrt:
            raise DefinitionError(
                f"{function} needs parameters, and the model {self.model.name} has none",
                fix="declare some with sg.parameter, or emit input_grad",
            )
        return self.wrt

    def needs_outputs(self, function: str) -> Mapping[str, Node]:
        if not self.outputs:
            raise DefinitionError(
                f"{function} needs outputs, and the model {self.model.name} has none",
                fix=f'give sg.Model outputs={{"name": tensor}}, or emit without {function}',
            )
        return self.outputs

    def smooth_outputs(self, function: str) -> dict[str, Node]:
        """The outputs that have derivatives: those of floats."""
        found = {k: v for k, v in self.needs_outputs(function).items() if v.dtype == FLOAT}
        if not found:
            raise DefinitionError(
                f"{function} needs an output of floats, and {self.model.name} has none",
                fix=f"add one to the model's outputs, or emit without {function}",
            )
        return found


Results = tuple[dict[str, Node], Any]


def _forward(request: Request) -> Results:
    outputs = dict(request.needs_outputs("forward"))
    return outputs, _single_or_dict(outputs)


def _loss(request: Request) -> Results:
    return {"loss": request.scalar("loss")}, "loss"


def _value_and_grad(request: Request) -> Results:
    loss = request.scalar("value_and_grad")
    leaves = request.needs_parameters("value_and_grad")
    slopes = gradients(loss, leaves, journal=request.journal)
    results = {"loss": loss} | {leaf.name: g for leaf, g in _backwards(leaves, slopes)}
    return results, ("loss", {leaf.name: leaf.name for leaf in leaves})


def _input_grad(request: Request) -> Results:
    loss = request.scalar("input_grad")
    leaves = [leaf for leaf in request.inputs if leaf.dtype == FLOAT]
    if not leaves:
        raise DefinitionError(
            f"input_grad needs an input of floats, and {request.model.name} has none"
        )
    slopes = gradients(loss, leaves, journal=request.journal)
    return dict(_named(leaves, slopes)), {leaf.name: leaf.name for leaf in leaves}


def _jvp(request: Request) -> Results:
    outputs = request.smooth_outputs("jvp") if request.outputs else {"loss": request.scalar("jvp")}
    leaves = request.needs_parameters("jvp")
    moves = [Tangent(leaf.name, leaf.shape) for leaf in leaves]
    changes = derivatives.jvp(list(outputs.values()), list(leaves), moves, request.journal)
    changed = {f"tangent {name}": change for name, change in zip(outputs, changes, strict=True)}
    keys = _single_or_dict(outputs)
    other: Any = {name: f"tangent {name}" for name in outputs}
    if not isinstance(keys, dict):
        other = f"tangent {keys}"
    return outputs | changed, (keys, other)


def _vjp(request: Request) -> Results:
    outputs = request.smooth_outputs("vjp")
    leaves = request.needs_parameters("vjp")
    seeds = [Cotangent(name, node.shape) for name, node in outputs.items()]
    slopes = derivatives.vjp(list(outputs.values()), list(leaves), seeds, request.journal)
    keys = {leaf.name: f"grad {leaf.name}" for leaf in leaves}
    results = outputs | {f"grad {leaf.name}": g for leaf, g in _backwards(leaves, slopes)}
    return results, (_single_or_dict(outputs), keys)


def _hvp(request: Request) -> Results:
    loss = request.scalar("hvp")
    leaves = request.needs_parameters("hvp")
    moves = [Tangent(leaf.name, leaf.shape) for leaf in leaves]
    products = derivatives.hvp(loss, list(leaves), moves, request.journal)
    return dict(_named(leaves, products)), {leaf.name: leaf.name for leaf in leaves}


def _hessian(request: Request) -> Results:
    loss = request.scalar("hessian")
    leaves = request.needs_parameters("hessian")
    blocks = derivatives.hessian(loss, list(leaves), request.journal)
    results = {
        f"{a.name} {b.name}": blocks[i][j]
        for i, a in enumerate(leaves)
        for j, b in enumerate(leaves)
    }
    return results, {a.name: {b.name: f"{a.name} {b.name}" for b in leaves} for a in leaves}


def _jacobian(request: Request) -> Results:
    outputs = request.smooth_outputs("jacobian")
    leaves = request.needs_parameters("jacobian")
    results: dict[str, Node] = {}
    returned: dict[str, dict[str, str]] = {}
    for name, output in outputs.items():
        blocks = derivatives.jacobian(output, list(leaves), request.journal)
        returned[name] = {leaf.name: f"{name} {leaf.name}" for leaf in leaves}
        results |= {f"{name} {leaf.name}": b for leaf, b in zip(leaves, blocks, strict=True)}
    return results, next(iter(returned.values())) if len(returned) == 1 else returned


def _per_example_grad(request: Request) -> Results:
    loss = request.scalar("per_example_grad")
    leaves = request.needs_parameters("per_example_grad")
    batch = _batch_dimension(request)
    slopes = derivatives.per_example_gradients(loss, list(leaves), batch, None, request.journal)
    return dict(_backwards(leaves, slopes, names=True)), {leaf.name: leaf.name for leaf in leaves}


BUILDERS: dict[str, Callable[[Request], Results]] = {
    "forward": _forward,
    "loss": _loss,
    "value_and_grad": _value_and_grad,
    "input_grad": _input_grad,
    "jvp": _jvp,
    "vjp": _vjp,
    "hvp": _hvp,
    "hessian": _hessian,
    "jacobian": _jacobian,
    "per_example_grad": _per_example_grad,
}


def derive(
    model: Model,
    functions: Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    observer: Observer | None = None,
) -> list[Derived]:
    """The functions of a module, ready to be lowered.

    `functions`: names of BUILDERS; by default those of DEFAULT_FUNCTIONS that the model can have.
    `inputs`: for input_grad, the names of the inputs to differentiate by. `observer`: called
    after each pass.

    Raises: DefinitionError if a function is unknown or needs what the model lacks.
    """
    chosen = tuple(functions) if functions else _possible(model)
    for name in chosen:
        if name not in BUILDERS:
            raise DefinitionError(
                f"there is no function {name!r} to emit",
                facts={"known": ", ".join(BUILDERS)},
                fix="choose from these",
            )
    if inputs is not None and "input_grad" not in chosen:
        raise DefinitionError(
            f"the inputs {', '.join(inputs)} are chosen for input_grad, which is not emitted",
            fix="emit input_grad, or choose no inputs",
        )
    given = dict(model.outputs) | ({"": model.loss} if model.loss is not None else {})
    start = run(Form(given, dict(model.names), {}), BEFORE_DERIVATION, observer)
    start = replace(start, names=with_inner_names(start))
    outputs = {name: node for name, node in start.outputs.items() if name}
    derived = []
    for name in dict.fromkeys(chosen):
        request = Request(
            model, start.outputs.get(""), outputs, model.parameters, _chosen(model, inputs)
        )
        raw, returned = BUILDERS[name](request)
        defined = with_copies(start.names, request.journal)
        named = {node: name for node, name in defined.items() if not isinstance(node, Named)}
        origins = origins_of(raw, defined, request.journal)
        form = run(Form(raw, named, origins), passes_after(name), observer)
        form = replace(form, names=names_of_results(name, form, defined, request.journal))
        read = {n for n in postorder(form.outputs.values()) if isinstance(n, Named)}
        unread = tuple(leaf for leaf in (*model.parameters, *model.inputs) if leaf not in read)
        derived.append(Derived(name, form, returned, request.journal, raw, unread))
    return derived


def passes_after(function: str) -> tuple[Pass, ...]:
    """The passes that simplify a derived function."""
    return AFTER_BATCHING if function == "per_example_grad" else AFTER_DERIVATION


def _possible(model: Model) -> tuple[str, ...]:
    names = []
    if model.outputs:
        names.append("forward")
    if model.loss is not None:
        names.append("loss")
        if model.parameters:
            names.append("value_and_grad")
    return tuple(names)


def _chosen(model: Model, inputs: Sequence[str] | None) -> tuple[Input, ...]:
    if inputs is None:
        return model.inputs
    by_name = {leaf.name: leaf for leaf in model.inputs}
    for name in inputs:
        if name not in by_name:
            raise DefinitionError(
                f"{model.name} has no input {name!r}", facts={"inputs": ", ".join(by_name)}
            )
    return tuple(by_name[name] for name in inputs)


def _batch_dimension(request: Request) -> sympy.Symbol:
    """The one symbol that is the first size of every input that has a symbolic first size."""
    firsts = {leaf.shape[0] for leaf in request.inputs if leaf.shape and leaf.shape[0].free_symbols}
    symbols = {size for size in firsts if isinstance(size, sympy.Symbol)}
    if len(firsts) != 1 or not symbols:
        raise DefinitionError(
            "per_example_grad needs one symbolic batch size that leads every input",
            facts={"first sizes": ", ".join(sorted(map(str, firsts))) or "none"},
            fix='declare inputs with shape (n, ...), n = sg.dim("n")',
        )
    return symbols.pop()


def _single_or_dict(outputs: Mapping[str, Node]) -> Any:
    return next(iter(outputs)) if len(outputs) == 1 else {name: name for name in outputs}


def _named(leaves: Sequence[Named], nodes: Sequence[Node]) -> list[tuple[str, Node]]:
    return [(leaf.name, node) for leaf, node in zip(leaves, nodes, strict=True)]


def _backwards(leaves: Sequence[Named], nodes: Sequence[Node], names: bool = False) -> list[Any]:
    """Pairs in reverse: the last layer's gradients are ready first, and free memory first."""
    pairs = list(zip(leaves, nodes, strict=True))[::-1]
    return [(leaf.name, node) for leaf, node in pairs] if names else pairs
