"""What Python's operators build from nodes: elementwise formulas, products, indexing.

Importing this file gives `Node` its operators; `symgrad.model.operations` builds on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.expr.contraction import contract, transpose
from symgrad.expr.dimension import same
from symgrad.expr.functions import FUNCTIONS
from symgrad.expr.indexing import getitem, slice_bounds
from symgrad.expr.node import BOOL, FLOAT, Node, user_location
from symgrad.expr.operand import as_node, elementwise, name_of, number, shapes_of

__all__ = [
    "as_node",
    "divide",
    "elementwise",
    "getitem",
    "matmul",
    "name_of",
    "number",
    "shapes_of",
    "slice_bounds",
]


def matmul(a: Any, b: Any) -> Node:
    """NumPy's matrix product: 1-d operands are vectors, leading axes are broadcast as batch.

    a: [..., i, k], b: [..., k, j] -> [..., i, j].  Raises: ShapeError if the inner sizes differ.
    """
    a, b = as_node(a), as_node(b)
    shapes = shapes_of({"left": a, "right": b})
    if not a.ndim or not b.ndim:
        raise ShapeError(
            "matmul needs tensors of at least one axis",
            where=user_location(),
            facts=shapes,
            fix="multiply by a number with *",
        )
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if not same(a.shape[-1], inner):
        raise ShapeError(
            f"the inner sizes of a matrix product differ: {a.shape[-1]} and {inner}",
            where=user_location(),
            facts=shapes,
            fix="transpose one of them (.T), or change the size of a layer",
        )
    # labels: rows -1, inner -2, columns -3; batch axes counted from the left
    rank = max(a.ndim - 2, b.ndim - 2, 0)
    sizes: dict[int, sympy.Expr] = {}

    def batch(node: Node, unit: int) -> list[int]:
        labels = []
        leading = node.shape[: max(node.ndim - 2, 0)]
        for axis, size in enumerate(leading, start=rank - len(leading)):
            labels.append(unit + axis if size == 1 else axis)  # a size of 1 is stretched
            if size != 1 or axis not in sizes:
                sizes[axis] = size
        return labels

    left = batch(a, unit=1000) + ([-1, -2] if a.ndim > 1 else [-2])
    right = batch(b, unit=2000) + ([-2, -3] if b.ndim > 1 else [-2])
    result = [*range(rank), *([-1] if a.ndim > 1 else []), *([-3] if b.ndim > 1 else [])]
    try:
        return contract(result, [(a, left), (b, right)], sizes=sizes)
    except ShapeError as error:
        raise ShapeError(
            f"the batch axes of a matrix product do not broadcast: {error.what}",
            where=user_location(),
            facts=shapes,
        ) from None


def divide(a: Any, b: Any) -> Node:
    """a / b, a float also where both are whole numbers."""
    quotient = _function("divide")(a, b)
    if quotient.dtype == FLOAT:
        return quotient
    return elementwise(lambda x, y: sympy.Float(1) * x / y, a, b)


def _function(name: str) -> Callable[..., Node]:
    return lambda *values: elementwise(FUNCTIONS[name], *values)


def _logical(name: str, written: str) -> Callable[..., Node]:
    def operator(*values: Any) -> Node:
        nodes = [as_node(value) for value in values]
        if any(
            n.dtype != BOOL and not isinstance(v, bool) for n, v in zip(nodes, values, strict=True)
        ):
            raise UnsupportedError(
                f"{written} of numbers would work on their bits, which is not supported",
                where=user_location(),
                facts=shapes_of({f"operand {i}": node for i, node in enumerate(nodes)}),
                fix=f"compare first, or use sg.{name}",
            )
        return _function(name)(*values)

    return operator


Node._operators.update(
    {name: _function(name) for name in ("add", "subtract", "multiply", "floor_divide", "mod",
                                        "power", "negative", "absolute", "less", "less_equal")}
    | {
        "transpose": transpose,
        "divide": divide,
        "logical_and": _logical("logical_and", "&"),
        "logical_or": _logical("logical_or", "|"),
        "logical_not": _logical("logical_not", "~"),
        "matmul": matmul,
        "greater": lambda a, b: _function("less")(b, a),
        "greater_equal": lambda a, b: _function("less_equal")(b, a),
        "getitem": getitem,
    }
)  # fmt: skip
