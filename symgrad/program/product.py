"""Contractions as products that BLAS multiplies, with the transposes it takes for free.

sum_k a[i,k] b[j,k]  ->  a.dot(b.T)          sum_i a[i,j]    ->  ones.dot(a)
sum_k a[i,k] b[i,k]  ->  np.vecdot(a, b)     a[i] b[j]       ->  a[:, None] * b
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.dimension import product as size_product
from symgrad.expr.node import BOOL, FLOAT, Node
from symgrad.program.builder import Builder
from symgrad.program.cost import sample_size
from symgrad.program.instruction import Literal, Operand, Value
from symgrad.program.stacked import Stacked

Term = tuple[Value, list[int]]


class Product:
    """Lowers one contraction at a time into the instructions of `lowering`."""

    def __init__(self, lowering: Builder) -> None:
        self.lowering = lowering
        self._stacked = Stacked(lowering)

    def lower(self, node: Contraction) -> Operand:
        """The value of `node`; axes along which it does not vary have size 1 or are missing."""
        scale = node.scale
        if scale.is_Float and scale == 1.0:  # says only that the result is a float
            scale = sympy.S.One
        terms: list[Term] = []
        for operand, indices in node.terms:
            value = self.lowering.values[operand]
            if isinstance(value, Literal):
                scale = scale * value.number
                continue
            term = self._squeezed(value, indices, operand, node)
            value, labels = self._diagonal(*term, node)
            if value.shape == () and len(node.terms) > 1 and value.dtype != FLOAT:
                value = self.lowering.elementwise.as_float(value, node)
            terms.append((value, labels))
        carried = {i for _, labels in terms for i in labels}
        for index in node.summed:
            if index not in carried:
                scale = scale * node.sizes[index]
        out = [i for i in node.output if i in carried]
        if not terms:
            return Literal(scale)
        if node.dtype == FLOAT and (scale != 1 or len(terms) > 1 or carried - set(out)):
            terms = [(self._as_float(v, node), labels) for v, labels in terms]
        elif len(terms) > 1:
            terms = [
                (self.lowering.elementwise.as_int(v, node) if v.dtype == BOOL else v, labels)
                for v, labels in terms
            ]
        result, order = self._multiply(terms, out, scale, node)
        assert order == out, (order, out)
        return self._placed(result, out, node)

    # -- preparing operands ------------------------------------------------------------------

    def _as_float(self, value: Value, node: Node) -> Value:
        return value if value.dtype == FLOAT else self.lowering.elementwise.as_float(value, node)

    def _squeezed(
        self, value: Value, indices: Sequence[int], operand: Node, node: Contraction
    ) -> Term:
        """`value` without the axes along which it does not vary: broadcast, or summed alone."""
        labels = list(indices[operand.ndim - len(value.shape) :])
        logical = operand.shape[operand.ndim - len(value.shape) :]
        everywhere = [i for group in node.indices for i in group]
        # Nothing is gained by a view before a sum of everything, unless there is one entry.
        total = len(node.terms) == 1 and not node.output and not node.is_view
        key: list[object] = []
        kept: list[int] = []
        shape = []
        for label, size, whole in zip(labels, value.shape, logical, strict=True):
            alone = not total and label not in node.output and everywhere.count(label) == 1
            if size == 1 and (whole != 1 or alone or self._varies_elsewhere(label, node)):
                key.append(0)
            else:
                key.append(":")
                kept.append(label)
                shape.append(size)
        if len(kept) == len(labels):
            return value, kept
        return self.lowering.indexed(value, tuple(key), tuple(shape), node), kept

    def _varies_elsewhere(self, label: int, node: Contraction) -> bool:
        """Whether an index of size 1 stands on an operand that lies in memory without it."""
        for operand, indices in node.terms:
            value = self.lowering.values[operand]
            missing = operand.ndim - len(value.shape)
            if label in indices[:missing]:
                return True
        return False

    def _diagonal(self, value: Value, labels: list[int], node: Node) -> Term:
        """`value` with a repeated index read along its diagonal; that axis comes last."""
        while len(set(labels)) < len(labels):
            label = next(i for i in labels if labels.count(i) > 1)
            first = labels.index(label)
            second = labels.index(label, first + 1)
            rest = [a for a in range(len(labels)) if a not in (first, second)]
            shape = tuple(value.shape[a] for a in rest) + (value.shape[first],)
            value = self.lowering.view("diagonal", value, shape, node, axis1=first, axis2=second)
            labels = [labels[a] for a in rest] + [label]
        return value, labels

    def _placed(self, value: Operand, out: list[int], node: Contraction) -> Operand:
        """`value` with axes of size 1 where it is broadcast; leading ones are left out."""
        if isinstance(value, Literal):
            return value
        key = tuple(":" if i in out else None for i in node.output)
        while key and key[0] is None:
            key = key[1:]
        sizes = iter(value.shape)
        shape = tuple(sympy.S.One if k is None else next(sizes) for k in key)
        return self.lowering.indexed(value, key, shape, node)

    # -- multiplying -------------------------------------------------------------------------

    def _multiply(
        self, terms: list[Term], out: list[int], scale: sympy.Expr, node: Contraction
    ) -> tuple[Operand, list[int]]:
        if len(terms) == 1:
            value, labels = terms[0]
            return self._reduced(value, labels, out, scale, node), out
        if len(terms) > 2:
            return self._scaled(self._einsum(terms, out, node), scale, node), out
        (a, left), (b, right) = terms
        a, left = self._sum_private(a, left, right, out, node)
        b, right = self._sum_private(b, right, left, out, node)
        result_size = sample_size(size_product(node.sizes[i] for i in out))
        if scale != 1:
            small = min((sample_size(a.size), 0), (sample_size(b.size), 1), (result_size, -1))[1]
            if small == 0:
                a, scale = self._scaled_value(a, scale, node), sympy.S.One
            elif small == 1:
                b, scale = self._scaled_value(b, scale, node), sympy.S.One
        product = self._pair(a, left, b, right, out, node)
        return self._scaled(product, scale, node), out

    def _scaled(self, value: Operand, scale: sympy.Expr, node: Node) -> Operand:
        if scale == 1:
            return value
        if scale == -1:
            return self.lowering.elementwise.apply("negative", (value,), node)
        return self.lowering.elementwise.apply("multiply", (value, Literal(scale)), node)

    def _scaled_value(self, value: Value, scale: sympy.Expr, node: Node) -> Value:
        scaled = self._scaled(value, scale, node)
        assert isinstance(scaled, Value)
        return scaled

    def _sum_private(
        self, value: Value, labels: list[int], others: list[int], out: list[int], node: Contraction
    ) -> Term:
        private = [i for i in labels if i not in others and i not in out]
        if not private:
            return value, labels
        kept = [i for i in labels if i not in private]
        reduced = self._reduced(value, labels, kept, sympy.S.One, node)
        assert isinstance(reduced, Value)
        return reduced, kept

    def _reduced(
        self, value: Value, labels: list[int], out: list[int], scale: sympy.Expr, node: Contraction
    ) -> Operand:
        """`value` summed over the labels not in `out`, with its axes in that order."""
        gone = tuple(a for a, label in enumerate(labels) if label not in out)
        result: Operand = value
        kept = [label for label in labels if label in out]
        if gone:
            result = self._sum(value, gone, node)
        if isinstance(result, Value):
            result = self.lowering.permuted(result, tuple(kept.index(i) for i in out), node)
        return self._scaled(result, scale, node)

    def _sum(self, value: Value, axes: tuple[int, ...], node: Node) -> Value:
        """Sums as products that BLAS computes, where they are: several times faster."""
        factors = self.lowering.elementwise.factors(value)
        if factors is not None and len(axes) == len(value.shape):
            op = "dot" if len(value.shape) == 1 else "vdot"
            return self.lowering.emit(op, factors, (), FLOAT, node)
        rank, count = len(value.shape), len(axes)
        is_leading = axes == tuple(range(count))
        is_outer = is_leading or axes == tuple(range(rank - count, rank))
        is_whole = value.base is None and value.argument is None  # no reshape copies it
        if value.dtype == FLOAT and rank > 2 and count < rank and is_outer and is_whole:
            kept = tuple(size for axis, size in enumerate(value.shape) if axis not in axes)
            sizes = [size_product(value.shape[a] for a in axes), size_product(kept)]
            flat = sizes if is_leading else sizes[::-1]
            matrix = self.lowering.reshaped(value, tuple(flat), node)
            total = self._sum(matrix, (0 if is_leading else 1,), node)
            return self.lowering.reshaped(total, kept, node)
        if value.dtype == FLOAT and len(value.shape) == 2 and len(axes) == 1:
            (axis,) = axes
            ones = self._ones_of(value.shape[axis], node)
            pair = (ones, value) if axis == 0 else (value, ones)
            return self.lowering.emit("dot", pair, (value.shape[1 - axis],), FLOAT, node)
        return self.lowering.reduce("add", value, axes, node)

    def _ones_of(self, size: sympy.Expr, node: Node) -> Value:
        key = "ones", size
        if key not in self.lowering.shared:
            self.lowering.shared[key] = self.lowering.emit(
                "full", (Literal(sympy.S.One),), (size,), FLOAT, node, hint=f"ones_{size}"
            )
        return self.lowering.shared[key]

    def _pair(
        self,
        a: Value,
        left: list[int],
        b: Value,
        right: list[int],
        out: list[int],
        node: Contraction,
    ) -> Operand:
        shared = [i for i in left if i in right]
        batch = [i for i in out if i in shared]
        contracted = [i for i in shared if i not in out]
        rows = [i for i in out if i in left and i not in shared]
        columns = [i for i in out if i in right and i not in shared]
        if not contracted:
            return self.lowering.elementwise.apply(
                "multiply",
                (self._aligned(a, left, out, node), self._aligned(b, right, out, node)),
                node,
            )
        stacked = self._stacked.product((a, left), (b, right), out, node)
        if stacked is not None:
            return stacked
        if batch:
            return self._batched(a, left, b, right, (batch, rows, columns, contracted), out, node)
        if out == columns + rows and columns and rows:
            a, left, b, right, rows, columns = b, right, a, left, columns, rows
            contracted = [i for i in left if i in contracted]
        value = self._dot(
            self._grouped(a, left, rows, contracted, node),
            self._grouped(b, right, contracted, columns, node),
            node,
        )
        order = rows + columns
        value = self.lowering.reshaped(value, tuple(node.sizes[i] for i in order), node)
        return self.lowering.permuted(value, tuple(order.index(i) for i in out), node)

    def _dot(self, a: Value, b: Value, node: Node) -> Value:
        shape = a.shape[:-1] + (b.shape[1:] if len(b.shape) > 1 else ())
        return self.lowering.emit("dot", (a, b), shape, node.dtype, node)

    def _aligned(self, value: Value, labels: list[int], out: list[int], node: Node) -> Value:
        """`value` with its axes where `out` has them and size 1 elsewhere."""
        order = [i for i in out if i in labels]
        value = self.lowering.permuted(value, tuple(labels.index(i) for i in order), node)
        key = tuple(":" if i in order else None for i in out)
        while key and key[0] is None:
            key = key[1:]
        sizes = iter(value.shape)
        shape = tuple(sympy.S.One if k is None else next(sizes) for k in key)
        return self.lowering.indexed(value, key, shape, node)

    def _grouped(
        self,
        value: Value,
        labels: list[int],
        first: list[int],
        second: list[int],
        node: Contraction,
    ) -> Value:
        """`value` as a matrix with the axes of `first` as rows and of `second` as columns."""
        order = first + second
        if first and second and len(order) > 2 and labels == second + first:  # a view, transposed
            turned = self._grouped(value, labels, second, first, node)
            return self.lowering.permuted(turned, (1, 0), node)
        value = self.lowering.permuted(value, tuple(labels.index(i) for i in order), node)
        shape = tuple(
            size_product(node.sizes[i] for i in group) for group in (first, second) if group
        )
        return self.lowering.reshaped(value, shape, node)

    def _batched(
        self,
        a: Value,
        left: list[int],
        b: Value,
        right: list[int],
        groups: tuple[list[int], list[int], list[int], list[int]],
        out: list[int],
        node: Contraction,
    ) -> Value:
        batch, rows, columns, contracted = groups
        lowering = self.lowering
        batch_shape = tuple(node.sizes[i] for i in batch)

        def stacked(value: Value, labels: list[int], first: list[int], second: list[int]) -> Value:
            order = batch + first + second
            value = lowering.permuted(value, tuple(labels.index(i) for i in order), node)
            tail = tuple(size_product(node.sizes[i] for i in group) for group in (first, second))
            return lowering.reshaped(value, batch_shape + tail, node)

        if not rows and not columns:
            ordered = [
                lowering.reshaped(
                    lowering.permuted(v, tuple(lab.index(i) for i in batch + contracted), node),
                    (*batch_shape, size_product(node.sizes[i] for i in contracted)),
                    node,
                )
                for v, lab in ((a, left), (b, right))
            ]
            value = lowering.emit("vecdot", tuple(ordered), batch_shape, node.dtype, node)
            return lowering.permuted(value, tuple(batch.index(i) for i in out), node)
        a = stacked(a, left, rows, contracted)
        b = stacked(b, right, contracted, columns)
        shape = (*batch_shape, a.shape[-2], b.shape[-1])
        value = lowering.emit("matmul", (a, b), shape, node.dtype, node)
        order = batch + rows + columns
        value = lowering.reshaped(value, tuple(node.sizes[i] for i in order), node)
        return lowering.permuted(value, tuple(order.index(i) for i in out), node)

    def _einsum(self, terms: list[Term], out: list[int], node: Contraction) -> Value:
        letters = {index: "abcdefghijklmnopqrstuvwxyz"[k] for k, index in enumerate(node.sizes)}
        text = ",".join("".join(letters[i] for i in labels) for _, labels in terms)
        text += "->" + "".join(letters[i] for i in out)
        shape = tuple(node.sizes[i] for i in out)
        values = tuple(value for value, _ in terms)
        return self.lowering.emit("einsum", values, shape, node.dtype, node, subscripts=text)
