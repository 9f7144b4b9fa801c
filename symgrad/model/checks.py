"""What can be wrong with the definition of a model. All of it is found and shown at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy

from symgrad.errors import DefinitionError, NamingError, ShapeError, SymgradError
from symgrad.expr.dimension import shape_text
from symgrad.expr.leaf import Input, Named, Parameter, Random, State
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.scan import Bound
from symgrad.expr.walk import postorder
from symgrad.model.naming import model_name_problem, name_problem, path_problem
from symgrad.model.unused import unread_in_scope, unread_of_layers, unread_problem
from symgrad.model.updates import of_updates

Problems = Iterator[SymgradError]


def raise_together(name: object, where: str | None, problems: Iterator[Any] | list[Any]) -> None:
    """Raises the problem, if there is one; several as one error that lists them."""
    found = [problem for problem in problems if problem is not None]
    if not found:
        return
    if len(found) == 1:
        raise found[0]
    kinds = {type(problem) for problem in found}
    kind = kinds.pop() if len(kinds) == 1 else DefinitionError
    listed = [f"{i}. {problem.message}" for i, problem in enumerate(found, start=1)]
    text = "\n".join(listed).replace("\n", "\n  ")
    error = kind(f"the model {name} has {len(found)} errors\n  {text}")
    error.where = where
    raise error


def of_roots(
    name: object, loss: Any, outputs: Any, listed: Any, updates: Any, where: str | None
) -> Iterator[SymgradError | None]:
    """The arguments of `sg.Model` themselves."""
    yield model_name_problem(name, where)
    yield from of_updates(name, updates, where)
    if loss is None and (outputs is None or outputs == {}):
        yield DefinitionError(
            f"the model {name} has neither a loss nor outputs",
            where=where,
            fix='say loss=..., or outputs={"name": tensor}',
        )
    if loss is not None:
        yield from _of_loss(name, loss, where)
    if outputs is not None and not isinstance(outputs, Mapping):
        yield DefinitionError(
            f"the outputs of {name} are not a dict of tensors by name",
            where=where,
            fix='write outputs={"probabilities": p}',
        )
    elif outputs:
        for key, node in outputs.items():
            yield name_problem(key, "an output", where)
            if not isinstance(node, Node):
                yield DefinitionError(
                    f"the output {key!r} of {name} is not a tensor expression: {_shown(node)}",
                    where=where,
                )  # fmt: skip
    for leaf in listed or ():
        if not isinstance(leaf, Parameter):
            yield DefinitionError(
                f"parameters= of {name} lists what is not a parameter: {_shown(leaf)}",
                where=where,
            )


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _shown(thing: object) -> str:
    text = repr(thing)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _of_loss(name: object, loss: Any, where: str | None) -> Problems:
    if not isinstance(loss, Node):
        yield DefinitionError(
            f"the loss of {name} is not a tensor expression: {_shown(loss)}", where=where
        )
    elif loss.ndim:
        yield ShapeError(
            f"the loss of {name} is not a scalar",
            where=loss.location,
            facts={"expected": "[]", "got": shape_text(loss.shape)},
            fix="reduce it: sg.mean(loss) or sg.sum(loss)",
        )
    elif loss.dtype != FLOAT:
        yield DefinitionError(
            f"the loss of {name} is of type {loss.dtype}, so it has no gradient",
            where=loss.location,
            fix="let it depend on parameters or inputs of floats",
        )


def of_steps(nodes: Sequence[Node]) -> Iterator[SymgradError]:
    """What a scan's step is given lives in that step alone."""
    for node in nodes:
        if isinstance(node, Bound):
            yield DefinitionError(
                f"{node.name} is what a scan gives its step, and is used outside of that step",
                where=node.location,
                facts={node.name: shape_text(node.shape)},
                fix="return what is needed from the step: return state, (..., ...)",
            )


