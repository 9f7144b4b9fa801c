"""Products of stacks of matrices [n, c, h, w] that copy no operand into another order.

sum_c W[o,c] x[n,c,h,w]            ->   W @ x.reshape(n, c, h * w)
sum_nhw g[n,o,h,w] x[n,c,h,w]      ->   (g.reshape(n, o, h * w) @ x.reshape(n, c, h * w).T).sum(0)

Windows are copied into columns, [n, (c, i, j), (h, w)], and a convolution is one product of the
weights with them. Where the images are what is stacked, `_convolve` and `_correlate` do that for a
few images at a time: copying twice within the cache, forward and backward, costs less than once
through memory (3x3, 64 to 64 channels, 32x32, n = 32: 29 ms against 46), and holds little.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.dimension import product
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.window import Windows
from symgrad.program.builder import Builder
from symgrad.program.cost import sample_size
from symgrad.program.instruction import Value

LEAST_COLUMNS = 16  # of each matrix of a stack: a stack of thin ones costs more than one copy

Term = tuple[Value, list[int]]


class Stacked:
    """Lowers the products of two terms of one contraction that have this form."""

    def __init__(self, lowering: Builder) -> None:
        self.lowering = lowering

    def product(self, a: Term, b: Term, out: list[int], node: Contraction) -> Value | None:
        """The product of two terms with the axes `out`; None where another form is as good."""
        if node.dtype != FLOAT:
            return None
        windows = window_indices(node)
        for first, second in ((a, b), (b, a)):
            counts = {count for count, place in windows if place in first[1]}
            for form in (self._forward, self._weights):
                value = form(first, second, counts, out, node)
                if value is not None:
                    return value
        return None

    def _forward(
        self, a: Term, b: Term, counts: set[int], out: list[int], node: Contraction
    ) -> Value | None:
        """sum_c a[n,c,h,w] b[o,c], with c, or the windows of c, inside."""
        (_, left), (_, right) = a, b
        inside = [i for i in left if i in right and i not in out]
        trail = [i for i in left if i in counts and i in out and i not in right]
        is_windowed = bool(trail) and set(trail) == counts & set(left)
        if not is_windowed:
            trail = _suffix(left, [i for i in left if i in out and i not in right])
        stack = [i for i in left if i not in inside and i not in trail]
        free = [i for i in right if i not in left]
        if not inside or not stack or not self._is_worth(trail, free, node):
            return None
        if not is_windowed and left != stack + inside + trail:
            return None
        order = stack + free + trail
        if is_windowed and self._is_image_by_image(stack, inside, trail, node):
            if set(stack[1:]) <= set(right) and stack[0] not in right:
                weights = self._matrices(b, stack[1:], free, inside, node)
                pair = weights, self._view(a, stack + inside + trail, node)
                return self._called("convolve", pair, order, out, node)
        columns = self._matrices(a, stack, inside, trail, node)
        weights = self._factor(b, stack, free, inside, node)
        shape = tuple(node.sizes[i] for i in order)
        apart = len(free) != 1 or len(trail) != 1  # the matrices of the result are merged axes
        value = self.lowering.emit(
            "matmul", (weights, columns), shape, FLOAT, node, reshaped=apart
        )
        return self.lowering.permuted(value, tuple(order.index(i) for i in out), node)

    def _weights(
        self, a: Term, b: Term, counts: set[int], out: list[int], node: Contraction
    ) -> Value | None:
        """sum_nhw a[n,c,h,w] b[n,o,h,w], with c, or the windows of c, inside."""
        (_, left), (_, right) = a, b
        shared = [i for i in left if i in right]
        summed = [i for i in shared if i not in out]
        trail = [i for i in left if i in counts and i in summed]
        is_windowed = bool(trail) and set(trail) == counts & set(left)
        if not is_windowed:
            trail = _suffix(left, summed)
            while trail and _suffix(right, trail) != trail:
                trail = trail[1:]
        stack = [i for i in left if i in shared and i not in trail]
        kept = [i for i in left if i not in shared]
        free = [i for i in right if i not in shared]
        if not set(stack) & set(summed) or not self._is_worth(trail, free, node):
            return None
        if not is_windowed and (left != stack + kept + trail or right != stack + free + trail):
            return None
        others = self._matrices(b, stack, free, trail, node)
        if is_windowed and self._is_image_by_image(stack, kept, trail, node):
            if stack[0] in summed and not set(stack[1:]) & set(summed):
                pair = others, self._view(a, stack + kept + trail, node)
                return self._called("correlate", pair, stack[1:] + free + kept, out, node)
        columns = self._matrices(a, stack, kept, trail, node)
        turned = (*range(len(stack)), len(stack) + 1, len(stack))
        columns = self.lowering.permuted(columns, turned, node)
        shape = (*others.shape[:-1], columns.shape[-1])
        value = self.lowering.emit("matmul", (others, columns), shape, FLOAT, node)
        gone = tuple(position for position, i in enumerate(stack) if i not in out)
        value = self.lowering.reduce("add", value, gone, node)
        return self._ordered(value, [i for i in stack if i in out] + free + kept, out, node)

    def _is_image_by_image(
        self, stack: list[int], rows: list[int], columns: list[int], node: Contraction
    ) -> bool:
        """Whether the columns of an image are as many, and at least one, whatever is passed in."""
        sizes = [node.sizes[i] for i in rows + columns + stack[1:]]
        return all(s.is_Integer and s > 0 for s in sizes)

    def _view(self, term: Term, order: list[int], node: Contraction) -> Value:
        value, labels = term
        return self.lowering.permuted(value, tuple(labels.index(i) for i in order), node)

    def _called(
        self, name: str, pair: tuple[Value, Value], order: list[int], out: list[int],
        node: Contraction,
    ) -> Value:  # fmt: skip
        shape = tuple(node.sizes[i] for i in order)
        value = self.lowering.emit("call", pair, shape, FLOAT, node, name=name, reshaped=True)
        return self.lowering.permuted(value, tuple(order.index(i) for i in out), node)

    def _is_worth(self, trail: list[int], free: list[int], node: Contraction) -> bool:
        width = sample_size(product(node.sizes[i] for i in trail))
        rows = sample_size(product(node.sizes[i] for i in free))
        return bool(trail) and width >= LEAST_COLUMNS and rows <= 2 * width

    def _matrices(
        self, term: Term, stack: list[int], rows: list[int], columns: list[int], node: Contraction
    ) -> Value:
        """`term` as a stack of matrices."""
        value, labels = term
        order = stack + rows + columns
        value = self.lowering.permuted(value, tuple(labels.index(i) for i in order), node)
        sizes = (product(node.sizes[i] for i in group) for group in (rows, columns))
        return self.lowering.reshaped(value, (*(node.sizes[i] for i in stack), *sizes), node)

    def _factor(
        self, term: Term, stack: list[int], rows: list[int], inside: list[int], node: Contraction
    ) -> Value:
        """`term` as matrices that NumPy repeats along those axes of the stack that it lacks."""
        value = self._matrices(term, [i for i in stack if i in term[1]], rows, inside, node)
        key: list[object] = [":" if i in term[1] else None for i in stack]
        while key and key[0] is None:
            del key[0]
        if None not in key:
            return value
        sizes = [node.sizes[i] if i in term[1] else sympy.S.One for i in stack[-len(key) :]]
        return self.lowering.indexed(value, tuple(key), (*sizes, *value.shape[-2:]), node)

    def _ordered(self, value: Value, order: list[int], out: list[int], node: Contraction) -> Value:
        value = self.lowering.reshaped(value, tuple(node.sizes[i] for i in order), node)
        return self.lowering.permuted(value, tuple(order.index(i) for i in out), node)


def _suffix(labels: Sequence[int], among: Sequence[int]) -> list[int]:
    """The longest end of `labels` that holds only labels `among` these."""
    start = len(labels)
    while start and labels[start - 1] in among:
        start -= 1
    return list(labels[start:])


def window_indices(node: Contraction) -> list[tuple[int, int]]:
    """Pairs of indices of `node` that number the windows of an operand and the places in them."""
    return [
        (indices[axis], indices[axis + 1])
        for operand, indices in node.terms
        for axis in count_axes(operand)
        if node.sizes[indices[axis]] != 1
    ]


def count_axes(node: Node) -> list[int]:
    """The axes of nested Windows that number the windows."""
    axes: list[int] = []
    nested: list[Windows] = []
    while isinstance(node, Windows):
        nested.append(node)
        (node,) = node.operands
    for windows in reversed(nested):
        axes = [axis + (axis > windows.axis) for axis in axes] + [windows.axis]
    return axes
