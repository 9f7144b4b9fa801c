"""Folding: constants into formulas and scales, zeros away, views of views into one.

    Map(_0*_1, spread(Constant(1/n)), x)     ->   Map(_0/n, x)
    ScatterAlong(Constant(-1/n), labels)     ->   Map(-_0/n, ScatterAlong(Constant(1), labels))
    sum_j A[i,j] delta[j,k]                  ->   A
    Map(_0 * f(_1), delta, x)                ->   the contraction delta[i,j] f(x)[j]

Each rule rebuilds one node whose operands are folded already; what it builds is folded too.
`symgrad.passes.maps` says what becomes of a NaN times zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.dimension import same, same_shape
from symgrad.expr.formula import slot, slots_of
from symgrad.expr.leaf import Constant
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reduction import CumSum, LogSumExp, Max, Min, Prod, Reduction
from symgrad.expr.reindex import (
    Concat,
    Embed,
    Reshape,
    ScatterAdd,
    ScatterAlong,
    Slice,
    Take,
    TakeAlong,
)
from symgrad.expr.walk import rewrite
from symgrad.expr.window import Overlap, Windows
from symgrad.passes.form import Form
from symgrad.passes.maps import map_of, pure_scale
from symgrad.passes.term_rules import contracted, normal
from symgrad.passes.terms import Term, Terms, has_delta
from symgrad.passes.tiling import joined
from symgrad.passes.views import arranged, reshape_axes, view_axes, without_ones


def fold(form: Form) -> Form:
    """The same outputs with everything that is known now worked out."""
    return form.rewritten(rewrite(form.outputs.values(), lambda rebuilt, _: folded(rebuilt)))


# Nodes that are in their simplest form: every pass after the first meets them again.
_SIMPLEST: WeakSet[Node] = WeakSet()


def folded(node: Node) -> Node:
    """`node`, whose operands are folded, in its simplest form."""
    while node not in _SIMPLEST:
        rule = RULES.get(type(node))
        new = node if rule is None else rule(node)
        if new is node or new.dtype != node.dtype:
            _SIMPLEST.add(node)
        else:
            node = new
    return node


def _map(node: Node) -> Node:
    assert isinstance(node, Map)
    tiled = joined(node)
    if tiled is not None:
        return tiled
    for position, operand in enumerate(node.operands):
        if has_delta(operand):
            product = _product_with_delta(node, position)
            if product is not None:
                return product
    return map_of(node.formula, node.operands, node.shape, node.dtype)


def _product_with_delta(node: Map, position: int) -> Node | None:
    """delta * f(others), as a contraction: there it may cancel against a sum."""
    if slot(position) not in sympy.Mul.make_args(node.formula):
        return None
    rest = node.formula / slot(position)
    if position in slots_of(rest):
        return None
    operands = [x for i, x in enumerate(node.operands) if i != position]
    terms = [_aligned(node.operands[position], node.ndim)]
    scale = rest
    if slots_of(rest):
        by = {slot(i): slot(i - 1) for i in range(position + 1, len(node.operands))}
        factor = Map(rest.xreplace(by), *operands)
        factor = map_of(factor.formula, factor.operands, factor.shape, factor.dtype)
        terms.append(_aligned(factor, node.ndim))
        scale = sympy.S.One
    return contracted(range(node.ndim), terms, scale, dict(enumerate(node.shape)))


def _aligned(operand: Node, rank: int) -> Term:
    """`operand` without axes of size 1, and where its axes stand among `rank`."""
    labels = [axis for axis, size in enumerate(operand.shape) if size != 1]
    extra = rank - operand.ndim
    dense = arranged(operand, labels, tuple(operand.shape[axis] for axis in labels))
    return dense, tuple(axis + extra for axis in labels)


def _contraction(node: Node) -> Node:
    assert isinstance(node, Contraction)
    return normal(Terms.of(node)).node()


def _reshape(node: Node) -> Node:
    (operand,) = node.operands
    if isinstance(operand, Constant):
        return _filled(operand, node)
    while True:
        inner = view_axes(operand)
        if isinstance(operand, Reshape):
            (operand,) = operand.operands
        elif inner is not None and _keeps_order(inner[1], inner[0], operand):
            operand, _ = inner
        else:
            break
    axes = reshape_axes(operand.shape, node.shape)
    if axes is not None and operand.dtype != "bool":
        return arranged(operand, axes, node.shape)
    scale = pure_scale(operand)
    if scale is not None:
        return _scaled(scale, folded(Reshape(operand.operands[0], node.shape)), node)
    return Reshape(operand, node.shape)


def _keeps_order(axes: list[int | None], source: Node, view: Node) -> bool:
    """Whether `view` only inserts and drops axes of size 1."""
    moved = [axis for axis in axes if axis is not None and source.shape[axis] != 1]
    kept = [axis for axis, size in enumerate(source.shape) if size != 1]
    return moved == kept and same_shape(without_ones(source.shape), without_ones(view.shape))


def _slice(node: Node) -> Node:
    assert isinstance(node, Slice)
    (operand,) = node.operands
    if all(entry == (0, n, 1) for entry, n in zip(node.box, operand.shape, strict=True)):
        return operand
    if isinstance(operand, Constant):
        return _filled(operand, node)
    if isinstance(operand, Slice):
        box = [
            (first + start * step, length, step * inner)
            for (first, _, step), (start, length, inner) in zip(operand.box, node.box, strict=True)
        ]
        return folded(Slice(operand.operands[0], box))
    if isinstance(operand, Embed) and _undoes(node, operand):
        return operand.operands[0]
    if isinstance(operand, Concat):
        part = _part(node, operand)
        if part is not None:
            return part
    return _linear(node)


def _undoes(node: Slice, inner: Embed) -> bool:
    """Whether the box that is taken out is the one that was put in."""
    (source,) = inner.operands
    put = zip(inner.box, source.shape, strict=True)
    return all(
        (start, length, step) == (first, extent, stride)
        for (start, length, step), ((first, _, stride), extent) in zip(node.box, put, strict=True)
    )


def _part(node: Slice, whole: Concat) -> Node | None:
    """The operand of a concatenation that is exactly what a slice takes."""
    for axis, (entry, n) in enumerate(zip(node.box, whole.shape, strict=True)):
        if axis != whole.axis and entry != (0, n, 1):
            return None
    start, length, step = node.box[whole.axis]
    offset: sympy.Expr = sympy.S.Zero
    for part in whole.operands:
        extent = part.shape[whole.axis]
        if step == 1 and same(start, offset) and same(length, extent):
            return part
        offset = offset + extent
    return None


def _embed(node: Node) -> Node:
    assert isinstance(node, Embed)
    (operand,) = node.operands
    if all(entry == (0, n, 1) for entry, n in zip(node.box, operand.shape, strict=True)):
        return operand
    if isinstance(operand, Embed):
        box = [
            (first + start * step, size, step * inner)
            for (first, size, step), (start, _, inner) in zip(node.box, operand.box, strict=True)
        ]
        return Embed(operand.operands[0], box)
    return _linear(node)


def _concat(node: Node) -> Node:
    assert isinstance(node, Concat)
    parts: list[Node] = []
    for operand in node.operands:
        nested = isinstance(operand, Concat) and operand.axis == node.axis
        parts.extend(operand.operands if nested else (operand,))
    parts = [part for part in parts if part.shape[node.axis] != 0] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    values = {part.value if isinstance(part, Constant) else None for part in parts}
    if len(values) == 1 and None not in values:
        (value,) = values
        return Constant(value, node.shape, node.dtype)
    scales = {pure_scale(part) for part in parts}
    if len(scales) == 1 and None not in scales:
        (scale,) = scales
        assert scale is not None
        inner = Concat(node.axis, *(part.operands[0] for part in parts))
        return _scaled(scale, folded(inner), node)
    return Concat(node.axis, *parts)


# What makes of a constant, unless that is 0, something that is not constant.
ADDING = (Embed, ScatterAdd, ScatterAlong, CumSum, Overlap)


def _linear(node: Node) -> Node:
    """A node that is linear in its first operand  ->  the scale of that operand outside."""
    first, *others = node.operands
    if isinstance(first, Constant) and first.value.is_finite is not False:
        if first.value == 0 or not isinstance(node, ADDING):
            return _filled(first, node)
        scale, inner = first.value, Constant(1, first.shape, first.dtype)
    else:
        found = pure_scale(first)
        if found is None:
            return node
        scale, inner = found, first.operands[0]
    if scale == 1:
        return node
    return _scaled(scale, folded(node.with_operands((inner, *others))), node)


def _windows(node: Node) -> Node:
    """Windows of one entry  ->  that entry, with an axis more.

    A scale stays on the entries, which are fewer than those of the windows.
    """
    assert isinstance(node, Windows)
    (operand,) = node.operands
    if node.window != 1:
        return _filled(operand, node) if isinstance(operand, Constant) else node
    box = [(sympy.S.Zero, size, 1) for size in operand.shape]
    box[node.axis] = (sympy.S.Zero, node.count, node.stride)
    return folded(Reshape(folded(Slice(operand, box)), node.shape))


def _overlap(node: Node) -> Node:
    """Windows of one entry added back  ->  these entries, zeros between them."""
    assert isinstance(node, Overlap)
    (operand,) = node.operands
    if node.window != 1:
        return _linear(node)
    shape = (*operand.shape[: node.axis + 1], *operand.shape[node.axis + 2 :])
    box = [(sympy.S.Zero, size, 1) for size in node.shape]
    box[node.axis] = (sympy.S.Zero, node.length, node.stride)
    return folded(Embed(folded(Reshape(operand, shape)), box))


def _filled(constant: Constant, like: Node) -> Node:
    return Constant(constant.value, like.shape, like.dtype)


def _scaled(scale: sympy.Expr, inner: Node, like: Node) -> Node:
    return folded(map_of(scale * slot(0), [inner], like.shape, like.dtype))


def _reduction(node: Node) -> Node:
    """A reduction over one entry  ->  that entry."""
    assert isinstance(node, Reduction)
    (operand,) = node.operands
    if operand.shape[node.axis] != 1 or operand.dtype != FLOAT:
        return node
    kept = [axis for axis in range(operand.ndim) if axis != node.axis]
    return arranged(operand, kept, node.shape)


RULES: dict[Any, Callable[[Node], Node]] = {
    Map: _map,
    Contraction: _contraction,
    Reshape: _reshape,
    Slice: _slice,
    Embed: _embed,
    Windows: _windows,
    Overlap: _overlap,
    Concat: _concat,
    Take: _linear,
    TakeAlong: _linear,
    ScatterAdd: _linear,
    ScatterAlong: _linear,
    CumSum: _linear,
    Max: _reduction,
    Min: _reduction,
    Prod: _reduction,
    LogSumExp: _reduction,
}
