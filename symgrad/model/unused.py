"""Parameters that a model declares and never reads: a mistake in a network, so an error.

What belongs to a model: the parameters of the layers that it calls, those listed in
`parameters=`, and otherwise those that the function (or file) which defines it has in variables,
unless another model reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from symgrad.errors import DefinitionError
from symgrad.expr.leaf import Parameter
from symgrad.expr.node import Node
from symgrad.expr.operand import name_of
from symgrad.model.layers.copies import patterns
from symgrad.model.layers.module import Module, modules_called

_read: WeakSet[Node] = WeakSet()  # by any model
_open_files: list[list[Parameter]] = []  # suspects whose file is still running


def note_read(parameters: Sequence[Node]) -> None:
    """A model reads these."""
    _read.update(parameters)


def unread_of_layers(nodes: Sequence[Node], read: set[Node]) -> list[Node]:
    """Parameters of the layers called in the graph `nodes` that it does not read."""
    owned: dict[Node, None] = {}
    for node in nodes:
        for module in modules_called(node):
            owned |= dict.fromkeys(module.parameters())
    return [leaf for leaf in owned if leaf not in read]


def unread_in_scope(scope: Mapping[str, Any], read: set[Node]) -> list[Node]:
    """Parameters in the variables `scope` that neither this model nor another reads.

    While a model file runs, they are put off: a later model of the file may read them.
    """
    declared: dict[Node, None] = {}
    for value in scope.values():
        if isinstance(value, Parameter):
            declared[value] = None
        elif isinstance(value, Module) and value not in patterns:
            declared |= dict.fromkeys(value.parameters())
    unread = [leaf for leaf in declared if leaf not in read and leaf not in _read]
    if _open_files:
        _open_files[-1].extend(leaf for leaf in unread if isinstance(leaf, Parameter))
        return []
    return unread


@contextmanager
def until_end_of_file() -> Iterator[None]:
    """Within it, a parameter is unread only if no model defined within reads it.

    Raises: DefinitionError at its end.
    """
    suspects: list[Parameter] = []
    _open_files.append(suspects)
    try:
        yield
    finally:
        _open_files.pop()
    unread = [leaf for leaf in suspects if leaf not in _read]
    if unread:
        raise unread_problem(unread, "no model reads")


def unread_problem(leaves: Sequence[Node], reader: str) -> DefinitionError:
    """The error about parameters that `reader` ("the model net does not read")."""
    names = [str(name_of(leaf)) for leaf in dict.fromkeys(leaves)]
    several = len(names) > 1
    return DefinitionError(
        f"{reader} the parameter{'s' if several else ''} {', '.join(names)}",
        where=leaves[0].location,
        fix=("use them, remove them" if several else "use it, remove it")
        + ", or say which belong to the model: parameters=[...]",
    )
