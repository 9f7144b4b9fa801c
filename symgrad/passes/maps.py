"""Maps in their normal form, and the composition of maps.

    Map(_0*_1 + _2, Constant(2), x, spread(b))   ->   Map(2*_0 + _1, x, b)
    exp(_0) of (_0 - _1)(z, m)                   ->   exp(_0 - _1)(z, m)

A product with an exact 0 is 0. SymPy's scalar algebra says so whenever a formula is built, for
the user's own `0*x` as for the zeros of a derivation; that a NaN or an infinity in x would make
the floating-point product a NaN is given up. What is not exactly 0 is computed as IEEE says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import sympy

from symgrad.errors import UnsupportedError
from symgrad.expr.adoption import in_vocabulary
from symgrad.expr.dimension import Shape, same, same_shape
from symgrad.expr.formula import heads, replace_slots, slot, slots_of
from symgrad.expr.leaf import Constant
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.slots import slot_index
from symgrad.passes.views import arranged, narrowed, stretched

Wire = int | tuple[sympy.Expr, tuple[int, ...]]


def map_of(formula: sympy.Expr, operands: Sequence[Node], shape: Shape, dtype: str) -> Node:
    """`formula` over `operands`, broadcast to `shape`, as the smallest node that computes it.

    Constants become part of the formula, equal operands one slot, unused ones vanish, and
    repetitions along an axis are left to broadcasting or made after the map.
    """
    numbers = tuple(
        (i, operand.value)
        for i, operand in enumerate(operands)
        if isinstance(operand, Constant) and operand.value.is_finite is not False
    )
    if numbers:
        folded = _with_numbers(formula, numbers)
        formula = formula if folded is None else folded
    used = slots_of(formula)
    if not used:
        return _constant(formula, shape, dtype)
    position: dict[Node, int] = {}
    moved: list[tuple[int, int]] = []
    for i in used:
        operand = narrowed(operands[i])
        moved.append((i, position.setdefault(operand, len(position))))
    formula = renumbered(formula, tuple(moved))
    if len(position) < len(used):
        return map_of(formula, tuple(position), shape, dtype)
    nodes = tuple(position)
    only = slot_index(formula)
    if only is not None:
        return stretched(as_kind(nodes[only], dtype), shape)
    node = Map(formula, *nodes)
    if same_shape(node.shape, shape):
        return as_kind(_without_scale_of_scale(node), dtype)
    return _repeated(formula, nodes, node, shape, dtype)


def _repeated(
    formula: sympy.Expr, operands: tuple[Node, ...], node: Map, shape: Shape, dtype: str
) -> Node:
    """A map that does not vary along some axes, computed without them."""
    extra = len(shape) - node.ndim
    kept = [axis for axis, size in enumerate(node.shape) if same(size, shape[extra + axis])]
    dense = []
    for operand in operands:
        missing = node.ndim - operand.ndim
        own = [axis - missing for axis in kept if axis >= missing]
        dense.append(arranged(operand, own, tuple(operand.shape[axis] for axis in own)))
    inner = map_of(formula, dense, tuple(node.shape[axis] for axis in kept), dtype)
    axes = [kept.index(a - extra) if a - extra in kept else None for a in range(len(shape))]
    return arranged(inner, axes, shape)


def _without_scale_of_scale(node: Node) -> Node:
    scale, inner = pure_scale(node), pure_scale(node.operands[0])
    if scale is None or inner is None:
        return node
    (operand,) = node.operands
    return map_of(scale * inner * slot(0), operand.operands, node.shape, node.dtype)


def _constant(formula: sympy.Expr, shape: Shape, dtype: str) -> Node:
    return Constant(formula, shape, dtype if dtype == FLOAT else None)


def pure_scale(node: Node) -> sympy.Expr | None:
    """c, if `node` is `c` times its one operand."""
    if not isinstance(node, Map) or len(node.operands) != 1:
        return None
    return _scale_of_slot(node.formula)


@lru_cache(maxsize=65536)
def _scale_of_slot(formula: sympy.Expr) -> sympy.Expr | None:
    if formula.is_Mul and slot(0) in formula.args:
        rest = formula / slot(0)
        return rest if not slots_of(rest) else None
    return None


def as_kind(node: Node, dtype: str) -> Node:
    """`node` as a float if `dtype` says so: folding may leave a whole number."""
    if dtype != FLOAT or node.dtype == FLOAT:
        return node
    if isinstance(node, Constant):
        return Constant(node.value, node.shape, FLOAT)
    return Map(sympy.Float(1) * slot(0), node)


@lru_cache(maxsize=16384)
def _with_numbers(
    formula: sympy.Expr, numbers: tuple[tuple[int, sympy.Expr], ...]
) -> sympy.Expr | None:
    """`formula` with numbers in some slots; None where that has no finite value (log(0))."""
    try:
        folded = in_vocabulary(replace_slots(formula, dict(numbers)))
    except UnsupportedError:
        return None
    return folded


def renumbered(formula: sympy.Expr, moved: tuple[tuple[int, int], ...]) -> sympy.Expr:
    """`formula` with slot i called j for each `(i, j)`."""
    return formula if all(i == j for i, j in moved) else _renumbered(formula, moved)


@lru_cache(maxsize=65536)
def _renumbered(formula: sympy.Expr, moved: tuple[tuple[int, int], ...]) -> sympy.Expr:
    return replace_slots(formula, {i: slot(j) for i, j in moved if i != j})


def composed(
    formula: sympy.Expr,
    operands: Sequence[Node],
    inner: Mapping[int, tuple[sympy.Expr, Sequence[Node]]],
) -> tuple[sympy.Expr, tuple[Node, ...]]:
    """`formula` with `inner[i]`, a formula over nodes, in the place of operand i."""
    position: dict[Node, int] = {}
    wires: list[Wire] = []
    for i, operand in enumerate(operands):
        if i in inner:
            below, nodes = inner[i]
            wires.append((below, tuple(position.setdefault(x, len(position)) for x in nodes)))
        else:
            wires.append(position.setdefault(operand, len(position)))
    return wired(formula, tuple(wires)), tuple(position)


@lru_cache(maxsize=65536)
def wired(formula: sympy.Expr, wires: tuple[Wire, ...]) -> sympy.Expr:
    """`formula` with each slot led to a slot, or to a formula whose slots are led to slots."""
    by: dict[int, sympy.Expr] = {}
    for i, wire in enumerate(wires):
        if isinstance(wire, int):
            by[i] = slot(wire)
        else:
            below, targets = wire
            by[i] = renumbered(below, tuple(enumerate(targets)))
    whole = replace_slots(formula, by)
    # Sums and products of what is in the vocabulary are in it: only functions may turn foreign.
    return whole if heads(formula) <= {"add", "multiply"} else in_vocabulary(whole)

