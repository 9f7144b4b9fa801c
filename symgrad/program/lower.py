"""From tensor expressions to instructions: one small method per family of nodes.

A broadcast is never carried out: a value may lie in memory with size 1, or without leading axes,
where its node is larger, and NumPy stretches it where it is used. Only what must exist in full
(an output, an operand of a product's free axis) is written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.dimension import Shape, broadcast, same_shape
from symgrad.expr.leaf import Arange, Constant, Identity, Input, Named, Table
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, INT, Node
from symgrad.expr.reduction import ArgMax, ArgMin, CumSum, LogSumExp, Max, Min, Prod, ProdOthers
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
from symgrad.expr.walk import postorder, uses
from symgrad.program.elementwise import Elementwise
from symgrad.program.instruction import Instruction, Literal, Operand, Program, Value
from symgrad.program.product import Product

Box = tuple[tuple[sympy.Expr, sympy.Expr, int], ...]


def lower(outputs: Mapping[str, Node]) -> Program:
    """The program that computes `outputs`, in an order that frees memory early."""
    return Lowering(outputs).program


class Lowering:
    """The state of one lowering: what each node became."""

    def __init__(self, outputs: Mapping[str, Node]) -> None:
        self.arguments: dict[Node, Value] = {}
        self.instructions: list[Instruction] = []
        self.values: dict[Node, Operand] = {}
        self._guarded: set[tuple[int, sympy.Expr]] = set()
        self._views: dict[tuple[object, ...], Value] = {}
        self._rows: dict[sympy.Expr, Value] = {}
        self._index_views: set[Value] = set()
        self._permutations: dict[Value, tuple[int, ...]] = {}
        self.elementwise = Elementwise(self.instructions.append)
        self.product = Product(self)
        counts = uses(outputs.values())
        order = postorder(outputs.values())
        self._lazy = {
            node for node in order if isinstance(node, ScatterAdd | ScatterAlong | Embed)
            and counts[node] == 1
        }
        self._consumer: dict[Node, Node] = {}
        for node in order:
            for operand in node.operands:
                self._consumer[operand] = node
        for node in order:
            if self._is_folded_into_sum(node):
                continue
            operand = _LOWER[type(node)](self, node)
            self.values[node] = operand
            if isinstance(operand, Value) and operand.node is None and not isinstance(node, Named):
                if same_shape(operand.shape, node.shape):
                    operand.node = node
        results = {name: self.whole(node) for name, node in outputs.items()}
        self.program = Program(self.arguments, self.instructions, results)

    # -- building blocks ---------------------------------------------------------------------

    def emit(
        self, op: str, operands: tuple[Operand, ...], shape: Shape, dtype: str, node: Node, **options: object
    ) -> Value:
        """Appends an instruction; returns its result."""
        result = Value(shape, dtype)
        self.instructions.append(Instruction(op, operands, result, node, options))
        return result

    def view(self, op: str, source: Value, shape: Shape, node: Node, **options: object) -> Value:
        """A view of `source`; the known one if it was made before."""
        key = (op, id(source), shape, *sorted((k, str(v)) for k, v in options.items()))
        if key not in self._views:
            result = Value(shape, source.dtype, base=source)
            self.instructions.append(Instruction(op, (source,), result, node, options))
            self._views[key] = result
        return self._views[key]

    def permuted(self, value: Value, axes: tuple[int, ...], node: Node) -> Value:
        if value in self._permutations and value.base is not None:
            axes = tuple(self._permutations[value][a] for a in axes)
            value = value.base
        if axes == tuple(range(len(axes))):
            return value
        shape = tuple(value.shape[a] for a in axes)
        result = self.view("transpose", value, shape, node, axes=axes)
        self._permutations[result] = axes
        return result

    def reshaped(self, value: Value, shape: Shape, node: Node) -> Value:
        if same_shape(value.shape, shape):
            return value
        kept = [size for size in value.shape if size != 1]
        if same_shape(tuple(kept), tuple(size for size in shape if size != 1)):
            return self.indexed(value, _stretch(value.shape, shape), shape, node)
        return self.view("reshape", value, shape, node)

    def indexed(self, value: Value, key: tuple[object, ...], shape: Shape, node: Node) -> Value:
        """`value[key]` for a key of ':', None and 0; undoing an earlier one gives its base back."""
        while key and key[-1] == ":":
            key = key[:-1]
        if value.base is not None and value in self._index_views and same_shape(value.base.shape, shape):
            return value.base
        if not key:
            return value
        result = self.view("index", value, shape, node, key=key)
        self._index_views.add(result)
        return result

    def explicit(self, node: Node) -> Value:
        """The value of `node` with every axis present, though perhaps of size 1."""
        operand = self.values[node]
        if isinstance(operand, Literal):
            return self.filled(operand, node)
        missing = node.ndim - len(operand.shape)
        if not missing:
            return operand
        shape = (sympy.S.One,) * missing + operand.shape
        return self.indexed(operand, (None,) * missing + (":",) * len(operand.shape), shape, node)

    def whole(self, node: Node) -> Value:
        """The value of `node` in full."""
        value = self.explicit(node)
        if same_shape(value.shape, node.shape):
            return value
        return self.view("broadcast", value, node.shape, node)

    def filled(self, literal: Literal, node: Node) -> Value:
        value = self.emit("full", (literal,), node.shape, node.dtype, node)
        self.values[node] = value
        value.node = node
        return value

    def guard(self, indices: Value, size: sympy.Expr, node: Node, negative: bool = False) -> None:
        """Checks once that `indices` lie in [0, size), or in [-size, size) if `negative`."""
        while indices in self._index_views and indices.base is not None:
            indices = indices.base
        if (id(indices), size) not in self._guarded:
            self._guarded.add((id(indices), size))
            low = -size if negative else sympy.S.Zero
            self.emit("guard", (indices,), (), INT, node, low=low, size=size)

    # -- leaves ------------------------------------------------------------------------------

    def _named(self, node: Node) -> Operand:
        assert isinstance(node, Named)
        value = Value(node.shape, node.dtype, node=node, argument=node.name)
        self.arguments[node] = value
        return value

    def _constant(self, node: Node) -> Operand:
        assert isinstance(node, Constant)
        return Literal(node.value, dtype=node.dtype)

    def _table(self, node: Node) -> Operand:
        assert isinstance(node, Table)
        return self.emit("table", (), node.shape, node.dtype, node, values=node.values)

    def _arange(self, node: Node) -> Operand:
        return self.emit("arange", (), node.shape, INT, node, size=node.shape[0])

    def _identity(self, node: Node) -> Operand:
        return self.emit("identity", (), node.shape, FLOAT, node, size=node.shape[0])

    # -- elementwise -------------------------------------------------------------------------

    def _map(self, node: Node) -> Operand:
        assert isinstance(node, Map)
        lazy = [i for i, operand in enumerate(node.operands) if operand not in self.values]
        if lazy:
            return self._sum_with_scatters(node, lazy)
        return self.elementwise.formula(node.formula, [self.values[o] for o in node.operands], node)

    def _is_folded_into_sum(self, node: Node) -> bool:
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

    def _sum_with_scatters(self, node: Map, lazy: list[int]) -> Operand:
        """`(rest + c * scatter(...)) * scale`: the rest is computed, then added to in place."""
        inner, scale = _inner_sum(node.formula)
        operands = [self.values.get(o, Literal(sympy.S.Zero)) for o in node.operands]
        terms = sympy.Add.make_args(inner)
        coefficients: dict[int, sympy.Expr] = {}
        rest = []
        for term in terms:
            position = next((i for i in lazy if term.has(_slot_symbol(i))), None)
            if position is None:
                rest.append(term)
            else:
                coefficients[position] = term.coeff(_slot_symbol(position))
        total = self.elementwise.formula(sympy.Add(*rest), operands, node)
        assert isinstance(total, Value)
        if not same_shape(total.shape, node.shape) or any(total is o for o in operands):
            total = self.emit("copy", (total,), node.shape, FLOAT, node)
        for position in lazy:
            total = self._scatter(node.operands[position], total, coefficients[position], node)
        if scale == 1:
            return total
        return self.elementwise.apply("multiply", (total, Literal(scale)), node)

    # -- contraction -------------------------------------------------------------------------

    def _contraction(self, node: Node) -> Operand:
        assert isinstance(node, Contraction)
        return self.product.lower(node)

    # -- reductions --------------------------------------------------------------------------

    def reduce(self, name: str, value: Value, axes: tuple[int, ...], node: Node) -> Value:
        shape = tuple(size for i, size in enumerate(value.shape) if i not in axes)
        dtype = value.dtype if value.dtype == FLOAT else INT
        return self.emit("reduce", (value,), shape, dtype, node, name=name, axes=axes)

    def _extremum(self, node: Node) -> Operand:
        assert isinstance(node, Max | Min)
        name = "maximum" if isinstance(node, Max) else "minimum"
        return self.reduce(name, self.whole(node.operands[0]), (node.axis,), node)

    def _prod(self, node: Node) -> Operand:
        assert isinstance(node, Prod)
        return self.reduce("multiply", self.whole(node.operands[0]), (node.axis,), node)

    def _arg(self, node: Node) -> Operand:
        assert isinstance(node, ArgMax | ArgMin)
        name = "argmax" if isinstance(node, ArgMax) else "argmin"
        return self.emit(name, (self.whole(node.operands[0]),), node.shape, INT, node, axis=node.axis)

    def _cumsum(self, node: Node) -> Operand:
        assert isinstance(node, CumSum)
        source = self.whole(node.operands[0])
        return self.emit("cumsum", (source,), node.shape, node.dtype, node, axis=node.axis)

    def _prod_others(self, node: Node) -> Operand:
        assert isinstance(node, ProdOthers)
        source = self.whole(node.operands[0])
        return self.emit("call", (source,), node.shape, FLOAT, node, name="prod_others", axis=node.axis)

    def _logsumexp(self, node: Node) -> Operand:
        """max + log(sum(exp(x - max))), with a finite shift where the maximum is infinite."""
        assert isinstance(node, LogSumExp)
        source = self.whole(node.operands[0])
        return self.emit("call", (source,), node.shape, FLOAT, node, name="logsumexp", axis=node.axis)

    # -- re-indexing -------------------------------------------------------------------------

    def _reshape(self, node: Node) -> Operand:
        (source,) = node.operands
        operand = self.values[source]
        if isinstance(operand, Literal):
            return operand
        kept = tuple(size for size in source.shape if size != 1)
        if same_shape(kept, tuple(size for size in node.shape if size != 1)):
            key = _stretch(source.shape, node.shape)
            value = self.explicit(source)
            shape = tuple(_new_sizes(value.shape, key))
            return self.indexed(value, key, shape, node)
        return self.view("reshape", self.whole(source), node.shape, node)

    def _slice(self, node: Node) -> Operand:
        assert isinstance(node, Slice)
        (source,) = node.operands
        if isinstance(self.values[source], Literal):
            return self.values[source]
        value = self.explicit(source)
        box = tuple(
            entry if size == actual else (sympy.S.Zero, sympy.S.One, 1)
            for entry, size, actual in zip(node.box, source.shape, value.shape, strict=True)
        )
        shape = tuple(length for _, length, _ in box)
        return self.view("slice", value, shape, node, box=_python_slices(box, value.shape))

    def _concat(self, node: Node) -> Operand:
        assert isinstance(node, Concat)
        parts = tuple(self.whole(operand) for operand in node.operands)
        if node.dtype == FLOAT:
            parts = tuple(p if p.dtype == FLOAT else self.elementwise.as_float(p, node) for p in parts)
        return self.emit("concat", parts, node.shape, node.dtype, node, axis=node.axis)

    def _take(self, node: Node) -> Operand:
        assert isinstance(node, Take)
        source, indices = self.whole(node.source), self.whole(node.indices)
        self.guard(indices, node.source.shape[node.axis], node, negative=True)
        return self.emit("take", (source, indices), node.shape, node.dtype, node, axis=node.axis)

    def _take_along(self, node: Node) -> Operand:
        assert isinstance(node, TakeAlong)
        source, indices = self.whole(node.source), self.whole(node.indices)
        self.guard(indices, node.source.shape[node.axis], node)
        if node.ndim == 2 and node.axis == 1 and node.shape[1] == 1:
            picked = self.emit("pick", (source, *self._positions(indices, node)), node.shape[:1], node.dtype, node)
            return self.indexed(picked, (":", None), node.shape, node)
        return self.emit("take_along", (source, indices), node.shape, node.dtype, node, axis=node.axis)

    def _positions(self, indices: Value, node: Node) -> tuple[Value, Value]:
        """Row numbers and one column index per row: what NumPy's `a[rows, columns]` takes."""
        size = indices.shape[0]
        if size not in self._rows:
            self._rows[size] = self.emit("arange", (), (size,), INT, node, size=size, hint="rows")
        return self._rows[size], self.indexed(indices, (":", 0), (size,), node)

    def _scatter_alone(self, node: Node) -> Operand:
        zeros = self.emit("full", (Literal(sympy.S.Zero),), node.shape, node.dtype, node)
        return self._scatter(node, zeros, sympy.S.One, node)

    def _scatter(self, scatter: Node, target: Value, coefficient: sympy.Expr, node: Node) -> Value:
        """Adds `coefficient * scatter` to `target`, in place."""
        source = self.values[scatter.operands[0]]
        negative = bool(coefficient.is_negative)
        size = -coefficient if negative else coefficient
        if size != 1:
            source = self.elementwise.apply("multiply", (source, Literal(size)), node)
        options: dict[str, object] = {"sign": "-" if negative else "+"}
        if isinstance(scatter, Embed):
            shape = scatter.operands[0].shape
            box = tuple((start, n, step) for (start, _, step), n in zip(scatter.box, shape, strict=True))
            options["box"] = _python_slices(box, scatter.shape)
            return self.emit("add_box", (target, source), node.shape, target.dtype, node, **options)
        assert isinstance(scatter, ScatterAdd | ScatterAlong)
        indices = self.whole(scatter.indices)
        self.guard(indices, scatter.size_on_axis, node, negative=isinstance(scatter, ScatterAdd))
        options["axis"] = scatter.axis
        op = "add_at" if isinstance(scatter, ScatterAdd) else "add_along"
        if isinstance(source, Value):
            source = self.whole(scatter.operands[0]) if size == 1 else source
        if op == "add_along" and scatter.ndim == 2 and scatter.axis == 1 and indices.shape[1] == 1:
            if isinstance(source, Value):
                source = self.reshaped(source, source.shape[:1], node)
            operands = (target, source, *self._positions(indices, node))
            return self.emit("add_pick", operands, node.shape, target.dtype, node, **options)
        return self.emit(op, (target, source, indices), node.shape, target.dtype, node, **options)


