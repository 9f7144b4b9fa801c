"""From tensor expressions to instructions: one small method per family of nodes.

A broadcast is never carried out: a value may lie in memory with size 1, or without leading axes,
where its node is larger, and NumPy stretches it where it is used. Only what must exist in full
(an output, an operand of a product's free axis) is written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.detached import Detached
from symgrad.expr.dimension import same_shape
from symgrad.expr.leaf import (
    Arange,
    Constant,
    Cotangent,
    Identity,
    Input,
    Named,
    Parameter,
    Random,
    State,
    Table,
    Tangent,
)
from symgrad.expr.linear_algebra import LinearAlgebra
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
from symgrad.expr.scan import Final, Scan, Stacked
from symgrad.expr.walk import postorder, uses
from symgrad.expr.window import Overlap, Windows
from symgrad.program.builder import Builder
from symgrad.program.index import new_sizes, python_slices, stretch
from symgrad.program.instruction import Literal, Operand, Program, Value
from symgrad.program.matrices import PARTS, WHOLE, Matrices
from symgrad.program.product import Product
from symgrad.program.repetition import Repetition
from symgrad.program.scatter import Scatter
from symgrad.program.windowing import Windowing


def lower(outputs: Mapping[str, Node]) -> Program:
    """The program that computes `outputs`, in an order that frees memory early."""
    lowering = Lowering(outputs.values())
    lowering.run()
    results = {name: lowering.whole(node) for name, node in outputs.items()}
    return Program(lowering.arguments, lowering.instructions, results)


class Lowering(Builder):
    """The state of one lowering: of a function, or of the step of a loop in it."""

    def __init__(self, roots: Iterable[Node], outer: Lowering | None = None) -> None:
        super().__init__(outer)
        roots = list(roots)
        self.order = order = postorder(roots)
        self.arguments: dict[Node, Value] = {}
        self.product = Product(self)
        counts = uses(roots)
        self.scatter = Scatter(self, order, counts)
        self.windowing = Windowing(self, order, counts)
        self.matrices = Matrices(self, order)
        self.repetition = Repetition(self, order)

    def run(self) -> None:
        """Lowers every node but those whose values are given."""
        given = set(self.values)
        for node in self.order:
            if node in given:
                continue
            if self.scatter.is_folded_into_sum(node) or self.windowing.is_inside_overlap(node):
                continue
            operand = _LOWER[type(node)](self, node)
            self.values[node] = operand
            if isinstance(operand, Value) and operand.node is None and not isinstance(node, Named):
                if same_shape(operand.shape, node.shape):
                    operand.node = node

    def body(self, roots: Iterable[Node]) -> Lowering:
        """The lowering of a step of a loop in this program."""
        return Lowering(roots, self)

    # -- leaves ------------------------------------------------------------------------------

    def _named(self, node: Node) -> Operand:
        assert isinstance(node, Named)
        value = Value(node.shape, node.dtype, node=node, argument=node.name)
        self.arguments[node] = value
        self.own.add(value)
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

    def _detached(self, node: Node) -> Operand:
        """What was held fixed; a pass takes these out, unless one looks at the stages before it."""
        return self.values[node.operands[0]]

    # -- elementwise -------------------------------------------------------------------------

    def _map(self, node: Node) -> Operand:
        assert isinstance(node, Map)
        lazy = [i for i, operand in enumerate(node.operands) if operand not in self.values]
        if lazy:
            return self.scatter.sum_with_scatters(node, lazy)
        operands = [self.values[o] for o in node.operands]
        value = self.elementwise.formula(node.formula, operands, node)
        if node.dtype == INT and isinstance(value, Value) and value.dtype != INT:
            return self.elementwise.as_int(value, node)
        return value

    # -- contraction -------------------------------------------------------------------------

    def _contraction(self, node: Node) -> Operand:
        assert isinstance(node, Contraction)
        return self.windowing.total(node) or self.product.lower(node)

    # -- reductions --------------------------------------------------------------------------

    def _extremum(self, node: Node) -> Operand:
        assert isinstance(node, Max | Min)
        of_windows = self.windowing.extremum(node)
        if of_windows is not None:
            return of_windows
        name = "maximum" if isinstance(node, Max) else "minimum"
        return self.reduce(name, self.whole(node.operands[0]), (node.axis,), node)

    def _prod(self, node: Node) -> Operand:
        assert isinstance(node, Prod)
        return self.reduce("multiply", self.whole(node.operands[0]), (node.axis,), node)

    def _arg(self, node: Node) -> Operand:
        assert isinstance(node, ArgMax | ArgMin)
        name = "argmax" if isinstance(node, ArgMax) else "argmin"
        return self.emit(
            name, (self.whole(node.operands[0]),), node.shape, INT, node, axis=node.axis
        )

    def _cumsum(self, node: Node) -> Operand:
        assert isinstance(node, CumSum)
        source = self.whole(node.operands[0])
        return self.emit("cumsum", (source,), node.shape, node.dtype, node, axis=node.axis)

    def _prod_others(self, node: Node) -> Operand:
        assert isinstance(node, ProdOthers)
        source = self.whole(node.operands[0])
        return self.emit(
            "call", (source,), node.shape, FLOAT, node, name="prod_others", axis=node.axis
        )

    def _logsumexp(self, node: Node) -> Operand:
        """max + log(sum(exp(x - max))), with a finite shift where the maximum is infinite."""
        assert isinstance(node, LogSumExp)
        source = self.whole(node.operands[0])
        return self.emit(
            "call", (source,), node.shape, FLOAT, node, name="logsumexp", axis=node.axis
        )

    # -- linear algebra ----------------------------------------------------------------------

    def _linear_algebra(self, node: Node) -> Operand:
        assert isinstance(node, LinearAlgebra)
        return self.matrices.lower(node)

    # -- re-indexing -------------------------------------------------------------------------

    def _reshape(self, node: Node) -> Operand:
        (source,) = node.operands
        operand = self.values[source]
        if isinstance(operand, Literal):
            return operand
        kept = tuple(size for size in source.shape if size != 1)
        if same_shape(kept, tuple(size for size in node.shape if size != 1)):
            key = stretch(source.shape, node.shape)
            value = self.explicit(source)
            shape = tuple(new_sizes(value.shape, key))
            return self.indexed(value, key, shape, node)
        return self.view("reshape", self.whole(source), node.shape, node)

    def _windows(self, node: Node) -> Operand:
        assert isinstance(node, Windows)
        return self.windowing.windows(node)

    def _overlap(self, node: Node) -> Operand:
        assert isinstance(node, Overlap)
        return self.windowing.overlap(node)

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
        slices, turned = python_slices(box, value.shape)
        forwards = self.view("slice", value, shape, node, box=slices)
        return self.reversed(forwards, turned, node)

    def _concat(self, node: Node) -> Operand:
        assert isinstance(node, Concat)
        parts = tuple(self.whole(operand) for operand in node.operands)
        if node.dtype == FLOAT:
            parts = tuple(
                p if p.dtype == FLOAT else self.elementwise.as_float(p, node) for p in parts
            )
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
            picked = self.emit(
                "pick",
                (source, *self.scatter.positions(indices, node)),
                node.shape[:1],
                node.dtype,
                node,
            )
            return self.indexed(picked, (":", None), node.shape, node)
        return self.emit(
            "take_along", (source, indices), node.shape, node.dtype, node, axis=node.axis
        )

    def _scatter_alone(self, node: Node) -> Operand:
        return self.scatter.alone(node)

    # -- loops -------------------------------------------------------------------------------

    def _scan(self, node: Node) -> Operand:
        assert isinstance(node, Scan)
        return self.repetition.lower(node)

    def _of_scan(self, node: Node) -> Operand:
        return self.repetition.results[node]


_LOWER: dict[type[Node], Callable[[Lowering, Node], Operand]] = {
    Map: Lowering._map,
    Contraction: Lowering._contraction,
    Constant: Lowering._constant,
    Table: Lowering._table,
    Arange: Lowering._arange,
    Identity: Lowering._identity,
    Detached: Lowering._detached,
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
    Windows: Lowering._windows,
    Overlap: Lowering._overlap,
    Concat: Lowering._concat,
    Take: Lowering._take,
    TakeAlong: Lowering._take_along,
    ScatterAdd: Lowering._scatter_alone,
    ScatterAlong: Lowering._scatter_alone,
    Embed: Lowering._scatter_alone,
    Scan: Lowering._scan,
    Final: Lowering._of_scan,
    Stacked: Lowering._of_scan,
    **dict.fromkeys((*PARTS, *WHOLE), Lowering._linear_algebra),
    **dict.fromkeys((Input, Parameter, State, Random, Tangent, Cotangent), Lowering._named),
}
