"""Rows looked up in a table, with a gradient or a length other than their own.

    rows / counts + Detached(rows - rows / counts)      the rows; their gradient over their counts

What is held fixed makes the value; what is not makes the derivative.
"""

from __future__ import annotations

import math
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread
from symgrad.expr.detached import Detached
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.expr.reindex import ScatterAdd, Take
from symgrad.model.layers.vector_norm import vector_norm
from symgrad.model.operations.operation import refuse, whole_number

LEAST_NORM = sympy.Float(1e-7)  # added to a norm that is divided by, as PyTorch does


def looked_up(
    table: Node, index: Node, max_norm: Any, norm_type: Any, scale_grad_by_freq: bool, sparse: bool
) -> Node:
    """The rows of `table` at the whole numbers `index`: [...] gives [..., d].

    Raises: DefinitionError if those are no whole numbers, or an option is out of its range;
    UnsupportedError for a sparse gradient.
    """
    refuse("the gradient is an array in the shape of the table", sparse=sparse or None)
    if index.dtype == FLOAT:
        raise DefinitionError(
            "rows are looked up by whole numbers, but the input is of floats",
            fix='declare it as sg.input(name, shape, dtype="int")',
        )
    rows = Take(table, index, 0)
    value = rows if max_norm is None else _no_longer_than(max_norm, norm_type, rows)
    moved = _over_counts(rows, table, index) if scale_grad_by_freq else rows
    if value is moved:
        return rows
    # no part of it has a name: so what is added and taken away again is one formula, and cancels
    return moved + Detached(value - moved)


def _no_longer_than(max_norm: Any, norm_type: Any, rows: Node) -> Node:
    """The rows, scaled down to the norm `max_norm` where theirs is larger."""
    most = _not_negative(max_norm, "max_norm")
    norm = vector_norm(rows, _not_negative(norm_type, "norm_type"), rows.ndim - 1)
    norm = norm.named("norm")
    scale = elementwise(lambda k: f.where(f.less(most, k), most / (k + LEAST_NORM), 1), norm)
    return rows * spread(scale.named("scale"), {norm.ndim: sympy.S.One})


def _not_negative(value: Any, role: str) -> Any:
    """Raises: DefinitionError unless it is a number from 0 to infinity."""
    if not number(value).is_nonnegative and value != math.inf:
        raise DefinitionError(f"{role} must not be negative, but is {value}")
    return value


def _over_counts(rows: Node, table: Node, index: Node) -> Node:
    """Each row over the number of times that its index occurs in the input."""
    counts = ScatterAdd(Constant(1, index.shape), index, 0, table.shape[0]).named("counts")
    return rows / spread(Take(counts, index, 0), {index.ndim: sympy.S.One})


def as_table(weight: Any) -> Node:
    """`weight` as a node. Raises: ShapeError if it is not [rows, d]."""
    table = as_node(weight)
    if table.ndim != 2:
        raise ShapeError("the weight must be [rows, d]")
    return table


def padding_row(padding_idx: Any, rows: sympy.Expr) -> sympy.Expr:
    """`padding_idx` counted from the front. Raises: DefinitionError if there is no such row."""
    pad = sympy.Integer(whole_number(padding_idx, "padding_idx"))
    row = pad + rows if pad < 0 else pad
    if row.is_negative or (row - rows).is_nonnegative:
        raise DefinitionError(f"padding_idx {padding_idx} is not one of the {rows} rows")
    return row
