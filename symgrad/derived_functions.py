"""What each emitted function computes: from a stabilised model to results and how they return.

A builder takes a request and gives the results by name, and the nested tuples and dicts of names
in which the function returns them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy

from symgrad.calculus import derivatives
from symgrad.calculus.journal import Journal
from symgrad.calculus.reverse import gradients
from symgrad.errors import DefinitionError
from symgrad.expr.leaf import Cotangent, Input, Named, Tangent
from symgrad.expr.node import FLOAT, Node
from symgrad.model.model import Model


@dataclass
class Request:
    """What a builder is given: the stabilised model, and a journal to write into."""

    model: Model
    loss: Node | None
    outputs: Mapping[str, Node]
    wrt: tuple[Named, ...]
    inputs: tuple[Input, ...]
    updates: Mapping[str, Mapping[str, Node]] = field(default_factory=dict)
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

    def with_state(self, root: str, results: dict[str, Node], *returned: Any) -> Results:
        """`results`, and the new state where computing `root` changes it: every key, in order."""
        changed = {f"state {name}": new for name, new in self.updates.get(root, {}).items()}
        if not changed:
            return results, returned[0] if len(returned) == 1 else returned
        keys = {leaf.name: f"state {leaf.name}" for leaf in self.model.states}
        return results | changed, (*returned, keys)


Results = tuple[dict[str, Node], Any]


def _forward(request: Request) -> Results:
    outputs = dict(request.needs_outputs("forward"))
    return request.with_state("outputs", outputs, _single_or_dict(outputs))


def _loss(request: Request) -> Results:
    return request.with_state("loss", {"loss": request.scalar("loss")}, "loss")


def _value_and_grad(request: Request) -> Results:
    loss = request.scalar("value_and_grad")
    leaves = request.needs_parameters("value_and_grad")
    slopes = gradients(loss, leaves, journal=request.journal)
    results = {"loss": loss} | {leaf.name: g for leaf, g in _backwards(leaves, slopes)}
    return request.with_state("loss", results, "loss", {leaf.name: leaf.name for leaf in leaves})


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
