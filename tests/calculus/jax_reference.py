"""A tensor expression as a JAX function, so that JAX's derivatives judge ours."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import pytest
import sympy
from catalogue import SIZES
from linear_algebra_reference import jax_rules

from symgrad.expr import detached, reduction, reindex, scan, window
from symgrad.expr.contraction import Contraction
from symgrad.expr.dimension import dim
from symgrad.expr.leaf import Arange, Constant, Identity, Table
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import fold, slot_index
from symgrad.expr.walk import postorder

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy
KNOWN = {dim(name): size for name, size in SIZES.items()}


def number(expression: sympy.Expr) -> int:
    return int(expression.subs(KNOWN))


def as_jax(output: Node, leaves: Sequence[Node]) -> Callable[..., Any]:
    """The function from arrays for `leaves` to `output`."""
    order = postorder([output])

    def function(*arrays: Any) -> Any:
        return _run(order, dict(zip(leaves, arrays, strict=True)))[output]

    return function


def _run(order: Sequence[Node], values: dict[Node, Any]) -> dict[Node, Any]:
    for node in order:
        if node not in values:
            below = [values[operand] for operand in node.operands]
            value = RULES[type(node)](node, below)
            is_scan = isinstance(node, scan.Scan)
            values[node] = value if is_scan else value.astype(KINDS[node.dtype])
    return values


def _scan(node: Any, below: list[Any]) -> Any:
    """The state after the last step, and all tensors of every step: unrolled, length by length."""
    step = node.step
    given = dict(zip(step.bound, below, strict=True))
    state = [given[bound] for bound in step.carried]
    count = number(node.length)
    steps: list[dict[Node, Any]] = [{} for _ in range(count)]
    for t in reversed(range(count)) if node.is_reversed else range(count):
        entries = {bound: given[bound][t] for bound in step.sequences}
        steps[t] = given | entries | dict(zip(step.carried, state, strict=True))
        values = _run(postorder(step.following), dict(steps[t]))
        state = [values[follows] for follows in step.following]
    return state, steps


def _stacked(node: Any, below: list[Any]) -> Any:
    rows = [
        _run(postorder([node.inner]), dict(given))[node.inner] for given in below[0][1]
    ]
    return jnp.array(rows).reshape(_shape(node))


def _shape(node: Node) -> list[int]:
    return [number(size) for size in node.shape]


def _map(node: Any, below: list[Any]) -> Any:
    def combine(part: Any, args: tuple[Any, ...]) -> Any:
        if part.is_Symbol:
            return float(KNOWN[part]) if part in KNOWN else below[slot_index(part)]
        if not part.args:
            return int(part) if part.is_Integer else float(part)
        if part.is_Pow:
            return args[0] ** args[1]
        return SCALAR[part.func.__name__](*args)

    return jnp.broadcast_to(jnp.asarray(fold(node.formula, combine)), _shape(node))


def _contraction(node: Any, below: list[Any]) -> Any:
    arguments: list[Any] = []
    for array, indices in zip(below, node.indices, strict=True):
        arguments += [jnp.asarray(array, float), list(indices)]
    carried = {i for indices in node.indices for i in indices}
    for i in node.output:
        if i not in carried:
            arguments += [jnp.ones(number(node.sizes[i])), [i]]
    return jnp.einsum(*arguments, list(node.output)) * float(node.scale.subs(KNOWN))


def _box(node: Any, lengths: Sequence[int]) -> Any:
    positions = [
        number(start) + step * jnp.arange(length)
        for (start, _, step), length in zip(node.box, lengths, strict=True)
    ]
    return jnp.ix_(*positions)


def _scatter_along(node: Any, below: list[Any]) -> Any:
    grid: list[Any] = list(jnp.indices(below[1].shape))
    grid[node.axis] = below[1]
    return jnp.zeros(_shape(node)).at[tuple(grid)].add(below[0])


def _prod_others(node: Any, below: list[Any]) -> Any:
    count = below[0].shape[node.axis]
    parts = [jnp.prod(jnp.delete(below[0], i, node.axis), node.axis) for i in range(count)]
    return jnp.stack(parts, node.axis) if parts else below[0]


def _places(node: Any, count: int, width: int) -> Any:
    starts = node.stride * jnp.arange(count)[:, None]
    return (slice(None),) * node.axis + (starts + node.dilation * jnp.arange(width),)


def _windows(node: Any, below: list[Any]) -> Any:
    return below[0][_places(node, *_shape(node)[node.axis : node.axis + 2])]


def _overlap(node: Any, below: list[Any]) -> Any:
    places = _places(node, *below[0].shape[node.axis : node.axis + 2])
    return jnp.zeros(_shape(node)).at[places].add(below[0])


def _along(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda node, below: function(below[0], axis=node.axis)


RULES: dict[type[Node], Callable[..., Any]] = {
    Constant: lambda node, below: jnp.full(_shape(node), float(node.value.subs(KNOWN))),
    Table: lambda node, below: jnp.array([float(v) for v in node.values]).reshape(_shape(node)),
    Arange: lambda node, below: jnp.arange(number(node.shape[0])),
    Identity: lambda node, below: jnp.eye(number(node.shape[0])),
    Map: _map,
    detached.Detached: lambda node, below: jax.lax.stop_gradient(below[0]),
    Contraction: _contraction,
    reduction.Max: _along(jnp.max),
    reduction.Min: _along(jnp.min),
    reduction.ArgMax: _along(jnp.argmax),
    reduction.ArgMin: _along(jnp.argmin),
    reduction.Prod: _along(jnp.prod),
    reduction.LogSumExp: _along(jax.scipy.special.logsumexp),
    reduction.CumSum: _along(jnp.cumsum),
    reduction.ProdOthers: _prod_others,
    window.Windows: _windows,
    window.Overlap: _overlap,
    reindex.Reshape: lambda node, below: below[0].reshape(_shape(node)),
    reindex.Slice: lambda node, below: below[0][_box(node, _shape(node))],
    reindex.Embed: lambda node, below: (
        jnp.zeros(_shape(node)).at[_box(node, below[0].shape)].set(below[0])
    ),
    reindex.Concat: lambda node, below: jnp.concatenate(below, node.axis),
    reindex.Take: lambda node, below: jnp.take(below[0], below[1], node.axis),
    reindex.ScatterAdd: lambda node, below: (
        jnp.zeros(_shape(node)).at[(slice(None),) * node.axis + (below[1],)].add(below[0])
    ),
    reindex.TakeAlong: lambda node, below: jnp.take_along_axis(*below, node.axis),
    reindex.ScatterAlong: _scatter_along,
    scan.Scan: _scan,
    scan.Final: lambda node, below: below[0][0][node.index],
    scan.Stacked: _stacked,
    **jax_rules(jax),
}
KINDS = {"float": float, "int": int, "bool": int}

PLAIN = (
    "exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2 hypot cbrt sin cos tan sinh cosh "
    "tanh sign floor ceil trunc rint mod fmod floor_divide maximum minimum fmax fmin clip "
    "heaviside power reciprocal equal not_equal less less_equal logical_and logical_or logical_not"
)
SCALAR: dict[str, Callable[..., Any]] = {name: getattr(jnp, name) for name in PLAIN.split()} | {
    "Add": lambda *terms: reduce(operator.add, terms),
    "Mul": lambda *factors: reduce(operator.mul, factors),
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "atan": jnp.arctan,
    "atan2": jnp.arctan2,
    "asinh": jnp.arcsinh,
    "acosh": jnp.arccosh,
    "atanh": jnp.arctanh,
    "where": lambda c, a, b: jnp.where(c != 0, a, b),
    "absolute": jnp.abs,
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "ndtr": jax.scipy.special.ndtr,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "relu": jax.nn.relu,
    "root": jnp.sqrt,
    "raised": lambda x, least: x + jax.lax.stop_gradient(jnp.maximum(x, least) - x),
    "sine_quotient": lambda x, k: jnp.sinc(x / jnp.pi),
}