def of_leaves(leaves: Sequence[Named]) -> Iterator[SymgradError | None]:
    """Names and types of inputs, parameters and states."""
    by_name: dict[str, list[Named]] = {}
    has_states = any(isinstance(leaf, State) for leaf in leaves)
    for leaf in leaves:
        if isinstance(leaf, Random):
            continue  # its name is the compiler's to choose
        if has_states and leaf.name == "state":
            yield _taken_by_states(leaf.location)
        by_name.setdefault(leaf.name, []).append(leaf)
        if isinstance(leaf, Parameter):
            yield path_problem(leaf.name, "a parameter", leaf.location)
            if leaf.dtype != FLOAT:
                yield DefinitionError(
                    f"the parameter {leaf.name} is of type {leaf.dtype} and cannot be trained",
                    where=leaf.location,
                    fix='leave dtype out, or declare it as sg.input(..., dtype="int")',
                )
        elif isinstance(leaf, State):
            yield path_problem(leaf.name, "a state", leaf.location)
        elif isinstance(leaf, Input):
            yield name_problem(leaf.name, "an input", leaf.location)
        else:
            yield DefinitionError(f"a model cannot hold the {type(leaf).__name__} {leaf.name}")
    for name, same_name in by_name.items():
        if len(same_name) > 1:
            yield NamingError(
                f"{len(same_name)} tensors are called {name!r}",
                facts={
                    f"{type(leaf).__name__.lower()} {i}": f"{shape_text(leaf.shape)}"
                    + (f"  at {leaf.location}" if leaf.location else "")
                    for i, leaf in enumerate(same_name, start=1)
                },
                fix="give each its own name; a layer takes name=...",
            )


def _taken_by_states(where: str | None) -> NamingError:
    return NamingError(
        "'state' cannot name anything in a model that has states: the emitted code uses this name "
        "itself",
        where=where,
        fix="choose another name, for example 'state_'",
    )


def dimensions_of(node: Node) -> list[sympy.Symbol]:
    """The dimension symbols in a node's own arguments, in a fixed order."""
    symbols = {
        symbol
        for arg in node.args
        if not isinstance(arg, Node)
        for symbol in arg.free_symbols
        if symbol.is_integer
    }
    if len(symbols) < 2:
        return list(symbols)
    places = [symbol for size in node.shape for symbol in sorted(size.free_symbols, key=str)]
    return sorted(symbols, key=lambda s: (places.index(s) if s in places else len(places), str(s)))


def of_dimensions(nodes: Sequence[Node], leaves: Sequence[Named]) -> Iterator[SymgradError | None]:
    """Every symbolic size must have a usable name and be readable from an input or a parameter."""
    given = [leaf for leaf in leaves if not isinstance(leaf, Random)]
    readable = {symbol for leaf in given for symbol in dimensions_of(leaf)}
    names = {leaf.name: leaf for leaf in given}
    seen: dict[sympy.Symbol, Node] = {}
    for node in nodes:
        for symbol in dimensions_of(node):
            seen.setdefault(symbol, node)
    for symbol, node in seen.items():
        yield name_problem(symbol.name, "a dimension", node.location)
        if symbol not in readable:
            yield DefinitionError(
                f"the size {symbol} is not that of any input or parameter",
                where=node.location,
                fix=f"declare an input with {symbol} in its shape, or use a number",
            )
        if symbol.name == "state" and any(isinstance(leaf, State) for leaf in leaves):
            yield _taken_by_states(node.location)
        if symbol.name in names:
            yield NamingError(
                f"{symbol.name!r} names both a dimension and "
                f"{_article(type(names[symbol.name]).__name__.lower())}",
                where=names[symbol.name].location,
                fix="rename one of them",
            )


def of_use(
    name: str,
    loss: Node | None,
    nodes: Sequence[Node],
    leaves: Sequence[Named],
    scope: Mapping[Any, Any],
) -> Problems:
    """Parameters that nothing reads, or that the loss does not."""
    read: set[Node] = set(leaves)
    unread = [*unread_of_layers(nodes, read), *unread_in_scope(scope, read)]
    if unread:
        yield unread_problem(unread, f"the model {name} does not read")
    if loss is None:
        return
    in_loss = set(postorder([loss]))
    for leaf in leaves:
        if isinstance(leaf, Parameter) and leaf not in in_loss:
            yield DefinitionError(
                f"the loss of {name} does not depend on the parameter {leaf.name}, "
                "which only the outputs read",
                where=leaf.location,
                fix="let the loss read it, or put those outputs into a model of their own",
            )
