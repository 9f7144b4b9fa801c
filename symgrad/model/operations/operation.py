"""What all operations share: errors that name the call, arguments refused by name, axes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from symgrad.errors import DefinitionError, ShapeError, SymgradError, UnsupportedError
from symgrad.expr.contraction import spread, transpose
from symgrad.expr.dimension import normalise_axis, product
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node, shapes_of
from symgrad.expr.reindex import Reshape

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def operation(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Gives the errors that `function` raises its name, the user's line and its operands."""
    name = function.__name__
    signature = inspect.signature(function)

    @wraps(function)
    def called(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except SymgradError as error:
            raise _in_house_form(error, name, signature.bind(*args, **kwargs)) from None

    return called


def _in_house_form(error: SymgradError, name: str, call: inspect.BoundArguments) -> SymgradError:
    # the outermost operation speaks: it is the one that the user wrote
    reason = getattr(error, "reason", error.what)
    facts = error.facts
    if not facts or hasattr(error, "reason"):
        facts = shapes_of(_operands(call))
    where = error.where or user_location()
    outer = type(error)(f"{name}: {reason}", where=where, facts=facts, fix=error.fix)
    outer.reason = reason  # type: ignore[attr-defined]
    return outer


def _operands(call: inspect.BoundArguments) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for role, value in call.arguments.items():
        if isinstance(value, Node):
            found[role] = value
        elif isinstance(value, tuple | list):
            nodes = {f"{role}[{i}]": v for i, v in enumerate(value) if isinstance(v, Node)}
            found |= nodes
    return found


def refuse(fix: str | None = None, **arguments: Any) -> None:
    """Raises: UnsupportedError naming the first of `arguments` that was given."""
    for name, value in arguments.items():
        if value is not None:
            raise UnsupportedError(f"the argument {name} is not supported", fix=fix)


def refuse_of(owner: str, fix: str | None = None, **arguments: Any) -> None:
    """`refuse` for what is not itself an operation, such as a layer's constructor."""
    for name, value in arguments.items():
        if value is not None:
            raise UnsupportedError(
                f"{owner}: the argument {name} is not supported", where=user_location(), fix=fix
            )


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """NumPy's `axis` as a tuple counted from the front: None is all, an int is one.

    Raises: ShapeError if an axis does not exist or stands twice.
    """
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    counted = tuple(normalise_axis(a, rank) for a in axes)
    if len(set(counted)) != len(counted):
        raise ShapeError(f"axis {tuple(axes)} names an axis twice")
    return counted


def whole_number(value: Any, what: str) -> int:
    """`value` as an int. Raises: DefinitionError if it is not a whole number known now."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise DefinitionError(f"{what} must be a whole number, not {value!r}")
    return int(value)


def merged(a: Node, axes: tuple[int, ...]) -> Node:
    """`a` with `axes` moved to the end, in order, and merged into one."""
    kept = [i for i in range(a.ndim) if i not in axes]
    moved = transpose(a, [*kept, *axes])
    if len(axes) == 1:
        return moved
    return Reshape(moved, (*(a.shape[i] for i in kept), product(a.shape[i] for i in axes)))


def restored(a: Node, axes: tuple[int, ...], keepdims: bool) -> Node:
    """`a`, from which `axes` were dropped, with axes of size 1 in their place if `keepdims`."""
    return spread(a, dict.fromkeys(sorted(axes), as_node(1).size)) if keepdims else a


def flattened(a: Node) -> Node:
    """All entries of `a` in C order, along one axis."""
    return a if a.ndim == 1 else Reshape(a, (product(a.shape),))
