"""Whether weights fit a definition: names, shapes and kinds, with one error that lists it all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symgrad.errors import UnsupportedError, WeightsError
from symgrad.expr.leaf import Named
from symgrad.model.layers.module import Module
from symgrad.model.model import Model
from symgrad.weights.arrays import Array, Arrays, Weights
from symgrad.weights.misfits import misfits

KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool"}
SHOWN = 8  # of each list in a message


def fitted(arrays: Arrays, target: Any, source: str) -> Weights:
    """The arrays as parameters and state of `target`, in the order of its declarations.

    `target`: a model, a compiled model or a layer. Raises: WeightsError if they do not fit.
    """
    parameters, state = _leaves_of(target)
    declared = parameters | state
    aliases = _aliases(target, declared)
    names = {name: aliases.get(name, name) for name in arrays}
    missing = [name for name in declared if name not in names.values()]
    unexpected = [name for name, own in names.items() if own not in declared]
    known = {name: own for name, own in names.items() if own in declared}
    meant = [(name, arrays[name], declared[own]) for name, own in known.items()]
    wrong = list(misfits(meant, _is_of_kind))
    given: Arrays = {}
    for name, own in known.items():
        given.setdefault(own, arrays[name])
    wrong += [
        f"{name} is the same tensor as {own}, but holds other numbers"
        for name, own in known.items()
        if not _equal(arrays[name], given[own])
    ]
    if missing or unexpected or wrong:
        facts = {}
        for label, found in (("missing", missing), ("unexpected", unexpected)):
            if found:
                facts[label] = _listed(found, ", ")
        if wrong:
            facts["wrong"] = _listed(wrong, "; ")
        raise WeightsError(
            f"{source} does not fit {_title(target)}",
            facts=facts,
            fix="load weights of the same definition"
            + (", or rename its keys" if missing and unexpected else ""),
        )
    return Weights(
        {name: given[name] for name in parameters}, {name: given[name] for name in state}
    )


def _leaves_of(target: Any) -> tuple[dict[str, Named], dict[str, Named]]:
    """What is trained and what is kept as state, by name."""
    model = target if isinstance(target, Model | Module) else getattr(target, "model", None)
    if isinstance(model, Model):
        return {p.name: p for p in model.parameters}, {s.name: s for s in model.states}
    if isinstance(model, Module):
        return {p.name: p for p in model.parameters()}, {b.name: b for b in model.buffers()}
    raise UnsupportedError(
        f"weights can be compared with a model or a layer, not with {type(target).__name__}",
        fix="pass the sg.Model, what sg.compile returns, or the nn.Module",
    )


def _aliases(target: Any, declared: Mapping[str, Named]) -> dict[str, str]:
    """Other paths to a tensor of a layer that is shared: a `state_dict` holds it under each."""
    if not isinstance(target, Module):
        return {}
    return {
        path: leaf.name
        for path, leaf in _paths(target, "")
        if path != leaf.name and path not in declared and leaf.name in declared
    }


def _paths(module: Module, prefix: str) -> Iterator[tuple[str, Named]]:
    for part, leaf in module.own_leaves().items():
        yield f"{prefix}{part}", leaf
    for part, child in module.named_children():
        yield from _paths(child, f"{prefix}{part}.")


def _is_of_kind(array: Array, leaf: Named) -> bool:
    return KINDS.get(array.dtype.kind) == leaf.dtype


def _equal(a: Array, b: Array) -> bool:
    return a is b or (a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all()))


def _listed(found: Sequence[str], between: str) -> str:
    more = len(found) - SHOWN
    return between.join(found[:SHOWN]) + (f"{between}and {more} more" if more > 0 else "")


def _title(target: Any) -> str:
    model = getattr(target, "model", target)
    name = getattr(model, "name", None)
    return (
        f"the model {name}"
        if isinstance(model, Model)
        else f"the module {name or type(model).__name__}"
    )
