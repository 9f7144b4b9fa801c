"""What states become: each update is kept beside the tensor that its layer gives out.

    self.update_state(output, lambda old: {"mean": 0.9 * old["mean"] + 0.1 * sg.mean(x, axis=0)})

A model finds the updates that belong to its graph. Where a layer is called more than once, each
call goes on from what the one before it left; so an update is a function of the old values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.dimension import same_shape, shape_text
from symgrad.expr.leaf import State
from symgrad.expr.node import FLOAT, Node, user_location
from symgrad.expr.operand import as_node
from symgrad.expr.walk import postorder

Becomes = Callable[[Mapping[str, Node]], Mapping[str, Any]]

_serial = count()
_updates: WeakKeyDictionary[Node, dict[tuple[State, ...], _Update]] = WeakKeyDictionary()


@dataclass(frozen=True)
class _Update:
    """One call's: which number it has, the states by key, and what they become, by key."""

    serial: int
    states: Mapping[str, State]
    becomes: Becomes


def note_update(output: Node, states: Mapping[str, State], becomes: Becomes) -> None:
    """Whoever computes `output` turns `states` into what `becomes` makes of their old values.

    The same layer on the same tensor is one call, however often it is written.
    """
    known = _updates.setdefault(output, {})
    key = tuple(states.values())
    serial = known[key].serial if key in known else next(_serial)
    known[key] = _Update(serial, dict(states), becomes)


def updates_below(roots: Iterable[Node], given: Mapping[Any, Any]) -> dict[State, Node]:
    """The next value of every state that computing `roots` changes.

    `given`: further ones, as the user wrote them.

    Raises: DefinitionError if a state is changed twice where the order would matter.
    """
    became: dict[State, Node] = {}
    nodes = postorder([*roots, *map(as_node, given.values())])
    read = set(nodes)
    found = [update for node in nodes for update in _updates.get(node, {}).values()]
    for update in sorted(found, key=lambda each: each.serial):
        old = {key: became.get(state, state) for key, state in update.states.items()}
        for key, value in update.becomes(old).items():
            state = update.states[key]
            if state in became and state in read:
                raise DefinitionError(
                    f"the state {state.name} is updated more than once in one model, which also "
                    "reads it: which of its values is meant is not clear",
                    where=state.location,
                    fix="call its layer once, or give the calls layers of their own",
                )
            became[state] = _fitting(state, as_node(value))
    for state, value in given.items():
        if state in became:
            raise DefinitionError(
                f"the state {state.name} is updated by its layer and in updates=",
                where=state.location,
                fix="leave it out of updates, or call the layer in eval mode",
            )
        became[state] = _fitting(state, as_node(value))
    return became


def of_updates(name: object, updates: Any, where: str | None) -> Iterable[DefinitionError]:
    """What is wrong with `updates=` of a model."""
    if updates is None:
        return
    if not isinstance(updates, Mapping):
        yield DefinitionError(
            f"the updates of {name} are not a dict of tensors by state",
            where=where,
            fix='write updates={s: expression}, with s = sg.state("s", shape)',
        )
        return
    for state in updates:
        if not isinstance(state, State):
            yield DefinitionError(
                f"updates= of {name} has the key {state!r}, which is not a state",
                where=where,
                fix='declare one: s = sg.state("s", shape)',
            )


def _fitting(state: State, value: Node) -> Node:
    """`value` as the next one of `state`. Raises: ShapeError, DefinitionError if it cannot be."""
    if not same_shape(value.shape, state.shape):
        raise ShapeError(
            f"the state {state.name} cannot become a tensor of another shape",
            where=value.location or user_location(),
            facts={"expected": shape_text(state.shape), "got": shape_text(value.shape)},
        )
    if state.dtype != value.dtype and state.dtype != FLOAT:
        raise DefinitionError(
            f"the state {state.name} of type {state.dtype} cannot become a tensor of {value.dtype}",
            where=value.location or user_location(),
        )
    if state.dtype == FLOAT and value.dtype != FLOAT:
        value = value * 1.0
    return value
