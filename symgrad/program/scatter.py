"""Scatters in place: what is added at indices is added into the term that it stands beside.

(p - onehot(y)) / n   ->   p[rows, y] -= 1; p /= n
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symgrad.expr.dimension import same_shape
from symgrad.expr.formula import slot, slots_of
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
        self._lazy = {
            node
            for node in order
            if isinstance(node, ScatterAdd | ScatterAlong | Embed) and counts[node] == 1
        }
        self._folded = {x for node in order if isinstance(node, Map) for x in self._added_to(node)}

    def is_folded_into_sum(self, node: Node) -> bool:
        """Whether `node` is a scatter that is added into another term in place."""
        return node in self._folded

    def _added_to(self, consumer: Map) -> list[Node]:
        """The operands of `consumer` that are added into another of its terms in place.

        Where all terms are scatters, the first has zeros of its own to be added to.
        """
        alike = [x for x in consumer.operands if same_shape(x.shape, consumer.shape)]
        lazy = [x for x in alike if x in self._lazy and x.dtype == FLOAT]
        if not lazy:
            return []
        position = {x: i for i, x in enumerate(consumer.operands)}
        alone = _lone_terms(consumer)
        added = [x for x in lazy if position[x] in alone]
        return added if any(x not in self._lazy for x in alike) else added[1:]

    def sum_with_scatters(self, node: Map, lazy: list[int]) -> Operand:
        """`(rest + c * scatter(...)) * scale`: the rest is computed, then added to in place."""
        inner, scale = _inner_sum(node.formula)
        operands = [self.builder.values.get(o, Literal(sympy.S.Zero)) for o in node.operands]
        terms = sympy.Add.make_args(inner)
        coefficients: dict[int, sympy.Expr] = {}
        rest = []
        waiting = set(lazy)
        for term in terms:
            position = next((i for i in slots_of(term) if i in waiting), None)
            if position is None:
                rest.append(term)
            else:
                coefficients[position] = term.coeff(slot(position))
        total = self.builder.elementwise.formula(sympy.Add(*rest), operands, node)
        assert isinstance(total, Value)
        is_stretched = not same_shape(total.shape, node.shape)
        if is_stretched:
            total = self.builder.view("broadcast", total, node.shape, node)
        own = [self.builder.values.get(x) for x in node.operands if x in self._lazy]
        if is_stretched or (total in operands and total not in own):
            total = self.builder.emit("copy", (total,), node.shape, FLOAT, node)
        for position in lazy:
            total = self.add(node.operands[position], total, coefficients[position], node)
        if scale == 1:
            return total
        return self.builder.elementwise.apply("multiply", (total, Literal(scale)), node)

    def positions(self, indices: Value, node: Node) -> tuple[Value, Value]:
        """Row numbers and one column index per row: what NumPy's `a[rows, columns]` takes."""
        size = indices.shape[0]
        key = "rows", size
        if key not in self.builder.shared:
            self.builder.shared[key] = self.builder.emit(
                "arange", (), (size,), INT, node, size=size, hint="rows"
            )
        return self.builder.shared[key], self.builder.indexed(indices, (":", 0), (size,), node)

    def alone(self, node: Node) -> Value:
        """A scatter that is no term of a sum: zeros, added to; what fills a box is written."""
        zeros = self.builder.zeros(node)
        if isinstance(node, Embed):
            return self._box(node, zeros, self.builder.values[node.operands[0]], "", node)
        return self.add(node, zeros, sympy.S.One, node)

    def _box(self, embed: Embed, target: Value, source: Operand, sign: str, node: Node) -> Value:
        """Adds, subtracts or, where `sign` is empty, writes `source` to the entries of a box."""
        shape = embed.operands[0].shape
        box = tuple((start, n, step) for (start, _, step), n in zip(embed.box, shape, strict=True))
        slices, turned = python_slices(box, embed.shape)
        if isinstance(source, Value):
            extra = embed.ndim - len(source.shape)
            turned = [axis - extra for axis in turned if axis >= extra]
            source = self.builder.reversed(source, turned, node)
        return self.builder.emit(
            "add_box", (target, source), node.shape, target.dtype, node, sign=sign, box=slices
        )

    def add(self, scatter: Node, target: Value, coefficient: sympy.Expr, node: Node) -> Value:
        """Adds `coefficient * scatter` to `target`, in place."""
        source = self.builder.values[scatter.operands[0]]
        negative = bool(coefficient.is_negative)
        size = -coefficient if negative else coefficient
        if size != 1:
            source = self.builder.elementwise.apply("multiply", (source, Literal(size)), node)
        sign = "-" if negative else "+"
        if isinstance(scatter, Embed):
            return self._box(scatter, target, source, sign, node)
        options: dict[str, object] = {"sign": sign}
        assert isinstance(scatter, ScatterAdd | ScatterAlong)
        indices = self.builder.whole(scatter.indices)
        self.builder.guard(
            indices, scatter.size_on_axis, node, negative=isinstance(scatter, ScatterAdd)
        )
        options["axis"] = scatter.axis
        op = "add_at" if isinstance(scatter, ScatterAdd) else "add_along"
        if isinstance(source, Value):
            source = self.builder.whole(scatter.operands[0]) if size == 1 else source
            options["rows"] = op == "add_at" and _is_of_rows(scatter, source)
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


def _is_of_rows(scatter: Node, source: Value) -> bool:
    """Whether whole rows are added, each of several entries, along the first axis."""
    assert isinstance(scatter, ScatterAdd)
    several = scatter.ndim > 1 and any(size != 1 for size in scatter.shape[1:])
    return scatter.axis == 0 and several and same_shape(source.shape, scatter.source.shape)


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


def _lone_terms(node: Map) -> set[int]:
    """Operand positions that occur only as a term `c * _i` of the sum that the map computes."""
    inner, _ = _inner_sum(node.formula)
    if not isinstance(inner, sympy.Add):
        return set()
    alone: set[int] = set()
    elsewhere: set[int] = set()
    for term in inner.args:
        positions = slots_of(term)
        symbols = [slot(i) for i in positions]
        coefficient = term.coeff(symbols[0]) if len(symbols) == 1 else sympy.S.Zero
        is_linear = coefficient != 0 and symbols[0] not in coefficient.free_symbols
        (alone if is_linear else elsewhere).update(positions)
    return alone - elsewhere
