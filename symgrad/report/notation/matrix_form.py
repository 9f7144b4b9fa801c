"""Equations in matrix notation, as far as there is one: transposes where a mathematician puts them.

    Z = X @ W + b               ->   Z = X W + b          b stands in every row
    d_W = X.T @ (P - Y) / n     ->   ∂L/∂W = Xᵀ (P - Y)/n
    S[b] = Q[b] @ K[b].T        ->   S_b = Q_b K_bᵀ       for every b

A vector is a column. What is moved about entry by entry has no such form: `NoMatrices` is raised,
and the form with indices says it. Families of nodes other than products are in `matrix_families`
and the files beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, combinations
from typing import Any

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.leaf import Constant
from symgrad.expr.node import Node
from symgrad.report.notation import formula as m
from symgrad.report.notation.build import scaled
from symgrad.report.notation.entry import Entry, entry_of
from symgrad.report.notation.letters import Lettered, NameOf, indices_of_steps
from symgrad.report.notation.maps import without_number
from symgrad.report.notation.pieces import NoMatrices, Pair, Piece, joined
from symgrad.report.notation.scalar import number
from symgrad.report.notation.written import Written, of_kind

__all__ = ["FAMILIES", "MatrixForm", "NoMatrices"]

Family = Callable[["MatrixForm", Any, Entry], m.Math]
FAMILIES: dict[type[Node], Family] = {}
EVERY = m.Span()  # all entries of an axis


class MatrixForm(Lettered):
    """Writes tensors in matrix notation; its letters are the indices of a batch."""

    def __init__(self, name_of: NameOf, letters: Iterator[m.Math]) -> None:
        super().__init__(name_of, letters)
        self.remarks: dict[str, None] = {}

    def written(self, node: Node, at: Entry = ()) -> Written:
        """What lies at `at` of the first axes of an operand: a number, a vector, a matrix."""
        name = self.name_of(node)
        if name is None:
            return self.right_side(node, at)
        core = _core(node, at)
        return of_kind(entry_of(name, at), any(s != 1 for s in core), node.dtype)

    def right_side(self, node: Node, at: Entry = ()) -> Written:
        """The formula for what lies at `at` of the first axes of a node."""
        core = _core(node, at)
        for kind in type(node).__mro__:
            if kind in FAMILIES:
                found = FAMILIES[kind](self, node, at)
                return of_kind(found, any(s != 1 for s in core), node.dtype)
        raise NoMatrices

    # -- products ----------------------------------------------------------------------------

    def product(self, node: Contraction, at: Entry) -> m.Math:
        """A contraction as a product of matrices, summed over what counts none of their axes."""
        free = [i for i in node.summed if node.sizes[i] != 1]
        steps = indices_of_steps(node)
        for count in range(min(len(free), 3) + 1):
            for chosen in combinations(free, count):
                fixed = dict(zip(node.output, at, strict=False))
                before = dict(self.ranges)
                letters = tuple(self.fresh(node.sizes[i], i in steps) for i in chosen)
                held = fixed | dict(zip(chosen, letters, strict=True))
                try:
                    scale, body = self._product(node, held)
                except NoMatrices:
                    self.ranges = before
                    self.letters = chain((i for i in letters if i != m.ZERO), self.letters)
                    continue
                return scaled(number(scale), m.Big("sum", letters, body) if letters else body)
        raise NoMatrices

    def _product(self, node: Contraction, fixed: dict[int, m.Math]) -> tuple[sympy.Expr, m.Math]:
        """The scale and the product of matrices, where some indices are held `fixed`."""
        scale = node.scale
        pieces = []
        unread = set(node.summed) - fixed.keys()
        for operand, indices in node.terms:
            if isinstance(operand, Constant) and self.name_of(operand) is None:
                scale *= operand.value
                continue
            unread -= set(indices)
            factor, inner = without_number(operand, self.name_of)
            scale *= factor
            pieces.append(self._piece(inner, indices, fixed, node.sizes))
        for index in unread:
            scale *= node.sizes[index]
        wanted = _pair([i for i in node.output if i not in fixed], node.sizes)
        sizes = {i: number(size) for i, size in node.sizes.items()}
        return scale, joined(pieces, wanted, sizes)

    def _piece(
        self,
        operand: Node,
        indices: tuple[int, ...],
        fixed: dict[int, m.Math],
        sizes: dict[int, sympy.Expr],
    ) -> Piece:
        name = self.name_of(operand)
        held = [axis for axis, index in enumerate(indices) if index in fixed]
        if name is not None and held and held != list(range(len(held))):
            free = [i for i in indices if i not in fixed and sizes[i] != 1]
            rows, columns = _pair(free, sizes)
            places = (fixed.get(i, m.ZERO if sizes[i] == 1 else EVERY) for i in indices)
            return Piece(entry_of(name, tuple(places)), rows, columns)
        width = max(operand.ndim - 2, held[-1] + 1 if held else 0)
        at = []
        for index in indices[:width]:
            if index not in fixed and sizes[index] != 1:
                raise NoMatrices
            at.append(fixed.get(index, m.ZERO))
        written = self.written(operand, tuple(at))
        rows, columns = _pair(list(indices[width:]), sizes)
        return Piece(written.counted, rows, columns)


def _core(node: Node, at: Entry) -> tuple[sympy.Expr, ...]:
    core = node.shape[len(at) :]
    if len(core) > 2 or len(at) > node.ndim:
        raise NoMatrices
    return core


def _pair(indices: list[int], sizes: dict[int, sympy.Expr]) -> Pair:
    """The indices of rows and columns; that of an axis of size 1 counts nothing."""
    if len(indices) > 2:
        raise NoMatrices
    rows, columns = ([i if sizes[i] != 1 else None for i in indices] + [None, None])[:2]
    return rows, columns


FAMILIES[Contraction] = MatrixForm.product
