"""Building instructions: values of nodes, views of values, broadcasts where they must exist."""

from __future__ import annotations

import sympy

from symgrad.expr.dimension import Shape, same_shape
from symgrad.expr.node import FLOAT, INT, Node
from symgrad.program.elementwise import Elementwise
from symgrad.program.index import reversal, stretch
from symgrad.program.instruction import Instruction, Literal, Operand, Value


class Builder:
    """The instructions of a program under construction, and what each node became."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.values: dict[Node, Operand] = {}
        self.elementwise = Elementwise(self.instructions.append)
        self._guarded: set[tuple[int, sympy.Expr, sympy.Expr]] = set()
        self._views: dict[tuple[object, ...], Value] = {}
        self._index_views: set[Value] = set()
        self._permutations: dict[Value, tuple[int, ...]] = {}

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
            return self.indexed(value, stretch(value.shape, shape), shape, node)
        return self.view("reshape", value, shape, node)

    def indexed(self, value: Value, key: tuple[object, ...], shape: Shape, node: Node) -> Value:
        """`value[key]` for a key of ':', None and 0; undoing an earlier one gives its base back."""
        while key and key[-1] == ":":
            key = key[:-1]
        if (
            value.base is not None
            and value in self._index_views
            and same_shape(value.base.shape, shape)
        ):
            return value.base
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
        value = self.emit("full", (literal,), node.shape, node.dtype, node)
        self.values[node] = value
        value.node = node
        return value

    def reduce(self, name: str, value: Value, axes: tuple[int, ...], node: Node) -> Value:
        shape = tuple(size for i, size in enumerate(value.shape) if i not in axes)
        dtype = value.dtype if value.dtype == FLOAT else INT
        return self.emit("reduce", (value,), shape, dtype, node, name=name, axes=axes)

    def guard(self, indices: Value, size: sympy.Expr, node: Node, negative: bool = False) -> None:
        """Checks once that `indices` lie in [0, size), or in [-size, size) if `negative`."""
        while indices in self._index_views and indices.base is not None:
            indices = indices.base
        low = -size if negative else sympy.S.Zero
        if (id(indices), low, size) not in self._guarded:
            self._guarded.add((id(indices), low, size))
            self.emit("guard", (indices,), (), INT, node, low=low, size=size)
