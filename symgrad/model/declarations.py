"""What a model is given: inputs and parameters, in the order in which they were declared.

x = sg.input("x", (n, 64))
y = sg.input("y", (n,), dtype="int")
w = sg.parameter("w", (64,), init="zeros")
"""

from __future__ import annotations

from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from symgrad.errors import DefinitionError, ShapeError, SymgradError, UnsupportedError
from symgrad.expr.dimension import as_shape, normalise_axis
from symgrad.expr.leaf import Input, Parameter, State
from symgrad.expr.node import BOOL, FLOAT, INT, Node, user_location
from symgrad.model.initialisers import distribution

DTYPES: dict[Any, str] = {FLOAT: FLOAT, INT: INT, BOOL: BOOL, float: FLOAT, int: INT, bool: BOOL}

_serial = count(1)
_declared: WeakKeyDictionary[Node, int] = WeakKeyDictionary()


def input(name: str, shape: Any, dtype: Any = "float", *, sums_to_one: int | None = None) -> Node:
    """Data that the caller of the generated module passes by keyword.

    `dtype`: "float", "int" or "bool"; which float is decided by the arrays that are passed.
    `sums_to_one`: an axis along which the entries are promised to sum to 1 (a distribution).
    """
    sizes = _shape(name, shape)
    axis = None if sums_to_one is None else _axis(name, sums_to_one, len(sizes))
    leaf = Input(_text(name, "an input"), sizes, _dtype(name, dtype), axis)
    _declared[leaf] = next(_serial)
    return leaf


def parameter(name: str, shape: Any, init: Any = "normal", *, dtype: Any = "float") -> Node:
    """A trainable tensor. `init`: how `init_params` fills it, see `sg.init`; N(0, 1) by default.

    Each call declares another tensor; two of one name cannot be in one model.
    """
    sizes = _shape(name, shape)
    serial = next(_serial)
    drawn = distribution(init, sizes)
    leaf = Parameter(_text(name, "a parameter"), sizes, _dtype(name, dtype), drawn, serial)
    _declared[leaf] = serial
    return leaf


def state(name: str, shape: Any, init: Any = "zeros", *, dtype: Any = "float") -> Node:
    """A tensor that a training step reads and replaces; no gradient reaches it.

    `init`: how `init_state` fills it, see `sg.init`; zeros by default. What it becomes is said to
    the model, `sg.Model(..., updates={s: expression})`, or by the layer that owns it.
    """
    sizes = _shape(name, shape)
    serial = next(_serial)
    drawn = distribution(init, sizes)
    kind = _dtype(name, dtype)
    if kind != FLOAT and (drawn[0] != "constant" or not drawn[1].is_integer):
        raise DefinitionError(
            f"the state {name} of type {kind} cannot be filled with {init!r}",
            where=user_location(),
            fix="start from a whole number",
        )
    leaf = State(_text(name, "a state"), sizes, kind, drawn, serial)
    _declared[leaf] = serial
    return leaf


def declaration_order(leaf: Node) -> float:
    """A key that sorts leaves as they were declared; those made otherwise come last."""
    return _declared.get(leaf, float("inf"))


def _text(name: object, what: str) -> str:
    if not isinstance(name, str):
        raise DefinitionError(f"the name of {what} must be text, not {name!r}",
                              where=user_location())  # fmt: skip
    return name


def _shape(name: object, shape: Any) -> Any:
    try:
        return as_shape(shape)
    except SymgradError as error:
        raise type(error)(
            f"the shape of {name} cannot be {shape!r}: {error.what}",
            where=user_location(),
            facts=error.facts,
            fix=error.fix,
        ) from None


def _axis(name: object, axis: Any, rank: int) -> int:
    try:
        return normalise_axis(axis, rank, f"the axis sums_to_one of {name}")
    except ShapeError as error:
        raise ShapeError(error.what, where=user_location()) from None


def _dtype(name: object, dtype: Any) -> str:
    try:
        return DTYPES[dtype]
    except (KeyError, TypeError):
        raise UnsupportedError(
            f"the dtype of {name} cannot be {dtype!r}",
            where=user_location(),
            facts={"expected": "float, int or bool"},
            fix="whether floats are 32 or 64 bits wide is decided by the arrays passed later",
        ) from None
