"""Attention: averages of values, weighted by the softmax of how well queries match keys.

`scaled_dot_product_attention` has PyTorch's arguments; `attend` and the masks below it are shared
with MultiheadAttention. A mask is added to the scores, and holds -inf where nobody may look; a
mask of booleans becomes such a one.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread, transpose
from symgrad.expr.dimension import broadcast, same, same_shape, shape_text
from symgrad.expr.leaf import Arange
from symgrad.expr.node import BOOL, FLOAT, Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.expr.operators import matmul
from symgrad.expr.reduction import Max
from symgrad.expr.reindex import Reshape
from symgrad.model.layers.dropout import dropout
from symgrad.model.layers.normalisation import called
from symgrad.model.operations.normal import softmax
from symgrad.model.operations.operation import operation
from symgrad.model.random import probability

ONE = sympy.S.One


@operation
def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: Any = 0.0,
    is_causal: bool = False, scale: Any = None, enable_gqa: bool = False,
) -> Node:  # fmt: skip
    """softmax(scale query key^T + mask) value.

    query: [..., l, d]; key: [..., s, d]; value: [..., s, e].
    attn_mask: [..., l, s] of booleans, True where a query may look, or of floats that are added to
    the scores. is_causal: query i looks at keys 0 to i only. dropout_p: with which probability
    each weight is dropped. scale: 1 / sqrt(d) by default. enable_gqa: query has a multiple of the
    heads (the third axis from the end) of key and value. A query that may look nowhere gets 0.
    """
    q, k, v = as_node(query), as_node(key), as_node(value)
    _check_shapes(q, k, v)
    mask = None if attn_mask is None else added(attn_mask, "attn_mask")
    heads = q.shape[-3] if enable_gqa and q.ndim > 2 else None
    if heads is not None:
        q, k, v, mask = _grouped(q, k, v, mask)
    looks_nowhere = mask is not None and mask is not causal_mask(q.shape[-2], k.shape[-2])
    if is_causal:
        causal = causal_mask(q.shape[-2], k.shape[-2])
        mask = causal if mask is None or mask is causal else mask + causal
    factor = 1 / sympy.sqrt(q.shape[-1]) if scale is None else number(scale)
    found = attend(q, k, v, mask, factor, dropout_p, looks_nowhere)[0]
    if heads is None:
        return found
    return Reshape(found, (*found.shape[:-4], heads, *found.shape[-2:]))


def attend(
    q: Node, k: Node, v: Node, mask: Node | None, scale: sympy.Expr, dropout_p: Any = 0.0,
    looks_nowhere: bool = False,
) -> tuple[Node, Node]:  # fmt: skip
    """The averages [..., l, e] and the weights [..., l, s], after dropout.

    looks_nowhere: whether rows of the mask may be all -inf. They give 0 then; else they give nan.
    """
    chance = probability(dropout_p, "the probability dropout_p of dropping")
    scores = matmul(q, _turned(k)) * scale
    open_rows = None
    if mask is not None:
        if looks_nowhere:
            best = spread(Max(mask, mask.ndim - 1), {mask.ndim - 1: ONE})
            open_rows = elementwise(f.less, -sympy.oo, best)
            mask = elementwise(lambda o, m: f.where(o, m, 0), open_rows, mask)
        scores = scores + _fitting(mask, scores)
    weights = dropout(called(softmax(called(scores, "scores"), -1), "attention"), chance)
    found = called(matmul(weights, v), "attended")
    if open_rows is not None:
        found = elementwise(lambda o, a: f.where(o, a, 0), open_rows, found)
    return found, weights


def causal_mask(rows: Any, columns: Any) -> Node:
    """[rows, columns]: 0 on and below the diagonal, -inf above it."""
    row, column = spread(Arange(rows), {1: ONE}), Arange(columns)
    seen = elementwise(lambda i, j: f.less_equal(j, i), row, column)
    return called(elementwise(f.where, seen, 0, -sympy.oo), "causal_mask")


def added(mask: Any, name: str, blocks: bool = False) -> Node:
    """A mask of booleans or floats as one that is added to the scores.

    blocks: whether True says that nobody may look there, rather than that one may.
    Raises: DefinitionError if it is of whole numbers.
    """
    node = as_node(mask)
    if node.dtype == FLOAT:
        return node
    if node.dtype != BOOL:
        raise DefinitionError(
            f"{name} must be of booleans or of floats, but is of {node.dtype}",
            fix='declare it with dtype="bool", or compare it: sg.not_equal(mask, 0)',
        )
    opened, closed = (-sympy.oo, 0) if blocks else (0, -sympy.oo)
    return elementwise(f.where, node, opened, closed)


def _turned(k: Node) -> Node:
    return transpose(k, [*range(k.ndim - 2), k.ndim - 1, k.ndim - 2])


def _fitting(mask: Node, scores: Node) -> Node:
    """The mask. Raises: ShapeError if it does not broadcast to the scores."""
    try:
        fits = same_shape(broadcast([mask.shape, scores.shape]), scores.shape)
    except ShapeError:
        fits = False
    if not fits:
        raise ShapeError(
            f"the mask {shape_text(mask.shape)} does not broadcast to the scores "
            f"{shape_text(scores.shape)}"
        )
    return mask


def _check_shapes(q: Node, k: Node, v: Node) -> None:
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise ShapeError("query, key and value must be [..., steps, features]")
    if not same(q.shape[-1], k.shape[-1]):
        raise ShapeError("query and key must have the same number of features, the last axis")
    if not same(k.shape[-2], v.shape[-2]):
        raise ShapeError("key and value must have the same number of steps, the axis before last")


def _grouped(
    q: Node, k: Node, v: Node, mask: Node | None
) -> tuple[Node, Node, Node, Node | None]:
    """Query heads in groups, [..., heads of key, heads in a group, l, d], and one key per group."""
    if k.ndim < 3 or v.ndim < 3 or not same(k.shape[-3], v.shape[-3]):
        raise ShapeError("with enable_gqa, key and value must have the same number of heads")
    heads, held = q.shape[-3], k.shape[-3]
    group = heads / held
    if not group.is_integer:
        raise ShapeError(f"{heads} heads of query cannot be divided among {held} heads of key")
    if mask is not None and mask.ndim > 2:
        split = (ONE, ONE) if mask.shape[-3] == 1 else (held, group)
        mask = Reshape(mask, (*mask.shape[:-3], *split, *mask.shape[-2:]))
    q = Reshape(q, (*q.shape[:-3], held, group, *q.shape[-2:]))
    return q, spread(k, {k.ndim - 2: ONE}), spread(v, {v.ndim - 2: ONE}), mask
