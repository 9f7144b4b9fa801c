"""Windows of products that are added up, as products of windows: a convolution instead of a sum.

    Overlap(Contraction(g[n,f,o], W[f,c,k]), stride 1)
        ->  Contraction(Windows(Embed(g))[n,f,i,k], W[f,c,k backwards])

This is the gradient of a convolution with respect to its input, and a transposed convolution: on
the left every product is written out and added in k passes over memory, on the right the entries
of g are copied once and BLAS does the additions. Done for strides of 1, where the copy is not much
larger than what is added; a Slice of the sum is taken by padding g less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.dimension import product
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reindex import Embed, Slice
from symgrad.expr.walk import postorder, rewrite, uses
from symgrad.expr.window import Overlap, Windows
from symgrad.passes.fold import folded
from symgrad.passes.form import Form
from symgrad.passes.paths import sample_size

WORTH = 1.5  # entries that are copied for each that would be added
Box = list[tuple[sympy.Expr, sympy.Expr, int]]


def convolve(form: Form) -> Form:
    """The same outputs with each such sum as a product of windows."""
    counts = uses(form.outputs.values())
    # A sum inside a longer one is carried out together with it.
    inside = {
        below
        for node in postorder(form.outputs.values())
        if isinstance(node, Slice | Overlap)
        for below in node.operands
        if isinstance(below, Overlap) and counts[below] == 1
    }

    def rule(rebuilt: Node, original: Node) -> Node:
        if original in inside or not isinstance(rebuilt, Slice | Overlap):
            return rebuilt
        found = _sum_of_products(rebuilt, original, counts)
        if found is None and isinstance(rebuilt, Slice):  # not of the sum's own axes alone
            (below,) = rebuilt.operands
            (first,) = original.operands
            found = _sum_of_products(below, first, counts) if first in inside else None
            new = None if found is None else found.convolution()
            return rebuilt if new is None else folded(rebuilt.with_operands((new,)))
        new = None if found is None else found.convolution()
        return rebuilt if new is None else new

    return form.rewritten(rewrite(form.outputs.values(), rule))


@dataclass(frozen=True)
class _Sum:
    """A contraction whose windows are added up by `overlaps`, each with the index of its windows
    and of the places in them; `box`: what is taken of the sum, None for all."""

    inner: Contraction
    overlaps: list[tuple[Overlap, int, int]]
    output: list[int]
    box: Box | None

    def convolution(self) -> Node | None:
        """The contraction of windows, if it is worth its copy."""
        data, weights = self._terms()
        (g, g_indices), (w, w_indices) = (self.inner.terms[k] for k in (data, weights))
        added = {o: (overlap, k) for overlap, o, k in self.overlaps}
        cut: Box = []
        put: Box = []
        for axis, index in enumerate(g_indices):
            length = g.shape[axis]
            before, after = sympy.S.Zero, sympy.S.Zero
            if index in added:
                before, after = self._margins(index, added[index][0], length)
            if None in (before.is_nonnegative, after.is_nonnegative):
                return None
            front, back = (sympy.Max(-margin, 0) for margin in (before, after))
            cut.append((front, length - front - back, 1))
            put.append((sympy.Max(before, 0), sympy.expand(length + before + after), 1))
        if not self._is_worth(put, g_indices, added):
            return None
        padded = folded(Embed(folded(Slice(g, cut)), put))
        return self._built(padded, g_indices, w, w_indices, added)

    def _margins(
        self, index: int, overlap: Overlap, length: sympy.Expr
    ) -> tuple[sympy.Expr, sympy.Expr]:
        """The zeros before and after g that windows read; fewer than 0 where g is cut."""
        start, taken = sympy.S.Zero, overlap.length
        if self.box is not None:
            start, taken, _ = self.box[self.output.index(index)]
        before = overlap.dilation * (overlap.window - 1) - start
        return sympy.expand(before), sympy.expand(taken + start - length)

    def _built(
        self, windows: Node, g_indices: tuple[int, ...], w: Node, w_indices: tuple[int, ...],
        added: Mapping[int, tuple[Overlap, int]],
    ) -> Node:  # fmt: skip
        labels: list[int] = []
        for index in g_indices:
            axis = len(labels)
            labels.append(index)
            if index in added:
                overlap, place = added[index]
                windows = Windows(windows, axis, overlap.window, 1, overlap.dilation)
                labels.append(place)
        places = {k for _, k in added.values()}
        turned: Box = [
            (size - 1, size, -1) if index in places else (sympy.S.Zero, size, 1)
            for index, size in zip(w_indices, w.shape, strict=True)
        ]
        terms = [(windows, labels), (folded(Slice(w, turned)), w_indices)]
        if self._terms()[0] == 1:
            terms.reverse()
        return contract(self.output, terms, self.inner.scale)

    def _is_worth(
        self, put: Box, g_indices: tuple[int, ...], added: Mapping[int, tuple[Overlap, int]]
    ) -> bool:
        """Whether the windows of g are not many more entries than the products added up."""
        sizes = [size for _, size, _ in put]
        for axis, index in enumerate(g_indices):
            if index in added:
                overlap, _ = added[index]
                sizes[axis] = sizes[axis] - overlap.dilation * (overlap.window - 1)
        windows = sample_size(product([*sizes, *(o.window for o, _ in added.values())]))
        return windows <= WORTH * sample_size(product(self.inner.shape))

    def _terms(self) -> tuple[int, int]:
        """The positions of the term with the windows' numbers and of that with the places."""
        data = next(k for k, ids in enumerate(self.inner.indices) if self.overlaps[0][1] in ids)
        return data, 1 - data


def _sum_of_products(node: Node, original: Node, counts: Mapping[Node, int]) -> _Sum | None:
    """What `node` adds up, if it is one or several Overlaps of a product of two tensors."""
    box: Box | None = None
    if isinstance(node, Slice):
        if any(step != 1 for _, _, step in node.box):
            return None
        box = list(node.box)
        ((node,), (original,)) = node.operands, original.operands
        if counts[original] != 1:
            return None
    chain: list[Overlap] = []
    while isinstance(node, Overlap):
        if node.stride != 1 or (chain and counts[original] != 1):
            return None
        chain.append(node)
        ((node,), (original,)) = node.operands, original.operands
    if not chain or not isinstance(node, Contraction) or counts[original] != 1:
        return None
    if len(node.terms) != 2 or node.dtype != FLOAT:
        return None
    output = list(node.output)
    overlaps = []
    for overlap in reversed(chain):
        count, place = output[overlap.axis : overlap.axis + 2]
        overlaps.append((overlap, count, place))
        del output[overlap.axis + 1]
    found = _Sum(node, overlaps, output, box)
    data, weights = found._terms()
    for _, count, place in overlaps:
        of_data, of_weights = node.indices[data], node.indices[weights]
        if of_data.count(count) != 1 or of_weights.count(place) != 1:
            return None
        if count in of_weights or place in of_data:
            return None
    if box is not None:  # what is taken of other axes is not a matter of padding
        kept = {count for _, count, _ in overlaps}
        pairs = zip(output, box, strict=True)
        if any(i not in kept and entry != (0, node.sizes[i], 1) for i, entry in pairs):
            return None
    return found
