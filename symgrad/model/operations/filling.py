"""Tensors filled with one number or counted through, and tensors read as of another kind."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.dimension import as_dimension, as_shape
from symgrad.expr.leaf import Arange, Constant
from symgrad.expr.node import BOOL, FLOAT, INT, Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.model.declarations import DTYPES
from symgrad.model.operations.operation import operation, refuse


@operation
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Node:
    """A tensor of `shape` in which every entry is the number `fill_value`."""
    refuse("convert it: sg.astype(x, ...)", dtype=dtype)
    kind = as_node(fill_value).dtype  # 2.0 is a float
    return Constant(number(fill_value), as_shape(shape), kind)


@operation
def full_like(a: Any, fill_value: Any, dtype: Any = None) -> Node:
    """A tensor of the shape and kind of `a` in which every entry is the number `fill_value`."""
    refuse("convert it: sg.astype(x, ...)", dtype=dtype)
    return _like(as_node(a), number(fill_value))


@operation
def zeros_like(a: Any, dtype: Any = None) -> Node:
    """Zeros in the shape of `a`, and of its kind."""
    refuse("convert it: sg.astype(x, ...)", dtype=dtype)
    return _like(as_node(a), sympy.S.Zero)


@operation
def ones_like(a: Any, dtype: Any = None) -> Node:
    """Ones in the shape of `a`, and of its kind."""
    refuse("convert it: sg.astype(x, ...)", dtype=dtype)
    return _like(as_node(a), sympy.S.One)


def _like(a: Node, value: sympy.Expr) -> Node:
    if a.dtype == BOOL:
        return elementwise(lambda v: f.not_equal(v, 0), Constant(value, a.shape))
    if a.dtype == INT and not value.is_integer:
        raise UnsupportedError(
            f"NumPy would round {value} to a whole number, as `a` is of whole numbers",
            fix="use sg.full(a.shape, value)",
        )
    return Constant(value, a.shape, a.dtype)


@operation
def arange(stop: Any, /, dtype: Any = None) -> Node:
    """The whole numbers 0, 1, ..., stop - 1; `stop` may be a symbolic size."""
    refuse("convert it: sg.astype(x, ...)", dtype=dtype)
    return Arange(as_dimension(stop))


@operation
def astype(x: Any, dtype: Any, /, *, copy: Any = None) -> Node:
    """`x` as floats, whole numbers or booleans: "float", "int" or "bool".

    Whole numbers become floats exactly, booleans 0 or 1; what is not 0 is true.
    """
    refuse(copy=copy)
    node = as_node(x)
    try:
        kind = DTYPES[dtype]
    except (KeyError, TypeError):
        raise UnsupportedError(
            f"{dtype!r} is not one of float, int and bool",
            fix="which float is decided by the arrays that the module is given",
        ) from None
    if kind == node.dtype:
        return node
    if kind == BOOL:
        return elementwise(lambda v: f.not_equal(v, 0), node)
    if kind == INT and node.dtype == FLOAT:
        raise UnsupportedError(
            "a float has no gradient once it is cut to a whole number",
            fix="use sg.floor, sg.trunc or sg.round, which stay floats",
        )
    one, zero = (sympy.Float(1), sympy.Float(0)) if kind == FLOAT else (1, 0)
    if node.dtype == BOOL:
        return elementwise(lambda v: f.where(v, one, zero), node)
    return elementwise(lambda v: one * v, node)
