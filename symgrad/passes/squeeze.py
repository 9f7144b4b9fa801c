"""Dropping axes of size 1: every value is computed without them, and results get theirs back.

    y[b, i, k] = sum_j x[b, i, j] W[k, j]    i of size 1   ->   y[b, k] = sum_j x[b, j] W[k, j]
    Max(z, 2)                   z: [n, 1, 10]              ->   Max(z, 1), z: [n, 10]
    TakeAlong(z, labels, 2)     labels: [n, 1, 1]          ->   labels: [n, 1], the result [n]

Batching the gradient of one example leaves an axis of size 1 where the examples were; nobody who
writes for many examples would keep it. Where an axis of size 1 carries meaning (a column that
broadcasts, a part of a concatenation, one index per row) a Reshape beside the node puts it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import sympy

from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.decompositions import LINEAR_ALGEBRA
from symgrad.expr.detached import Detached
from symgrad.expr.dimension import Shape, same, same_shape
from symgrad.expr.leaf import Arange, Constant, Identity, Named, Table
from symgrad.expr.linear_algebra import LinearAlgebra
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reduction import (
    ArgMax,
    ArgMin,
    CumSum,
    LogSumExp,
    Max,
    Min,
    Prod,
    ProdOthers,
    Reduction,
)
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
from symgrad.expr.scan import Bound, Final, Scan, Stacked, Step
from symgrad.expr.walk import postorder
from symgrad.expr.window import Overlap, Windowed, Windows
from symgrad.passes.form import Form


def drop_unit_axes(form: Form) -> Form:
    """The same outputs, in their shapes, from values without axes of size 1."""
    dense = _all_dense(form.outputs.values(), {})
    shown = {node: _shaped(dense[node], node.shape) for node in form.outputs.values()}
    new = form.rewritten(dense | shown)
    graph = set(postorder(new.outputs.values()))
    computed = {result: dense[node] for node, result in shown.items() if dense[node] in graph}
    return replace(new, names=_moved(new.names, computed), origins=_moved(new.origins, computed))


def _all_dense(roots: Iterable[Node], given: dict[Node, Node]) -> dict[Node, Node]:
    """What each node below `roots` is without axes of size 1; `given` says it of some."""
    dense = dict(given)
    for node in postorder(roots):
        if node not in dense:
            dense[node] = _dense(node, dense)
    return dense


def _moved(table: dict[Node, Any], computed: dict[Node, Node]) -> dict[Node, Any]:
    """`table` with what it says of a result said of the value that is shown as that result."""
    moved: dict[Node, Any] = {}
    for node, fact in table.items():
        moved.setdefault(computed.get(node, node), fact)
    return moved


def _dense(node: Node, dense: dict[Node, Node]) -> Node:
    """`node`, whose operands are in `dense`, without its axes of size 1."""
    operands = tuple(dense[operand] for operand in node.operands)
    if operands == node.operands and not any(map(_is_one, node.shape)):
        return node
    plain = node if isinstance(node, Named | Bound) else RULES[type(node)](node, operands)
    return _shaped(plain, _without_ones(node.shape))


def _is_one(size: sympy.Expr) -> bool:
    return same(size, sympy.S.One)


def _without_ones(shape: Iterable[sympy.Expr]) -> Shape:
    return tuple(size for size in shape if not _is_one(size))


def _shaped(node: Node, shape: Shape) -> Node:
    """`node` under another shape, by at most one Reshape."""
    while isinstance(node, Reshape):
        (node,) = node.operands
    if same_shape(node.shape, shape):
        return node
    if isinstance(node, Constant):
        return Constant(node.value, shape, node.dtype)
    if isinstance(node, Table):
        return Table(node.values, shape)
    return Reshape(node, shape)


def _position(axis: int, kept: Sequence[int]) -> int:
    """Where `axis` is when only the axes `kept` are left."""
    return sum(k < axis for k in kept)


def _kept(shape: Shape, always: int | None = None) -> list[int]:
    """The axes whose size is not 1, and the axis `always`."""
    return [axis for axis, size in enumerate(shape) if axis == always or not _is_one(size)]


def _on(dense: Node, shape: Shape, axes: Iterable[int]) -> Node:
    """`dense`, which stands for a node of `shape`, with the axes `axes` of that node."""
    return _shaped(dense, tuple(shape[axis] for axis in axes))


def _arange(node: Node, _: tuple[Node, ...]) -> Node:
    return Constant(0, ())


def _identity(node: Node, _: tuple[Node, ...]) -> Node:
    return Constant(1, (), FLOAT)


def _constant(node: Node, _: tuple[Node, ...]) -> Node:
    return node


def _map(node: Node, operands: tuple[Node, ...]) -> Node:
    """Operands align at the right: an axis inside that one of them repeats stays, of size 1."""
    kept = _kept(node.shape)
    aligned = []
    for operand, dense in zip(node.operands, operands, strict=True):
        missing = node.ndim - operand.ndim
        sizes = [operand.shape[axis - missing] for axis in kept if axis >= missing]
        while sizes and _is_one(sizes[0]):
            del sizes[0]
        aligned.append(_shaped(dense, tuple(sizes)))
    return node.with_operands(tuple(aligned))


def _contraction(node: Node, operands: tuple[Node, ...]) -> Node:
    assert isinstance(node, Contraction)
    kept = {index: size for index, size in node.sizes.items() if not _is_one(size)}
    output = tuple(index for index in node.output if index in kept)
    terms = [
        (dense, tuple(index for index in indices if index in kept))
        for dense, indices in zip(operands, node.indices, strict=True)
    ]
    (first, indices), *others = terms
    if not others and indices == output and node.scale == 1 and first.dtype == node.dtype:
        return first
    return contract(output, terms, node.scale, kept)


def _reduction(node: Node, operands: tuple[Node, ...]) -> Node:
    """Along an axis of size 1 there is nothing to reduce."""
    assert isinstance(node, Reduction)
    (dense,), shape = operands, node.operands[0].shape
    if _is_one(shape[node.axis]):
        if isinstance(node, ArgMax | ArgMin):
            return Constant(0, dense.shape)
        if isinstance(node, ProdOthers):
            return Constant(1, dense.shape, node.dtype)
        if dense.dtype == node.dtype:
            return dense
    kept = _kept(shape, always=node.axis)
    return node.func(_on(dense, shape, kept), _position(node.axis, kept))


def _reshape(node: Node, operands: tuple[Node, ...]) -> Node:
    return operands[0]


def _box(node: Node, operands: tuple[Node, ...]) -> Node:
    assert isinstance(node, Slice | Embed)
    (dense,), shape = operands, node.operands[0].shape
    pairs = zip(shape, node.shape, strict=True)
    kept = [axis for axis, pair in enumerate(pairs) if not all(map(_is_one, pair))]
    if not kept:
        return dense
    return node.func(_on(dense, shape, kept), [node.box[axis] for axis in kept])


def _windowed(node: Node, operands: tuple[Node, ...]) -> Node:
    """The axis and its windows stay, even if there is one window or one entry in it."""
    assert isinstance(node, Windowed)
    (dense,), shape = operands, node.operands[0].shape
    own = range(node.axis, node.axis + (2 if isinstance(node, Overlap) else 1))
    kept = [axis for axis, size in enumerate(shape) if axis in own or not _is_one(size)]
    axis = _position(node.axis, kept)
    return type(node)(_on(dense, shape, kept), axis, node.args[2], node.stride, node.dilation)


def _concat(node: Node, operands: tuple[Node, ...]) -> Node:
    assert isinstance(node, Concat)
    kept = _kept(node.shape, always=node.axis)
    parts = [
        _on(dense, part.shape, kept) for part, dense in zip(node.operands, operands, strict=True)
    ]
    return Concat(_position(node.axis, kept), *parts)


def _take(node: Node, operands: tuple[Node, ...]) -> Node:
    assert isinstance(node, Take)
    (source, indices), shape = operands, node.source.shape
    kept = _kept(shape, always=node.axis)
    return Take(_on(source, shape, kept), indices, _position(node.axis, kept))


def _scatter_add(node: Node, operands: tuple[Node, ...]) -> Node:
    assert isinstance(node, ScatterAdd)
    (source, indices), shape = operands, node.source.shape
    return ScatterAdd(source, indices, _position(node.axis, _kept(shape)), node.size_on_axis)


def _along(node: Node, operands: tuple[Node, ...]) -> Node:
    """The axis of the indices stays: there is one per position, even if only one."""
    assert isinstance(node, TakeAlong | ScatterAlong)
    kept = _kept(node.indices.shape, always=node.axis)
    aligned = tuple(
        _on(dense, operand.shape, kept)
        for operand, dense in zip(node.operands, operands, strict=True)
    )
    more = (node.size_on_axis,) if isinstance(node, ScatterAlong) else ()
    return node.func(*aligned, _position(node.axis, kept), *more)


def _linear_algebra(node: Node, operands: tuple[Node, ...]) -> Node:
    """The axes of a matrix stay, whatever their size; those of the batch align at the right."""
    assert isinstance(node, LinearAlgebra)
    ranks = [x.ndim - core for x, core in zip(node.operands, node.cores, strict=True)]
    batch = max(ranks)
    kept = [axis for axis in range(batch) if not _is_one(node.shape[axis])]
    aligned = []
    for operand, dense, rank in zip(node.operands, operands, ranks, strict=True):
        missing = batch - rank
        sizes = [operand.shape[axis - missing] for axis in kept if axis >= missing]
        while sizes and _is_one(sizes[0]):
            del sizes[0]
        aligned.append(_shaped(dense, (*sizes, *operand.shape[rank:])))
    return node.with_operands(tuple(aligned))


def _scan(node: Node, operands: tuple[Node, ...]) -> Node:
    """A step over what is bound without axes of size 1; that of the steps themselves stays."""
    assert isinstance(node, Scan)
    step, bound = node.step, _dense_bound(node.step)
    given = []
    for old, dense in zip(step.bound, operands, strict=True):
        shape = (node.length, *bound[old].shape) if old in step.sequences else bound[old].shape
        given.append(_shaped(dense, shape))
    inner = _all_dense(step.following, dict(bound))
    following = [
        _shaped(inner[x], bound[state].shape)
        for state, x in zip(step.carried, step.following, strict=True)
    ]
    carried, sequences, fixed = (
        [bound[x] for x in group] for group in (step.carried, step.sequences, step.fixed)
    )
    return Scan(Step(carried, following, sequences, fixed), node.length, node.is_reversed, *given)


def _dense_bound(step: Step) -> dict[Node, Node]:
    """What is bound, without axes of size 1."""
    dense: dict[Node, Node] = {}
    for x in step.bound:
        assert isinstance(x, Bound)
        has_ones = any(map(_is_one, x.shape))
        shape = _without_ones(x.shape)
        dense[x] = Bound(x.name, ("dense", x), shape, x.dtype) if has_ones else x
    return dense


def _final(node: Node, operands: tuple[Node, ...]) -> Node:
    assert isinstance(node, Final)
    return Final(operands[0], _dense_bound(node.scan.step)[node.state])


def _stacked(node: Node, operands: tuple[Node, ...]) -> Node:
    assert isinstance(node, Stacked)
    inner = _all_dense([node.inner], _dense_bound(node.scan.step))[node.inner]
    return Stacked(operands[0], inner)


RULES: dict[Any, Callable[[Node, tuple[Node, ...]], Node]] = {
    Constant: _constant,
    Table: _constant,
    Arange: _arange,
    Identity: _identity,
    Map: _map,
    Detached: lambda node, operands: node.with_operands(operands),
    Contraction: _contraction,
    Reshape: _reshape,
    Slice: _box,
    Embed: _box,
    Windows: _windowed,
    Overlap: _windowed,
    Concat: _concat,
    Take: _take,
    ScatterAdd: _scatter_add,
    TakeAlong: _along,
    ScatterAlong: _along,
    Scan: _scan,
    Final: _final,
    Stacked: _stacked,
    **dict.fromkeys(LINEAR_ALGEBRA, _linear_algebra),
    **dict.fromkeys((Max, Min, ArgMax, ArgMin, Prod, LogSumExp, CumSum, ProdOthers), _reduction),
}
