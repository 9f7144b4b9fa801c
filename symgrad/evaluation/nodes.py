"""What each node means: one function a class, from the values of its operands to its own.

Scans are not here: what they come to is asked of their steps (`interpreter.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.errors import CheckError
from symgrad.evaluation.carried import Array, real
from symgrad.evaluation.matrices import MATRIX_RULES, Rule
from symgrad.evaluation.scalars import applied
from symgrad.evaluation.sizes import Sizes
from symgrad.expr import contraction, detached, leaf, reduction, reindex, window
from symgrad.expr.map import Map

FEW_PRODUCTS = 1 << 16  # below, einsum's own loop is faster than finding an order


def _map(node: Any, below: list[Array], sizes: Sizes) -> Array:
    result = applied(node.formula, below, sizes)
    return np.broadcast_to(result, np.broadcast_shapes(*(b.shape for b in below)))


def _contraction(node: Any, below: list[Array], sizes: Sizes) -> Array:
    arguments: list[Any] = []
    extents: dict[int, int] = {}
    for array, indices in zip(below, node.indices, strict=True):
        whole = np.int64 if array.dtype == np.bool_ else array.dtype
        arguments += [array.astype(whole, copy=False), list(indices)]
        extents.update(zip(indices, array.shape, strict=True))
    kept = [i for i in node.output if i in extents]
    products = int(np.prod([max(n, 1) for n in extents.values()], dtype=float))
    product = np.einsum(*arguments, kept, optimize=len(below) > 1 and products > FEW_PRODUCTS)
    result = product * sizes.number(node.scale)
    gaps = tuple(slice(None) if i in extents else np.newaxis for i in node.output)
    shape = [extents[i] if i in extents else sizes.of(node.sizes[i]) for i in node.output]
    return np.broadcast_to(result[gaps], shape)


def _picked(place: Callable[..., Array]) -> Rule:
    """The entry at `place`: of several largest ones the first."""

    def reduced(node: Any, below: list[Array], sizes: Sizes) -> Array:
        (array,) = below
        places = np.expand_dims(place(real(array), axis=node.axis), node.axis)
        return np.take_along_axis(array, places, node.axis).squeeze(node.axis)

    return reduced


def _log_sum_exp(node: Any, below: list[Array], sizes: Sizes) -> Array:
    (array,) = below
    most = np.max(real(array), axis=node.axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(most), most, 0)
    total = np.sum(np.exp(array - shift), axis=node.axis)
    return np.log(total) + np.squeeze(shift, node.axis)


def _prod_others(node: Any, below: list[Array], sizes: Sizes) -> Array:
    (array,) = below
    others = [
        np.prod(np.delete(array, i, node.axis), axis=node.axis)
        for i in range(array.shape[node.axis])
    ]
    return np.stack(others, node.axis) if others else array


def _along(function: Callable[..., Any]) -> Rule:
    return lambda node, below, sizes: function(below[0], axis=node.axis)


def _positions(start: Any, length: int, step: int, sizes: Sizes) -> Array:
    return sizes.number(start) + step * np.arange(length)


def _slice(node: Any, below: list[Array], sizes: Sizes) -> Array:
    boxes = [_positions(start, sizes.of(n), step, sizes) for start, n, step in node.box]
    for positions, extent in zip(boxes, below[0].shape, strict=True):
        _checked(positions, extent, lowest=0)
    return below[0][np.ix_(*boxes)] if boxes else below[0]


def _embed(node: Any, below: list[Array], sizes: Sizes) -> Array:
    (array,) = below
    if not node.box:
        return array
    result = np.zeros([sizes.of(n) for _, n, _ in node.box], array.dtype)
    boxes = [
        _positions(start, extent, step, sizes)
        for (start, _, step), extent in zip(node.box, array.shape, strict=True)
    ]
    result[np.ix_(*boxes)] = array
    return result


def _places(node: Any, count: int, width: int) -> Array:
    return node.stride * np.arange(count)[:, None] + node.dilation * np.arange(width)


def _windows(node: Any, below: list[Array], sizes: Sizes) -> Array:
    count, width = map(sizes.of, node.shape[node.axis : node.axis + 2])
    return np.take(below[0], _places(node, count, width), axis=node.axis)


def _overlap(node: Any, below: list[Array], sizes: Sizes) -> Array:
    (array,) = below
    places = _places(node, *array.shape[node.axis : node.axis + 2])
    return _added(array, sizes.shape(node.shape), (slice(None),) * node.axis + (places,))


def _added(array: Array, shape: tuple[int, ...], places: tuple[Any, ...]) -> Array:
    result = np.zeros(shape, array.dtype)
    np.add.at(result, places, array)
    return result


def _checked(indices: Array, extent: int, lowest: int | None = None) -> Array:
    """`indices`, all within an axis of `extent` entries. Raises: IndexError."""
    lowest = -extent if lowest is None else lowest
    if indices.size and not (lowest <= indices.min() and indices.max() < extent):
        raise IndexError(f"an index is outside of an axis of {extent} entries")
    return indices


def _take(node: Any, below: list[Array], sizes: Sizes) -> Array:
    array, indices = below
    return np.take(array, _checked(indices, array.shape[node.axis]), axis=node.axis)


def _scatter_add(node: Any, below: list[Array], sizes: Sizes) -> Array:
    array, indices = below
    shape = sizes.shape(node.shape)
    _checked(indices, shape[node.axis])
    return _added(array, shape, (slice(None),) * node.axis + (indices,))


def _take_along(node: Any, below: list[Array], sizes: Sizes) -> Array:
    array, indices = below
    return np.take_along_axis(array, _checked(indices, array.shape[node.axis]), node.axis)


def _scatter_along(node: Any, below: list[Array], sizes: Sizes) -> Array:
    array, indices = below
    shape = sizes.shape(node.shape)
    grid: list[Any] = list(np.indices(indices.shape))
    grid[node.axis] = _checked(indices, shape[node.axis])
    return _added(array, shape, tuple(grid))


def _constant(node: Any, below: list[Array], sizes: Sizes) -> Array:
    return np.full(sizes.shape(node.shape), sizes.number(node.value))


def _table(node: Any, below: list[Array], sizes: Sizes) -> Array:
    return np.array([sizes.number(v) for v in node.values]).reshape(sizes.shape(node.shape))


def _given(node: Any, below: list[Array], sizes: Sizes) -> Array:
    raise CheckError(f"no value is given for {node.name}", where=node.location)


RULES: dict[type, Rule] = {
    leaf.Constant: _constant,
    leaf.Table: _table,
    leaf.Arange: lambda node, below, sizes: np.arange(sizes.of(node.shape[0])),
    leaf.Identity: lambda node, below, sizes: np.eye(sizes.of(node.shape[0])),
    Map: _map,
    detached.Detached: lambda node, below, sizes: real(below[0]),
    contraction.Contraction: _contraction,
    reduction.Max: _picked(np.argmax),
    reduction.Min: _picked(np.argmin),
    reduction.ArgMax: lambda node, below, sizes: np.argmax(real(below[0]), axis=node.axis),
    reduction.ArgMin: lambda node, below, sizes: np.argmin(real(below[0]), axis=node.axis),
    reduction.Prod: _along(np.prod),
    reduction.LogSumExp: _log_sum_exp,
    reduction.CumSum: _along(np.cumsum),
    reduction.ProdOthers: _prod_others,
    window.Windows: _windows,
    window.Overlap: _overlap,
    reindex.Reshape: lambda node, below, sizes: below[0].reshape(sizes.shape(node.shape)),
    reindex.Slice: _slice,
    reindex.Embed: _embed,
    reindex.Concat: lambda node, below, sizes: np.concatenate(below, node.axis),
    reindex.Take: _take,
    reindex.ScatterAdd: _scatter_add,
    reindex.TakeAlong: _take_along,
    reindex.ScatterAlong: _scatter_along,
    **MATRIX_RULES,
}
for _leaf in (leaf.Input, leaf.Parameter, leaf.State, leaf.Tangent, leaf.Cotangent, leaf.Random):
    RULES[_leaf] = _given
