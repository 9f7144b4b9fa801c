"""The oracle of the tests: a direct NumPy interpreter of tensor expressions.

It computes what each node *means*, one node at a time, in the plainest way; nothing is optimised
and nothing of the compiler beyond `symgrad.expr` is used.

    >>> import symgrad.expr as _
    >>> from symgrad.expr.leaf import Input
    >>> x = Input("x", (3,))
    >>> evaluate([x * 2 + 1], {"x": [0.0, 1.0, 2.0]})[0].tolist()
    [1.0, 3.0, 5.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import mpmath
import numpy as np
import sympy
from linear_algebra_reference import NUMPY

from symgrad.expr import contraction, detached, leaf, reduction, reindex, scan, window
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import fold, slot_index
from symgrad.expr.walk import postorder

Array = Any
Sizes = Mapping[str, int]


def evaluate(
    roots: Sequence[Node],
    values: Mapping[Any, Any],
    dims: Sizes | None = None,
    dtype: Any = np.float64,
) -> list[Array]:
    """The values of `roots`. `values`: by leaf or by its name; `dims`: those not inferred."""
    order = postorder(roots)
    given = {
        node: _as_array(values[node] if node in values else values[node.name], node, dtype)
        for node in order
        if isinstance(node, leaf.Named)
    }
    sizes = infer_sizes(given.items(), dims or {})
    return _evaluated(roots, given, sizes, dtype)


def _evaluated(
    roots: Sequence[Node], given: Mapping[Node, Array], sizes: Sizes, dtype: Any
) -> list[Array]:
    computed: dict[Node, Array] = {}
    for node in postorder(roots):
        if node in given:
            array = given[node]
        elif isinstance(node, scan.Scan):
            below = [computed[operand] for operand in node.operands]
            computed[node] = Run(node, below, sizes, dtype)
            continue
        else:
            below = [computed[operand] for operand in node.operands]
            with np.errstate(all="ignore"):
                array = RULES[type(node)](node, below, sizes)
            array = _as_array(array, node, dtype)
        expected = tuple(size(s, sizes) for s in node.shape)
        assert np.shape(array) == expected, (node, np.shape(array), expected)
        computed[node] = array
    return [computed[root] for root in roots]


class Run:
    """A scan that has been run, one step after the other: what is asked of it can be read."""

    def __init__(self, node: Any, operands: list[Array], sizes: Sizes, dtype: Any) -> None:
        step = node.step
        self.sizes, self.dtype = sizes, dtype
        given = dict(zip(step.bound, operands, strict=True))
        self.state = [given[bound] for bound in step.carried]
        count = size(node.length, sizes)
        self.steps: list[dict[Node, Array]] = [{} for _ in range(count)]
        for t in reversed(range(count)) if node.is_reversed else range(count):
            entries = {bound: given[bound][t] for bound in step.sequences}
            self.steps[t] = given | entries | dict(zip(step.carried, self.state, strict=True))
            self.state = _evaluated(step.following, self.steps[t], sizes, dtype)

    def stacked(self, node: Any) -> Array:
        rows = [_evaluated([node.inner], given, self.sizes, self.dtype)[0] for given in self.steps]
        return np.array(rows).reshape([size(s, self.sizes) for s in node.shape])


def infer_sizes(given: Iterable[tuple[Node, Array]], dims: Sizes) -> dict[str, int]:
    """What each dimension symbol stands for, read from the shapes of the arrays."""
    sizes = dict(dims)
    equations = []
    for node, array in given:
        assert np.ndim(array) == node.ndim, (node, np.shape(array))
        equations += [(s - actual) for s, actual in zip(node.shape, array.shape, strict=True)]
    for equation in sorted(equations, key=lambda e: sympy.count_ops(e)):
        left = _with_sizes(sympy.sympify(equation), sizes)
        if len(left.free_symbols) == 1:
            (symbol,) = left.free_symbols
            (solution,) = sympy.solve(left, symbol)
            sizes[symbol.name] = int(solution)
        else:
            assert left == 0, f"{equation} is not 0 for {sizes}"
    return sizes


def _with_sizes(expression: sympy.Expr, sizes: Sizes) -> sympy.Expr:
    return expression.subs({s: sizes[s.name] for s in expression.free_symbols if s.name in sizes})


def size(expression: sympy.Expr, sizes: Sizes) -> int:
    """A dimension as a whole number."""
    number = _with_sizes(expression, sizes)
    assert number.is_integer, (expression, sizes)
    return int(number)


def _number(expression: sympy.Expr, sizes: Sizes) -> Any:
    number = _with_sizes(expression, sizes)
    if expression.is_integer and not expression.is_Float:
        return int(number)
    if number is sympy.zoo:  # 1/n for n = 0
        return math.inf
    return math.nan if number is sympy.nan else float(number)


def _as_array(value: Any, node: Node, dtype: Any) -> Array:
    kinds = {"float": dtype, "int": np.int64, "bool": np.bool_}
    array = np.asarray(value)
    if np.iscomplexobj(array) and node.dtype == "float":
        return array
    return array.astype(kinds[node.dtype])


# Scalar formulas


def apply(formula: sympy.Expr, operands: Sequence[Array], sizes: Sizes) -> Array:
    """A scalar formula over arrays."""

    def combine(node: Any, below: tuple[Any, ...]) -> Any:
        if node.is_Symbol:
            index = slot_index(node)
            if index is None:
                return sizes[node.name]
            array = operands[index]
            return array.astype(np.int64) if array.dtype == np.bool_ else array
        if not node.args:
            return _number(node, sizes)
        if node.is_Pow:
            return _power(below[0], below[1])
        return SCALAR[node.func.__name__](*below)

    return fold(sympy.sympify(formula), combine)


def _power(x: Any, y: Any) -> Any:
    if isinstance(x, int | float) and isinstance(y, int | float):
        return float(np.power(float(x), y))  # stays as weakly typed as a number in Python
    if isinstance(y, int) and y < 0:
        x = np.asarray(x, dtype=np.result_type(x, np.float16))
    return np.power(x, y)


def _sum(*terms: Any) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _product(*factors: Any) -> Any:
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def _sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(np.isnan(x), x, np.where(np.asarray(x) >= 0, 1 / (1 + e), e / (1 + e)))


def _sine_quotient(x: Any, k: Any) -> Any:
    def at(value: float) -> float:
        if value == 0:
            return 0.0 if k % 2 else (-1) ** (int(k) // 2) / (int(k) + 1)
        return float(mpmath.diff(lambda t: mpmath.sinc(t), value, int(k)))

    if k == 0:
        return np.sinc(np.asarray(x) / np.pi)
    return np.vectorize(at, otypes=[float])(x)


def _unit(x: Any, y: Any) -> Any:
    length = np.hypot(x, y)
    return np.where(length == 0, 0.0, x / np.where(length == 0, 1, length))


def _log1mexp(x: Any) -> Any:
    return np.where(np.asarray(x) < math.log(2), np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))


def _elementwise(function: Callable[[float], float]) -> Callable[[Any], Any]:
    return lambda x: np.vectorize(function, otypes=[float])(np.asarray(x, dtype=float))


NUMPY_NAMES = """
    exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2 hypot cbrt sin cos tan sinh cosh tanh
    sign floor ceil trunc rint mod fmod floor_divide maximum minimum fmax fmin clip heaviside absolute power
    equal not_equal less less_equal logical_and logical_or logical_not
