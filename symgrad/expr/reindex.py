"""Re-indexing: nodes that move entries and compute nothing. Each is linear, its transpose here too.

| node      | transpose   |                                              |
| Reshape   | Reshape     |                                              |
| Slice     | Embed       | take a strided box out of / put it into zeros |
| Concat    | Slice       |                                              |
| Take      | ScatterAdd  | whole slices by index                        |
| TakeAlong | ScatterAlong| one entry per position by index              |
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy.core.containers import Tuple

from symgrad.errors import ShapeError
from symgrad.expr.dimension import Shape, as_shape, product, same, same_shape, shape_text
from symgrad.expr.node import Node


class Reshape(Node):
    """`operand` in C order under another shape of as many entries."""

    def __new__(cls, operand: Node, shape: object) -> Node:
        sizes = shape if isinstance(shape, Tuple) else Tuple(*as_shape(shape))
        return super().__new__(cls, operand, sizes)

    def _infer(self) -> tuple[Shape, str]:
        (operand,) = self.operands
        shape = tuple(self.args[1].args)
        if not same(product(operand.shape), product(shape)):
            raise ShapeError(
                f"cannot reshape {shape_text(operand.shape)} to {shape_text(shape)}: "
                f"{product(operand.shape)} entries against {product(shape)}"
            )
        return shape, operand.dtype


class Slice(Node):
    """A strided box of `operand`: per axis `(start, length, step)`; a negative step walks back."""

    box: tuple[tuple[sympy.Expr, sympy.Expr, int], ...]

    def __new__(cls, operand: Node, box: object) -> Node:
        return super().__new__(cls, operand, _box(box))

    def _infer(self) -> tuple[Shape, str]:
        (operand,) = self.operands
        self.box = _read_box(self.args[1])
        assert len(self.box) == operand.ndim
        return tuple(length for _, length, _ in self.box), operand.dtype


class Embed(Node):
    """Zeros of shape `sizes` with `operand` at the positions that a Slice would take.

    `box` holds `(start, size, step)` per axis, `size` that of the result.
    """

    box: tuple[tuple[sympy.Expr, sympy.Expr, int], ...]

    def __new__(cls, operand: Node, box: object) -> Node:
        return super().__new__(cls, operand, _box(box))

    def _infer(self) -> tuple[Shape, str]:
        (operand,) = self.operands
        self.box = _read_box(self.args[1])
        assert len(self.box) == operand.ndim
        return tuple(size for _, size, _ in self.box), operand.dtype


def _box(box: object) -> Tuple:
    if isinstance(box, Tuple):
        return box
    assert isinstance(box, Sequence)
    return Tuple(*(Tuple(*map(sympy.sympify, entry)) for entry in box))


def _read_box(box: object) -> tuple[tuple[sympy.Expr, sympy.Expr, int], ...]:
    assert isinstance(box, Tuple)
    return tuple((entry.args[0], entry.args[1], int(entry.args[2])) for entry in box.args)


class Concat(Node):
    """`operands` one after the other along `axis`."""

    axis: int

    def __new__(cls, axis: object, *operands: Node) -> Node:
        return super().__new__(cls, sympy.Integer(axis), *operands)

    def _infer(self) -> tuple[Shape, str]:
        self.axis = axis = int(self.args[0])
        first = self.operands[0]
        for operand in self.operands[1:]:
            rest = operand.shape[:axis] + operand.shape[axis + 1 :]
            if not same_shape(rest, first.shape[:axis] + first.shape[axis + 1 :]):
                raise ShapeError(
                    f"cannot concatenate {shape_text(first.shape)} and "
                    f"{shape_text(operand.shape)} along axis {axis}: other sizes differ"
                )
        total = sympy.Add(*(operand.shape[axis] for operand in self.operands))
        order = ("bool", "int", "float")
        dtype = order[max(order.index(operand.dtype) for operand in self.operands)]
        return first.shape[:axis] + (total,) + first.shape[axis + 1 :], dtype


class Indexed(Node):
    """A node that reads or writes along `axis` at whole-number `indices`."""

    axis: int

    @property
    def source(self) -> Node:
        return self.operands[0]

    @property
    def indices(self) -> Node:
        return self.operands[1]

    def _axis(self) -> int:
        self.axis = int(self.args[2])
        if self.indices.dtype == "float":
            raise ShapeError("indices must be whole numbers, not floats")
        return self.axis


class Take(Indexed):
    """The slices `source[..., indices, ...]` on `axis`; the axis becomes those of `indices`."""

    def __new__(cls, source: Node, indices: Node, axis: object) -> Node:
        return super().__new__(cls, source, indices, sympy.Integer(axis))

    def _infer(self) -> tuple[Shape, str]:
        axis = self._axis()
        shape = self.source.shape
        return shape[:axis] + self.indices.shape + shape[axis + 1 :], self.source.dtype


class ScatterAdd(Indexed):
    """Zeros with `size` slices on `axis`, to which the slices of `source` are added."""

    size_on_axis: sympy.Expr

    def __new__(cls, source: Node, indices: Node, axis: object, size: sympy.Expr) -> Node:
        return super().__new__(cls, source, indices, sympy.Integer(axis), size)

    def _infer(self) -> tuple[Shape, str]:
        axis = self._axis()
        self.size_on_axis = self.args[3]
        shape = self.source.shape
        rest = shape[axis + self.indices.ndim :]
        assert same_shape(shape[axis : axis + self.indices.ndim], self.indices.shape)
        return shape[:axis] + (self.size_on_axis,) + rest, self.source.dtype


class TakeAlong(Indexed):
    """`source` at one index per position: `source[i, indices[i, j]]` for axis 1."""

    def __new__(cls, source: Node, indices: Node, axis: object) -> Node:
        return super().__new__(cls, source, indices, sympy.Integer(axis))

    def _infer(self) -> tuple[Shape, str]:
        axis = self._axis()
        _check_along(self.source.shape, self.indices.shape, axis)
        return self.indices.shape, self.source.dtype


class ScatterAlong(Indexed):
    """Zeros of `size` on `axis`, to which `source` is added at one index per position."""

    size_on_axis: sympy.Expr

    def __new__(cls, source: Node, indices: Node, axis: object, size: sympy.Expr) -> Node:
        return super().__new__(cls, source, indices, sympy.Integer(axis), size)

    def _infer(self) -> tuple[Shape, str]:
        axis = self._axis()
        self.size_on_axis = self.args[3]
        shape = self.source.shape
        assert same_shape(shape, self.indices.shape)
        return shape[:axis] + (self.size_on_axis,) + shape[axis + 1 :], self.source.dtype


def _check_along(source: Shape, indices: Shape, axis: int) -> None:
    rest = indices[:axis] + indices[axis + 1 :]
    if not same_shape(source[:axis] + source[axis + 1 :], rest):
        raise ShapeError(
            f"indices of shape {shape_text(indices)} do not fit a tensor of shape "
            f"{shape_text(source)} along axis {axis}: other sizes differ"
        )
