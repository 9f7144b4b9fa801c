"""A model: a loss and outputs, with everything that the compiler needs to know about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symgrad.expr.display import Displayed
from symgrad.expr.indexing import size_requirements
from symgrad.expr.leaf import Input, Named, Parameter, Random, State
from symgrad.expr.node import Node, user_location
from symgrad.expr.walk import postorder
from symgrad.model import checks
from symgrad.model.declarations import declaration_order
from symgrad.model.layers.module import layer_label, modules_called
from symgrad.model.scope import calling_frame, local_variables, names_of_nodes
from symgrad.model.unused import note_read
from symgrad.model.updates import updates_below


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Model(Displayed):
    """What a generated module computes.

    `loss`: a scalar to be minimised, or None. `outputs`: what `forward` returns, by name.
    `parameters`: in the order of their declaration. `states`, `inputs`, `dims`: likewise, and
    `draws`, the random tensors. `updates`: what states become, for each of "loss" and "outputs".
    `names`: what tensors are called in the emitted code. `locations`: the user's line of each.
    `requirements`: expressions in the dimensions that must be >= 0, each with the line that asks.
    """

    name: str
    loss: Node | None
    outputs: Mapping[str, Node]
    parameters: tuple[Parameter, ...]
    states: tuple[State, ...]
    draws: tuple[Random, ...]
    updates: Mapping[str, Mapping[State, Node]]
    inputs: tuple[Input, ...]
    dims: tuple[sympy.Symbol, ...]
    names: Mapping[Node, str]
    locations: Mapping[Node, str]
    requirements: tuple[tuple[sympy.Expr, str | None], ...]
    location: str | None

    def __init__(
        self,
        name: str,
        *,
        loss: Node | None = None,
        outputs: Mapping[str, Node] | None = None,
        parameters: Iterable[Node] | None = None,
        updates: Mapping[Node, Any] | None = None,
    ) -> None:
        """`parameters`: those that belong to the model, in order; by default they are found.

        `updates`: what states become when the loss is computed, or the outputs where there is no
        loss; those of layers in training are found.

        Raises: a SymgradError with all that is wrong with the definition.
        """
        location = user_location()
        frame = calling_frame()
        listed = None if parameters is None else tuple(parameters)
        checks.raise_together(
            name, location, checks.of_roots(name, loss, outputs, listed, updates, location)
        )
        results = dict(outputs or {})
        roots = [*([loss] if loss is not None else []), *results.values()]
        changes = _updates(loss, results, updates or {})
        nodes = postorder([*roots, *(new for each in changes.values() for new in each.values())])
        states = dict.fromkeys(state for each in changes.values() for state in each)
        states |= {s: None for node in nodes for m in modules_called(node) for s in m.buffers()}
        checks.raise_together(name, location, list(checks.of_steps(nodes)))
        leaves = _in_order([*nodes, *(s for s in states if s not in set(nodes))], listed or ())
        scope = local_variables(frame) if listed is None else dict(enumerate(listed))
        problems = [
            *checks.of_leaves(leaves),
            *checks.of_dimensions(nodes, leaves),
            *checks.of_use(name, loss, nodes, leaves, scope),
        ]
        checks.raise_together(name, location, problems)
        variables = names_of_nodes(frame)
        draws = sorted((n for n in nodes if isinstance(n, Random)), key=lambda leaf: leaf.serial)
        for leaf in draws:
            leaf.label = leaf.label or variables.get(leaf)
        trained = tuple(leaf for leaf in leaves if isinstance(leaf, Parameter))
        note_read(trained)
        fields = {
            "name": name,
            "loss": loss,
            "outputs": results,
            "parameters": trained,
            "states": tuple(leaf for leaf in leaves if isinstance(leaf, State)),
            "draws": tuple(draws),
            "updates": changes,
            "inputs": tuple(leaf for leaf in leaves if isinstance(leaf, Input)),
            "dims": tuple(dict.fromkeys(d for leaf in leaves for d in checks.dimensions_of(leaf))),
            "names": names_in(nodes, loss, results, changes, variables),
            "locations": {n: n.location for n in nodes if n.location is not None},
            "requirements": tuple(size_requirements(nodes)),
            "location": location,
        }
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    def values(self) -> dict[str, Node]:
        """All that the model computes: outputs by name, the loss under "", and what states become.

        No output's name holds a space.
        """
        values = dict(self.outputs) | ({"": self.loss} if self.loss is not None else {})
        for root, changes in self.updates.items():
            values |= {f"{root} state {leaf.name}": new for leaf, new in changes.items()}
        return values

    def __repr__(self) -> str:
        counts = (("parameter", len(self.parameters)), ("input", len(self.inputs)))
        held = ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for noun, count in counts)
        return f"<Model {self.name}: {held}>"


def _updates(
    loss: Node | None, outputs: Mapping[str, Node], given: Mapping[Any, Any]
) -> dict[str, dict[State, Node]]:
    """What states become when the loss is computed, and when the outputs are."""
    changes: dict[str, dict[State, Node]] = {"loss": {}, "outputs": {}}
    if loss is not None:
        changes["loss"] = updates_below([loss], given)
    if outputs:
        changes["outputs"] = updates_below(outputs.values(), {} if loss is not None else given)
    return changes


def _in_order(nodes: Sequence[Node], listed: Sequence[Node]) -> list[Named]:
    """The named leaves: listed ones first, others as declared; those of equal rank as met."""
    leaves = [node for node in nodes if isinstance(node, Named)]
    places = {leaf: i for i, leaf in enumerate(listed)}
    return sorted(leaves, key=lambda leaf: (places.get(leaf, len(places)), declaration_order(leaf)))


def names_in(
    nodes: Sequence[Node],
    loss: Node | None,
    outputs: Mapping[str, Node],
    updates: Mapping[str, Mapping[State, Node]],
    variables: Mapping[Node, str],
) -> dict[Node, str]:
    """A name for every node that has one, each name once.

    In this order: a leaf's own name; what the user called it with `.named`; the user's variable;
    "loss" and the outputs' names; what its layer is called; the state that it replaces.
    """
    names: dict[Node, str] = {
        n: n.name for n in nodes if isinstance(n, Named) and not isinstance(n, Random)
    }
    taken = set(names.values())

    def give(node: Node, wish: str, or_else: bool = False) -> None:
        name, number = wish, 2
        while or_else and name in taken:
            name, number = f"{wish}_{number}", number + 1
        if node not in names and name not in taken:
            names[node] = name
            taken.add(name)

    for node in nodes:
        if node.label is not None and node.label != layer_label(node):
            give(node, node.label, or_else=True)
    for node in nodes:
        if node in variables:
            give(node, variables[node])
    if loss is not None:
        give(loss, "loss", or_else=True)
    for name, output in outputs.items():
        give(output, name, or_else=True)
    for node in nodes:
        if node.label is not None:
            give(node, node.label, or_else=True)
    for changes in updates.values():
        for state, node in changes.items():
            path, dot, last = state.name.rpartition(".")
            give(node, f"{path}{dot}new_{last}", or_else=True)
    return names