"""
SCALAR: dict[str, Callable[..., Any]] = {
    name: getattr(np, name) for name in NUMPY_NAMES.split()
} | {
    "Add": _sum,
    "Mul": _product,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "where": lambda c, a, b: np.where(np.asarray(c) != 0, a, b),
    "erf": _elementwise(math.erf),
    "erfc": _elementwise(math.erfc),
    "ndtr": _elementwise(lambda x: math.erfc(-x / math.sqrt(2)) / 2),
    "sigmoid": _sigmoid,
    "softplus": lambda x: np.logaddexp(0, x),
    "relu": lambda x: np.maximum(x, 0),
    "root": np.sqrt,
    "raised": np.maximum,
    "divide": np.divide,
    "reciprocal": lambda x: 1 / x,
    "bose": lambda x: 1 / np.expm1(x),
    "log1mexp": _log1mexp,
    "logcosh": lambda x: np.logaddexp(x, -np.asarray(x)) - math.log(2),
    "versin": lambda x: 2 * np.sin(np.asarray(x) / 2) ** 2,
    "unit": _unit,
    "sine_quotient": _sine_quotient,
}


# Tensor nodes


def _map(node: Any, below: list[Array], sizes: Sizes) -> Array:
    result = apply(node.formula, below, sizes)
    return np.broadcast_to(result, np.broadcast_shapes(*(b.shape for b in below)))


def _contraction(node: Any, below: list[Array], sizes: Sizes) -> Array:
    arguments: list[Any] = []
    on_operands: set[int] = set()
    for array, indices in zip(below, node.indices, strict=True):
        whole = np.int64 if array.dtype == np.bool_ else array.dtype
        arguments += [array.astype(whole), list(indices)]
        on_operands.update(indices)
    kept = [i for i in node.output if i in on_operands]
    result = np.einsum(*arguments, kept) * _number(node.scale, sizes)
    gaps = tuple(slice(None) if i in on_operands else np.newaxis for i in node.output)
    return np.broadcast_to(result[gaps], tuple(size(s, sizes) for s in node.shape))


def _prod_others(node: Any, below: list[Array], sizes: Sizes) -> Array:
    (array,) = below
    others = [
        np.prod(np.delete(array, i, node.axis), axis=node.axis)
        for i in range(array.shape[node.axis])
    ]
    return np.stack(others, node.axis) if others else array


def _positions(start: Any, length: int, step: int, sizes: Sizes) -> Array:
    return size(start, sizes) + step * np.arange(length)


def _slice(node: Any, below: list[Array], sizes: Sizes) -> Array:
    boxes = [_positions(start, size(n, sizes), step, sizes) for start, n, step in node.box]
    for axis, positions in enumerate(boxes):
        extent = below[0].shape[axis]
        assert all(0 <= p < extent for p in positions), (node, axis, positions, extent)
    return below[0][np.ix_(*boxes)] if boxes else below[0]


def _embed(node: Any, below: list[Array], sizes: Sizes) -> Array:
    (array,) = below
    result = np.zeros([size(n, sizes) for _, n, _ in node.box], array.dtype)
    boxes = [
        _positions(start, extent, step, sizes)
        for (start, _, step), extent in zip(node.box, array.shape, strict=True)
    ]
    if not boxes:
        return array
    result[np.ix_(*boxes)] = array
    return result


def _windows(node: Any, below: list[Array], sizes: Sizes) -> Array:
    count, width = (size(n, sizes) for n in node.shape[node.axis : node.axis + 2])
    places = node.stride * np.arange(count)[:, None] + node.dilation * np.arange(width)
    return np.take(below[0], places, axis=node.axis)


def _overlap(node: Any, below: list[Array], sizes: Sizes) -> Array:
    count, width = below[0].shape[node.axis : node.axis + 2]
    places = node.stride * np.arange(count)[:, None] + node.dilation * np.arange(width)
    result = np.zeros([size(s, sizes) for s in node.shape], below[0].dtype)
    np.add.at(result, (slice(None),) * node.axis + (places,), below[0])
    return result


def _checked(indices: Array, extent: int) -> Array:
    assert not indices.size or (-extent <= indices.min() and indices.max() < extent), indices
    return indices


def _take(node: Any, below: list[Array], sizes: Sizes) -> Array:
    return np.take(below[0], _checked(below[1], below[0].shape[node.axis]), axis=node.axis)


def _scatter_add(node: Any, below: list[Array], sizes: Sizes) -> Array:
    result = np.zeros([size(s, sizes) for s in node.shape], below[0].dtype)
    np.add.at(result, (slice(None),) * node.axis + (below[1],), below[0])
    return result


def _take_along(node: Any, below: list[Array], sizes: Sizes) -> Array:
    return np.take_along_axis(below[0], below[1], node.axis)


def _scatter_along(node: Any, below: list[Array], sizes: Sizes) -> Array:
    source, indices = below
    result = np.zeros([size(s, sizes) for s in node.shape], source.dtype)
    grid: list[Any] = list(np.indices(indices.shape))
    grid[node.axis] = indices
    np.add.at(result, tuple(grid), source)
    return result


def _along(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda node, below, sizes: function(below[0], axis=node.axis)


RULES: dict[type, Callable[..., Any]] = {
    leaf.Constant: lambda node, below, sizes: np.full(
        [size(s, sizes) for s in node.shape], _number(node.value, sizes)
    ),
    leaf.Table: lambda node, below, sizes: np.array(
        [_number(v, sizes) for v in node.values]
    ).reshape([size(s, sizes) for s in node.shape]),
    leaf.Arange: lambda node, below, sizes: np.arange(size(node.shape[0], sizes)),
    leaf.Identity: lambda node, below, sizes: np.eye(size(node.shape[0], sizes)),
    Map: _map,
    detached.Detached: lambda node, below, sizes: below[0],
    contraction.Contraction: _contraction,
    reduction.Max: _along(np.max),
    reduction.Min: _along(np.min),
    reduction.ArgMax: _along(np.argmax),
    reduction.ArgMin: _along(np.argmin),
    reduction.Prod: _along(np.prod),
    reduction.LogSumExp: _along(np.logaddexp.reduce),
    reduction.CumSum: _along(np.cumsum),
    reduction.ProdOthers: _prod_others,
    window.Windows: _windows,
    window.Overlap: _overlap,
    reindex.Reshape: lambda node, below, sizes: below[0].reshape(
        [size(s, sizes) for s in node.shape]
    ),
    reindex.Slice: _slice,
    reindex.Embed: _embed,
    reindex.Concat: lambda node, below, sizes: np.concatenate(below, node.axis),
    reindex.Take: _take,
    reindex.ScatterAdd: _scatter_add,
    reindex.TakeAlong: _take_along,
    reindex.ScatterAlong: _scatter_along,
    scan.Final: lambda node, below, sizes: below[0].state[node.index],
    scan.Stacked: lambda node, below, sizes: below[0].stacked(node),
    **NUMPY,
}
