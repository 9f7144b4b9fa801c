"""A model: a loss and outputs, with everything that the compiler needs to know about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symgrad.expr.indexing import size_requirements
from symgrad.expr.leaf import Input, Named, Parameter
from symgrad.expr.node import Node, user_location
from symgrad.expr.walk import postorder
from symgrad.model import checks
from symgrad.model.declarations import declaration_order
from symgrad.model.layers.module import layer_label
from symgrad.model.scope import calling_frame, local_variables, names_of_nodes
from symgrad.model.unused import note_read


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Model:
    """What a generated module computes.

    `loss`: a scalar to be minimised, or None. `outputs`: what `forward` returns, by name.
    `parameters`: in the order of their declaration. `inputs`, `dims`: likewise.
    `names`: what tensors are called in the emitted code. `locations`: the user's line of each.
    `requirements`: expressions in the dimensions that must be >= 0, each with the line that asks.
    """

    name: str
    loss: Node | None
    outputs: Mapping[str, Node]
    parameters: tuple[Parameter, ...]
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
    ) -> None:
        """`parameters`: those that belong to the model, in order; by default they are found.

        Raises: a SymgradError with all that is wrong with the definition.
        """
        location = user_location()
        frame = calling_frame()
        listed = None if parameters is None else tuple(parameters)
        checks.raise_together(
            name, location, checks.of_roots(name, loss, outputs, listed, location)
        )
        results = dict(outputs or {})
        roots = [*([loss] if loss is not None else []), *results.values()]
        nodes = postorder(roots)
        leaves = _in_order(nodes, listed or ())
        scope = local_variables(frame) if listed is None else dict(enumerate(listed))
        problems = [
            *checks.of_leaves(leaves),
            *checks.of_dimensions(nodes, leaves),
            *checks.of_use(name, loss, nodes, leaves, scope),
        ]
        checks.raise_together(name, location, problems)
        trained = tuple(leaf for leaf in leaves if isinstance(leaf, Parameter))
        note_read(trained)
        fields = {
            "name": name,
            "loss": loss,
            "outputs": results,
            "parameters": trained,
            "inputs": tuple(leaf for leaf in leaves if isinstance(leaf, Input)),
            "dims": tuple(dict.fromkeys(d for leaf in leaves for d in checks.dimensions_of(leaf))),
            "names": _names(nodes, loss, results, names_of_nodes(frame)),
            "locations": {n: n.location for n in nodes if n.location is not None},
            "requirements": tuple(size_requirements(nodes)),
            "location": location,
        }
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    def __repr__(self) -> str:
        return f"<Model {self.name}: {len(self.parameters)} parameters, {len(self.inputs)} inputs>"


def _in_order(nodes: Sequence[Node], listed: Sequence[Node]) -> list[Named]:
    """The named leaves: listed ones first, others as declared; those of equal rank as met."""
    leaves = [node for node in nodes if isinstance(node, Named)]
    places = {leaf: i for i, leaf in enumerate(listed)}
    return sorted(leaves, key=lambda leaf: (places.get(leaf, len(places)), declaration_order(leaf)))


def _names(
    nodes: Sequence[Node],
    loss: Node | None,
    outputs: Mapping[str, Node],
    variables: Mapping[Node, str],
) -> dict[Node, str]:
    """A name for every node that has one, each name once.

    In this order: a leaf's own name; what the user called it with `.named`; the user's variable;
    "loss" and the outputs' names; what its layer is called.
    """
    names: dict[Node, str] = {node: node.name for node in nodes if isinstance(node, Named)}
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
    return names
