"""Building instructions: values of nodes, views of values, broadcasts where they must exist."""

from __future__ import annotations

import sympy

from symgrad.expr.dimension import Shape, same_shape
from symgrad.expr.leaf import Table
from symgrad.expr.node import FLOAT, INT, Node
from symgrad.program.elementwise import Elementwise
from symgrad.program.index import reversal, stretch
from symgrad.program.instruction import Instruction, Literal, Operand, Value


class Builder:
    """The instructions of a program under construction, and what each node became.

    `outer`: that of the program around this one, which is the body of a loop. A line that reads
    nothing of the body is the same at every step: it is written there, before the loop.
    """

    def __init__(self, outer: Builder | None = None) -> None:
        self.outer = outer
        self.own: set[Value] = set()  # what is made or given here, not in the program around it
        self.instructions: list[Instruction] = []
        self.values: dict[Node, Operand] = {}
        self.elementwise: Elementwise = Elementwise(
            self.append, outer.elementwise if outer else None
        )
        self.shared: dict[tuple[object, ...], Value] = outer.shared if outer else {}
        self.entries: dict[Value, Value] = {}  # an entry -> the sequence that it is taken from
        self._guarded: set[tuple[int, sympy.Expr, sympy.Expr]] = set()
        self._views: dict[tuple[object, ...], Value] = {}
        self._index_views: set[Value] = set()
        self._broadcasts: set[Value] = set()
        self._window_views: set[Value] = set()
        self._reshaped: set[Value] = set()
        self._permutations: dict[Value, tuple[int, ...]] = {}
        if outer is not None:
            self._guarded, self._views = outer._guarded, outer._views
            self._index_views, self._window_views = outer._index_views, outer._window_views
            self._permutations, self._reshaped = outer._permutations, outer._reshaped
            self._broadcasts = outer._broadcasts

    def append(self, line: Instruction) -> None:
        """Adds a line here, or before the loop that this is the body of."""
        if self.outer is not None and not any(value in self.own for value in line.values):
            self.outer.append(line)
        else:
            self.keep(line)

    def keep(self, line: Instruction) -> None:
        """Adds a line here."""
        self.own.add(line.result)
        self.instructions.append(line)

    def emit(
        self,
        op: str,
        operands: tuple[Operand, ...],
        shape: Shape,
        dtype: str,
        node: Node,
        **options: object,
    ) -> Value:
        """Appends an instruction; returns its result."""
        result = Value(shape, dtype)
        self.append(Instruction(op, operands, result, node, options))
        return result

    def zeros(self, node: Node) -> Value:
        """Zeros to be added to, and so made here, not before the loop."""
        result = Value(node.shape, node.dtype)
        self.keep(Instruction("full", (Literal(sympy.S.Zero),), result, node))
        return result

    def view(self, op: str, source: Value, shape: Shape, node: Node, **options: object) -> Value:
        """A view of `source`; the known one if it was made before."""
        while op == "reshape" and source in self._reshaped and source.base is not None:
            source = source.base  # a reshape of a reshape
            if same_shape(source.shape, shape):
                return source
        key = (op, id(source), shape, *sorted((k, str(v)) for k, v in options.items()))
        if key not in self._views:
            result = Value(shape, source.dtype, base=source)
            if op == "windows":
                self._window_views.add(result)
            if op == "reshape":
                self._reshaped.add(result)
            if op == "broadcast":
                self._broadcasts.add(result)
            self.append(Instruction(op, (source,), result, node, options))
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

    def transposed_views(self) -> set[Value]:
        """The transposes of whole matrices, made here or in the programs around this one."""
        found = {v for v, axes in self._permutations.items() if axes == (1, 0)}
        return {v for v in found if v.base is not None and v.base.base is None}

    def reshaped(self, value: Value, shape: Shape, node: Node) -> Value:
        if same_shape(value.shape, shape):
            return value
        kept = [size for size in value.shape if size != 1]
        if same_shape(tuple(kept), tuple(size for size in shape if size != 1)):
            return self.indexed(value, stretch(value.shape, shape), shape, node)
        return self.view("reshape", self._columns(value, node), shape, node)

    def _columns(self, value: Value, node: Node) -> Value:
        """`value`, or its one copy if it is a view of windows, which no reshape can keep a view."""
        if not any(view in self._window_views for view in value.views()):
            return value
        key = "columns", id(value)
        if key not in self._views:
            self._views[key] = self.emit("columns", (value,), value.shape, value.dtype, node)
        return self._views[key]

    def indexed(self, value: Value, key: tuple[object, ...], shape: Shape, node: Node) -> Value:
        """`value[key]` for a key of ':', None and 0; an index of an index is one of its base."""
        while value.base is not None and value in self._index_views:
            value = value.base
            key = stretch(value.shape, shape)
        while key and key[-1] == ":":
            key = key[:-1]
        if not key:
            return value
        result = self.view("index", value, shape, node, key=key)
        self._index_views.add(result)
        return result

    def reversed(self, value: Value, axes: list[int], node: Node) -> Value:
        """`value` read backwards along `axes`."""
        if not axes:
            return value
        return self.view("slice", value, value.shape, node, box=reversal(value.shape, axes))

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
        if self.outer is not None:
            known = self.outer.values.get(node)
            value = known if isinstance(known, Value) else self.outer.filled(literal, node)
        else:
            value = self.emit("full", (literal,), node.shape, node.dtype, node)
        self.values[node] = value
        value.node = node
        return value

    def reduce(self, name: str, value: Value, axes: tuple[int, ...], node: Node) -> Value:
        shape = tuple(size for i, size in enumerate(value.shape) if i not in axes)
        dtype = value.dtype if value.dtype == FLOAT else INT
        return self.emit("reduce", (value,), shape, dtype, node, name=name, axes=axes)

    def guard(self, indices: Value, size: sympy.Expr, node: Node, negative: bool = False) -> None:
        """Checks once that `indices` lie in [0, size), or in [-size, size) if `negative`.

        What holds the same entries under another shape is checked as what it was. Those of a step
        that come from a sequence are checked for all steps, before the loop.
        """
        turned = self._index_views | self._permutations.keys() | self._broadcasts | self._reshaped
        while indices in turned and indices.base is not None:
            indices = indices.base
        if indices in self.entries:
            assert self.outer is not None
            self.outer.guard(self.entries[indices], size, node, negative)
            return
        low = -size if negative else sympy.S.Zero
        if isinstance(indices.node, Table) and all((v - low).is_nonnegative and
                                                   (size - v).is_positive
                                                   for v in indices.node.values):  # fmt: skip
            return
        if (id(indices), low, size) not in self._guarded:
            self._guarded.add((id(indices), low, size))
            self.emit("guard", (indices,), (), INT, node, low=low, size=size)
