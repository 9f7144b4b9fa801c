"""one_hot: whole numbers as rows that hold a single 1."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, UnsupportedError
from symgrad.expr.contraction import spread
from symgrad.expr.dimension import as_dimension
from symgrad.expr.leaf import Constant
from symgrad.expr.node import INT, Node
from symgrad.expr.operand import as_node
from symgrad.expr.reindex import ScatterAlong
from symgrad.model.operations.operation import operation


@operation
def one_hot(tensor: Any, num_classes: Any = -1) -> Node:
    """[...] whole numbers from 0 on give [..., num_classes]: 1 at the number, else 0."""
    index = as_node(tensor)
    if index.dtype != INT:
        raise DefinitionError(f"classes must be whole numbers, but the tensor is of {index.dtype}")
    if num_classes == -1:
        raise UnsupportedError(
            "without num_classes, the shape would depend on the data", fix="say num_classes="
        )
    column = spread(index, {index.ndim: sympy.S.One})
    return ScatterAlong(Constant(1, column.shape), column, index.ndim, as_dimension(num_classes))
