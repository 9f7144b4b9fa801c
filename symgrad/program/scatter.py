"""Scatters in place: what is added at indices is added into the term that it stands beside.

(p - onehot(y)) / n   ->   p[rows, y] -= 1; p /= n
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symgrad.expr.dimension import same_shape
from symgrad.expr.formula import slot
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, INT, Node
from symgrad.expr.reindex import Embed, ScatterAdd, ScatterAlong
from symgrad.program.builder import Builder
from symgrad.program.index import python_slices
from symgrad.program.instruction import Literal, Operand, Value


class Scatter:
    """Lowers scatters into the instructions of `builder`."""

    def __init__(self, builder: Builder, order: Sequence[Node], counts: Mapping[Node, int]) -> None:
        self.builder = builder
        self._rows: dict[sympy.Expr, Value] = {}
        self._lazy = {
            node
            for node in order
            if isinstance(node, ScatterAdd | ScatterAlong | Embed) and counts[node] == 1
        }
        self._consumer = {operand: node for node in order for operand in node.operands}

    def is_folded_into_sum(self, node: Node) -> bool:
        """Whether `node` is a scatter that is added into another term in place."""
        consumer = self._consumer.get(node)
        if node not in self._lazy or not isinstance(consumer, Map):
            return False
        if not same_shape(node.shape, consumer.shape) or node.dtype != FLOAT:
            return False
        split = _split_terms(consumer)
        if split is None or consumer.operands.count(node) != 1:
            return False
        scatters, rest = split
        position = consumer.operands.index(node)
        return position in scatters and any(
            same_shape(consumer.operands[i].shape, node.shape)
            and consumer.operands[i] not in self._lazy
            for i in rest
        )

    def sum_with_scatters(self, node: Map, lazy: list[int]) -> Operand:
        """`(rest + c * scatter(...)) * scale`: the rest is computed, then added to in place."""
        inner, scale = _inner_sum(node.formula)
        operands = [self.builder.values.get(o, Literal(sympy.S.Zero)) for o in node.operands]
        terms = sympy.Add.make_args(inner)
        coefficients: dict[int, sympy.Expr] = {}
        rest = []
        for term in terms:
            position = next((i for i in lazy if term.has(slot(i))), None)
            if position is None:
                rest.append(term)
            else:
                coefficients[position] = term.coeff(slot(position))
        total = self.builder.elementwise.formula(sympy.Add(*rest), operands, node)
        assert isinstance(total, Value)
        if not same_shape(total.shape, node.shape) or any(total is o for o in operands):
            total = self.builder.emit("copy", (total,), node.shape, FLOAT, node)
        for position in lazy:
            total = self.add(node.operands[position], total, coefficients[position], node)
        if scale == 1:
            return total
        return self.builder.elementwise.apply("multiply", (total, Literal(scale)), node)

    def positions(self, indices: Value, node: Node) -> tuple[Value, Value]:
        """Row numbers and one column index per row: what NumPy's `a[rows, columns]` takes."""
        size = indices.shape[0]
        if size not in self._rows:
            self._rows[size] = self.builder.emit(
                "arange", (), (size,), INT, node, size=size, hint="rows"
            )
        return self._rows[size], self.builder.indexed(indices, (":", 0), (size,), node)

    def add(self, scatter: Node, target: Value, coefficient: sympy.Expr, node: Node) -> Value:
        """Adds `coefficient * scatter` to `target`, in place."""
        source = self.builder.values[scatter.operands[0]]
        negative = bool(coefficient.is_negative)
        size = -coefficient if negative else coefficient
        if size != 1:
            source = self.builder.elementwise.apply("multiply", (source, Literal(size)), node)
        options: dict[str, object] = {"sign": "-" if negative else "+"}
        if isinstance(scatter, Embed):
            shape = scatter.operands[0].shape
            box = tuple(
                (start, n, step) for (start, _, step), n in zip(scatter.box, shape, strict=True)
            )
            options["box"] = python_slices(box, scatter.shape)
            return self.builder.emit(
                "add_box", (target, source), node.shape, target.dtype, node, **options
            )
        assert isinstance(scatter, ScatterAdd | ScatterAlong)
        indices = self.builder.whole(scatter.indices)
        self.builder.guard(
            indices, scatter.size_on_axis, node, negative=isinstance(scatter, ScatterAdd)
        )
        options["axis"] = scatter.axis
        op = "add_at" if isinstance(scatter, ScatterAdd) else "add_along"
        if isinstance(source, Value):
            source = self.builder.whole(scatter.operands[0]) if size == 1 else source
        if op == "add_along" and scatter.ndim == 2 and scatter.axis == 1 and indices.shape[1] == 1:
            if isinstance(source, Value):
                source = self.builder.reshaped(source, source.shape[:1], node)
            operands = (target, source, *self.positions(indices, node))
            return self.builder.emit(
                "add_pick", operands, node.shape, target.dtype, node, **options
            )
        return self.builder.emit(
            op, (target, source, indices), node.shape, target.dtype, node, **options
        )


def _inner_sum(formula: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """`formula` as `inner * scale` with a sum inside and a scale free of operands."""
    numbers: list[sympy.Expr] = []
    factors: list[sympy.Expr] = []
    for factor in sympy.Mul.make_args(formula):
        has_slots = any(s.name.startswith("_") for s in factor.free_symbols)
        (factors if has_slots else numbers).append(factor)
    if len(factors) == 1 and isinstance(factors[0], sympy.Add):
        return factors[0], sympy.Mul(*numbers)
    return formula, sympy.S.One


def _split_terms(node: Map) -> tuple[set[int], set[int]] | None:
    """Operand positions that stand alone as `c * _i` in a sum, and those of all other terms."""
    inner, _ = _inner_sum(node.formula)
    if not isinstance(inner, sympy.Add):
        return None
    alone: set[int] = set()
    rest: set[int] = set()
    for term in inner.args:
        slots = [s for s in term.free_symbols if s.name.startswith("_")]
        positions = {int(s.name[1:]) for s in slots}
        linear = len(slots) == 1 and not term.coeff(slots[0]).free_symbols & set(slots)
        if linear and term.coeff(slots[0]) != 0:
            alone |= positions
        else:
            rest |= positions
    return alone - rest, rest | alone
