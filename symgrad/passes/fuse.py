"""Fusing: a map that only one other map reads becomes a part of that map's formula.

    d = Map(-_0/n, hits); Map(_0 + exp(_1 - _2)/n, d, z, lse)
        ->   Map((exp(_1 - _2) - _0)/n, hits, z, lse)

Then SymPy sees the whole formula: terms cancel, common factors are multiplied once, and what became
unstable by being put together is stabilised again. Tensors that several readers share stay; only
a mere multiple `c*x` is never worth keeping.
"""

from __future__ import annotations

from functools import lru_cache

import sympy

from symgrad.expr.dimension import Shape
from symgrad.expr.formula import operation_count
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import fold, slot_index
from symgrad.expr.walk import postorder, rewrite, uses
from symgrad.passes.fold import folded
from symgrad.passes.form import Form, repeated
from symgrad.passes.inversion import COSTS, FUNCTION
from symgrad.passes.maps import composed, map_of, pure_scale
from symgrad.passes.paths import sample_size
from symgrad.passes.tidy import finished

Inner = dict[int, tuple[sympy.Expr, tuple[Node, ...]]]

MOST_OPERATIONS = 30  # of a fused formula: a page of arithmetic is no longer read at a glance


def fuse(form: Form) -> Form:
    """The same outputs in fewer maps, each with its formula finished."""
    return repeated(form, _fused_once)


def _fused_once(form: Form) -> Form:
    fusion = _Fusion(form)
    return form.rewritten(rewrite(form.outputs.values(), fusion.rule))


class _Fusion:
    """One walk over a graph. A formula is finished when no reader has taken it in."""

    def __init__(self, form: Form) -> None:
        nodes = postorder(form.outputs.values())
        self._counts = uses(form.outputs.values())
        self._used: dict[Node, int] = {}
        self._unfinished: set[Node] = set()
        self._names = form.names
        self._named: set[Node] = set()
        self._read_by_map = {x for node in nodes if isinstance(node, Map) for x in node.operands}

    def rule(self, rebuilt: Node, original: Node) -> Node:
        """What becomes of a node whose operands have been fused."""
        node = folded(rebuilt)
        if isinstance(node, Map):
            node = self._fused(node)
            if original in self._names:
                self._named.add(node)
            if self._counts[original] == 1 and original in self._read_by_map:
                self._unfinished.add(node)
            else:
                node = _finished(node)
        self._used[node] = self._used.get(node, 0) + self._counts[original]
        return node

    def _fused(self, node: Map) -> Node:
        """`node` with those operands inlined that it alone reads, as far as that costs nothing.

        What the definition gave a name keeps its own equation.
        """
        inner: Inner = {}
        room = MOST_OPERATIONS - operation_count(node.formula)
        for position, operand in enumerate(node.operands):
            if not isinstance(operand, Map) or operand in self._named:
                continue
            if self._used.get(operand, 1) > 1 and pure_scale(operand) is None:
                continue
            needed = operation_count(operand.formula)
            if needed <= room:
                room -= needed
                inner[position] = operand.formula, operand.operands
        if inner and _is_broadcast(node):
            inner = _without_more_work(node, inner)
        if inner:
            whole = composed(node.formula, node.operands, inner)
            return folded(map_of(*whole, node.shape, node.dtype))
        return self._with_finished_operands(node)

    def _with_finished_operands(self, node: Map) -> Node:
        if not any(x in self._unfinished for x in node.operands):
            return node
        operands = (_finished(x) if x in self._unfinished else x for x in node.operands)
        return folded(node.with_operands(tuple(operands)))


def _finished(node: Node) -> Node:
    if not isinstance(node, Map):
        return node
    formula = finished(node.formula)
    if formula == node.formula:
        return node
    return folded(map_of(formula, node.operands, node.shape, node.dtype))


def _without_more_work(node: Map, inner: Inner) -> Inner:
    """All of `inner`, or those of it, that make the map cost no more than its parts."""
    if _is_no_more_work(node, inner):
        return inner
    kept: Inner = {}
    for position, part in inner.items():
        if _is_no_more_work(node, kept | {position: part}):
            kept[position] = part
    return kept


def _is_no_more_work(node: Map, inner: Inner) -> bool:
    """Whether the composed map costs no more than its parts: what is computed where matters."""
    apart = _work(node.formula, node.operands, node.shape)
    for position, (formula, operands) in inner.items():
        apart += _work(formula, operands, node.operands[position].shape)
    formula, operands = composed(node.formula, node.operands, inner)
    return _work(finished(formula), operands, node.shape) <= apart


def _is_broadcast(node: Map) -> bool:
    """Whether operands, or theirs, differ in shape: then it matters what is computed where."""
    shape = node.shape
    return any(x.shape != shape for x in node.operands) or any(
        y.shape != shape for x in node.operands if isinstance(x, Map) for y in x.operands
    )


def _work(formula: sympy.Expr, operands: tuple[Node, ...], shape: Shape) -> float:
    """What computing a map takes, each part on the entries along which it varies."""
    rank = len(shape)
    sizes = tuple(sample_size(size) for size in shape)
    axes = tuple(
        frozenset(rank - x.ndim + axis for axis, size in enumerate(x.shape) if size != 1)
        for x in operands
    )
    return _work_over(formula, axes, sizes)


@lru_cache(maxsize=65536)
def _work_over(
    formula: sympy.Expr, axes: tuple[frozenset[int], ...], sizes: tuple[int, ...]
) -> float:
    total = 0.0

    def visit(node: sympy.Basic, below: tuple[frozenset[int], ...]) -> frozenset[int]:
        nonlocal total
        position = slot_index(node)
        if position is not None:
            return axes[position]
        varying = frozenset[int]().union(*below)
        if node.args and not node.is_number:
            entries = 1
            for axis in varying:
                entries *= sizes[axis]
            steps = max(len(node.args) - 1, 1) if node.is_Add or node.is_Mul else 0
            total += entries * (steps or COSTS.get(node.func, FUNCTION))
        return varying

    fold(formula, visit)
    return total
