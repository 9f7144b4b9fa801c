"""What derivatives are asked for with: a node, or a list or dict of nodes, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.dimension import same_shape, shape_text
from symgrad.expr.node import FLOAT, Node

Structure = Any  # a node, or a list or dict of nodes


def check_scalar(loss: object, what: str) -> None:
    """Raises: DefinitionError unless `loss` is a scalar tensor expression."""
    if not isinstance(loss, Node):
        raise DefinitionError(
            f"{what} needs a tensor expression as its loss, not {loss!r}",
            fix="build the loss from sg.input and sg.parameter with symgrad's operations",
        )
    if loss.shape:
        raise DefinitionError(
            f"{what} needs a scalar loss; this one has {loss.ndim} "
            f"{'axis' if loss.ndim == 1 else 'axes'}",
            where=loss.location,
            facts={"loss": shape_text(loss.shape), "expected": "[]"},
            fix="take its sum or mean, or use sg.vjp or sg.jacobian",
        )


def flat(structure: Structure, what: str) -> list[Node]:
    """The nodes of a node, list, tuple or dict, checked to be float tensors."""
    if isinstance(structure, Node):
        nodes = [structure]
    elif isinstance(structure, Mapping):
        nodes = list(structure.values())
    elif isinstance(structure, list | tuple):
        nodes = list(structure)
    else:
        nodes = [structure]
    for node in nodes:
        if not isinstance(node, Node):
            raise DefinitionError(
                f"{what} holds {node!r}, which is not a tensor expression",
                facts={"expected": "a tensor, or a list or dict of tensors"},
            )
        if node.dtype != FLOAT:
            raise DefinitionError(
                f"{what} holds {called(node)} of dtype {node.dtype}: only floats have derivatives",
                where=node.location,
                fix="leave it out, or declare it with dtype float",
            )
    return nodes


def matching(
    given: Structure, pattern: Structure, nodes: Sequence[Node], what: str, partner: str
) -> list[Node]:
    """The nodes of `given` in the order of `nodes`, which have the structure `pattern`."""
    if isinstance(pattern, Mapping):
        if not isinstance(given, Mapping) or set(given) != set(pattern):
            raise DefinitionError(
                f"{what} does not have the keys of {partner}",
                facts={
                    "expected": ", ".join(map(str, pattern)),
                    "got": _keys(given),
                },
            )
        given = {key: given[key] for key in pattern}
    found = flat(given, what)
    if len(found) != len(nodes):
        raise DefinitionError(
            f"{what} holds {len(found)} tensors for the {len(nodes)} of {partner}",
            fix=f"give one tensor of the same shape for each tensor of {partner}",
        )
    for mine, theirs in zip(found, nodes, strict=True):
        if not same_shape(mine.shape, theirs.shape):
            raise ShapeError(
                f"{what} does not have the shape of {called(theirs)}",
                where=theirs.location,
                facts={
                    "expected": shape_text(theirs.shape),
                    "got": shape_text(mine.shape),
                },
            )
    return found


def _keys(given: Structure) -> str:
    return ", ".join(map(str, given)) if isinstance(given, Mapping) else repr(given)


def called(node: Node) -> str:
    """How a message speaks of `node`."""
    return str(node.label or getattr(node, "name", None) or f"a {type(node).__name__}")


def like(structure: Structure, results: Sequence[Any]) -> Structure:
    """`results` in the structure of the nodes that they belong to."""
    if isinstance(structure, Node):
        return results[0]
    if isinstance(structure, Mapping):
        return dict(zip(structure, results, strict=True))
    return type(structure)(results)
