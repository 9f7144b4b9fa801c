"""Reductions over axes: sums, moments, extrema, products, running sums.

`axis` is None (all axes), a whole number or a tuple, negative from the end, as in NumPy.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr import functions as f
from symgrad.expr import reduction
from symgrad.expr.contraction import sum_over
from symgrad.expr.dimension import product
from symgrad.expr.leaf import Constant
from symgrad.expr.node import Node
from symgrad.expr.operand import as_node, elementwise, number
from symgrad.model.operations.operation import (
    axes_of,
    flattened,
    merged,
    operation,
    refuse,
    restored,
)


@operation
def sum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
        initial: Any = None, where: Any = None) -> Node:  # fmt: skip
    """The sum over `axis`; 0 for no entries."""
    refuse(dtype=dtype, out=out, initial=initial, where=where)
    a = as_node(a)
    return _sum(a, axes_of(axis, a.ndim), keepdims)


def _sum(a: Node, axes: tuple[int, ...], keepdims: bool, scale: Any = 1) -> Node:
    return restored(sum_over(a, axes, scale), axes, keepdims)


@operation
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
         *, where: Any = None) -> Node:  # fmt: skip
    """The arithmetic mean over `axis`; nan for no entries."""
    refuse(dtype=dtype, out=out, where=where)
    a = as_node(a)
    return _mean(a, axes_of(axis, a.ndim), keepdims)


def _mean(a: Node, axes: tuple[int, ...], keepdims: bool) -> Node:
    return _divided_sum(a, axes, product(a.shape[i] for i in axes), keepdims)


def _divided_sum(a: Node, axes: tuple[int, ...], count: sympy.Expr, keepdims: bool) -> Node:
    if count.is_number and count <= 0:  # a division by 0, as NumPy has it
        return elementwise(lambda x, n: x / n, _sum(a, axes, keepdims), Constant(0))
    if count == 1:
        return _sum(elementwise(lambda x: sympy.Float(1) * x, a) if a.dtype != "float" else a,
                    axes, keepdims)  # fmt: skip
    return _sum(a, axes, keepdims, 1 / count)


@operation
def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
        keepdims: bool = False, *, where: Any = None, mean: Any = None,
        correction: Any = None) -> Node:  # fmt: skip
    """The variance over `axis`: the squared deviations' sum over the count less `ddof`.

    `correction`: another name of `ddof`.
    """
    refuse(dtype=dtype, out=out, where=where, mean=mean)
    a = as_node(a)
    return _var(a, axes_of(axis, a.ndim), _ddof(ddof, correction), keepdims)


def _ddof(ddof: Any, correction: Any) -> sympy.Expr:
    if correction is None:
        return number(ddof)
    if ddof != 0:
        raise DefinitionError("ddof and correction are two names of one argument; give one")
    return number(correction)


def _var(a: Node, axes: tuple[int, ...], ddof: sympy.Expr, keepdims: bool) -> Node:
    deviation = a - _mean(a, axes, keepdims=True)
    count = product(a.shape[i] for i in axes) - ddof
    return _divided_sum(elementwise(lambda d: d**2, deviation), axes, count, keepdims)


@operation
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
        keepdims: bool = False, *, where: Any = None, mean: Any = None,
        correction: Any = None) -> Node:  # fmt: skip
    """The standard deviation over `axis`. Its gradient is 0 where it is 0, as in PyTorch."""
    refuse(dtype=dtype, out=out, where=where, mean=mean)
    a = as_node(a)
    return elementwise(f.root, _var(a, axes_of(axis, a.ndim), _ddof(ddof, correction), keepdims))


@operation
def max(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
        where: Any = None) -> Node:  # fmt: skip
    """The largest entry over `axis`. Its gradient goes to the first of them."""
    refuse(out=out, initial=initial, where=where)
    return _reduced(reduction.Max, a, axis, keepdims, needs_entries=True)


@operation
def min(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
        where: Any = None) -> Node:  # fmt: skip
    """The smallest entry over `axis`. Its gradient goes to the first of them."""
    refuse(out=out, initial=initial, where=where)
    return _reduced(reduction.Min, a, axis, keepdims, needs_entries=True)


@operation
def prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
         initial: Any = None, where: Any = None) -> Node:  # fmt: skip
    """The product over `axis`; 1 for no entries."""
    refuse(dtype=dtype, out=out, initial=initial, where=where)
    return _reduced(reduction.Prod, a, axis, keepdims)


@operation
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False,
              return_sign: Any = None) -> Node:  # fmt: skip
    """`log(sum(exp(a)))` over `axis` without overflow, as in scipy.special; -inf for no entries."""
    refuse(b=b, return_sign=return_sign)
    return _reduced(reduction.LogSumExp, a, axis, keepdims)


def _reduced(
    family: type[reduction.Reduction], a: Any, axis: Any, keepdims: bool,
    needs_entries: bool = False,
) -> Node:  # fmt: skip
    a = as_node(a)
    axes = axes_of(axis, a.ndim)
    if needs_entries and any(a.shape[i] == 0 for i in axes):
        raise ShapeError("there is no largest or smallest of no entries: an axis has size 0")
    if len(axes) == 1:
        return restored(family(a, axes[0]), axes, keepdims)
    joined = merged(a, axes)
    return restored(family(joined, joined.ndim - 1), axes, keepdims)


@operation
def argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Node:
    """The index of the first largest entry along `axis`, or of the flattened tensor."""
    refuse(out=out)
    return _position(reduction.ArgMax, a, axis, keepdims)


@operation
def argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Node:
    """The index of the first smallest entry along `axis`, or of the flattened tensor."""
    refuse(out=out)
    return _position(reduction.ArgMin, a, axis, keepdims)


def _position(family: type[reduction.Reduction], a: Any, axis: Any, keepdims: bool) -> Node:
    if isinstance(axis, tuple | list):
        raise ShapeError("axis must be one whole number or None, not several")
    return _reduced(family, a, axis, keepdims, needs_entries=True)


@operation
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Node:
    """The running sum along `axis`, or of the flattened tensor."""
    refuse(dtype=dtype, out=out)
    a = as_node(a)
    if axis is None:
        return reduction.CumSum(flattened(a), 0)
    return reduction.CumSum(a, axes_of((axis,), a.ndim)[0])