def _slot_symbol(position: int) -> sympy.Symbol:
    from symgrad.expr.formula import slot

    return slot(position)


def _inner_sum(formula: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """`formula` as `inner * scale` with a sum inside and a scale free of operands."""
    numbers, factors = [], []
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


def _stretch(old: Shape, new: Shape) -> tuple[object, ...]:
    """The index that turns shape `old` into `new`, which differ by axes of size 1."""
    key: list[object] = []
    i = 0
    for size in new:
        while i < len(old) and old[i] == 1 and size != 1:
            key.append(0)
            i += 1
        if size == 1 and (i >= len(old) or old[i] != 1):
            key.append(None)
        else:
            key.append(":")
            i += 1
    key.extend(0 for _ in old[i:])
    return tuple(key)


def _new_sizes(actual: Shape, key: tuple[object, ...]) -> list[sympy.Expr]:
    """The sizes of `value[key]` for a value of shape `actual`."""
    sizes: list[sympy.Expr] = []
    i = 0
    for entry in key:
        if entry is None:
            sizes.append(sympy.S.One)
        else:
            if entry == ":":
                sizes.append(actual[i])
            i += 1
    return sizes + list(actual[i:])


def _python_slices(box: Box, shape: Shape) -> tuple[object, ...]:
    """Per axis `(start, stop, step)` as Python's slices take them, or ':' for all of it."""
    slices: list[object] = []
    for (start, length, step), size in zip(box, shape, strict=True):
        if start == 0 and step == 1 and length == size:
            slices.append(":")
            continue
        stop: sympy.Expr | None = start + length * step
        if step < 0:
            last = sympy.expand(start + (length - 1) * step)
            stop = None if last == 0 or (last - abs(step)).is_negative else last - 1
            if last.free_symbols and not last.is_positive:
                stop = None if last == 0 else last - 1
        if step > 1:
            stop = sympy.expand(start + (length - 1) * step + 1)
        slices.append((start, stop, step))
    return tuple(slices)


_LOWER: dict[type[Node], Callable[[Lowering, Node], Operand]] = {
    Map: Lowering._map,
    Contraction: Lowering._contraction,
    Constant: Lowering._constant,
    Table: Lowering._table,
    Arange: Lowering._arange,
    Identity: Lowering._identity,
    Max: Lowering._extremum,
    Min: Lowering._extremum,
    ArgMax: Lowering._arg,
    ArgMin: Lowering._arg,
    Prod: Lowering._prod,
    ProdOthers: Lowering._prod_others,
    LogSumExp: Lowering._logsumexp,
    CumSum: Lowering._cumsum,
    Reshape: Lowering._reshape,
    Slice: Lowering._slice,
    Concat: Lowering._concat,
    Take: Lowering._take,
    TakeAlong: Lowering._take_along,
    ScatterAdd: Lowering._scatter_alone,
    ScatterAlong: Lowering._scatter_alone,
    Embed: Lowering._scatter_alone,
    **{kind: Lowering._named for kind in (Input, *Named.__subclasses__())},
}
