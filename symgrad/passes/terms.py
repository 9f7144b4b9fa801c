"""Contractions taken apart: a product of terms over labelled indices that can be changed.

    c * sum_j A[i,j] x[j]    is    scale c, output (i,), terms [(A, (i, j)), (x, (j,))]

`Terms.node` puts it together again, as the smallest node that computes it: a view, a map, a sum.
The rules of `symgrad.passes.term_rules` bring it into normal form before.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Constant, Identity
from symgrad.expr.node import FLOAT, Node
from symgrad.passes.maps import as_kind, map_of, pure_scale
from symgrad.passes.views import arranged, stretched

Label = int
Term = tuple[Node, tuple[Label, ...]]


@dataclass
class Terms:
    """`scale * sum of the product of terms`, over every label that is not in `output`."""

    scale: sympy.Expr
    output: tuple[Label, ...]
    terms: list[Term]
    sizes: dict[Label, sympy.Expr]
    dtype: str

    @staticmethod
    def of(node: Contraction) -> Terms:
        return Terms(node.scale, node.output, list(node.terms), dict(node.sizes), node.dtype)

    def fresh(self, size: sympy.Expr) -> Label:
        """A new label for an axis of `size`."""
        label = max(self.sizes, default=-1) + 1
        self.sizes[label] = size
        return label

    def is_private(self, label: Label, position: int) -> bool:
        """Whether `label` is summed and stands once, on term `position`."""
        count = sum(indices.count(label) for _, indices in self.terms)
        return label not in self.output and count == 1 and label in self.terms[position][1]

    def absorb(self, position: int) -> None:
        """Puts the terms of a contraction in its place."""
        inner, outside = self.terms[position]
        assert isinstance(inner, Contraction)
        label_of = dict(zip(inner.output, outside, strict=True))
        for label, size in inner.sizes.items():
            if label not in label_of:
                label_of[label] = self.fresh(size)
        self.scale = self.scale * inner.scale
        self.terms[position : position + 1] = [
            (operand, tuple(label_of[i] for i in indices)) for operand, indices in inner.terms
        ]

    def take_scale(self, position: int) -> None:
        """Takes c out of the term `c*x`."""
        operand, indices = self.terms[position]
        scale = pure_scale(operand)
        assert scale is not None
        self.scale = self.scale * scale
        self.terms[position] = operand.operands[0], indices

    def rename(self, old: Label, new: Label) -> None:
        """Lets `new` stand where `old` stood."""
        self.terms = [
            (operand, tuple(new if i == old else i for i in indices))
            for operand, indices in self.terms
        ]
        del self.sizes[old]

    def settle(self) -> None:
        """Makes sums over labels that no term carries a factor of the scale."""
        carried = {i for _, indices in self.terms for i in indices} | set(self.output)
        for label in [label for label in self.sizes if label not in carried]:
            self.scale = self.scale * self.sizes.pop(label)

    def node(self) -> Node:
        """The smallest node that computes this."""
        self.settle()
        shape = tuple(self.sizes[i] for i in self.output)
        if not self.terms or self.scale == 0:
            return Constant(self.scale, shape, self.dtype if self.dtype == FLOAT else None)
        carried = {i for _, indices in self.terms for i in indices}
        core = tuple(i for i in self.output if i in carried)
        axes = [core.index(i) if i in carried else None for i in self.output]
        varying = as_kind(self._core(core, carried - set(core)), self.dtype)
        return arranged(varying, axes, shape)

    def _core(self, output: tuple[Label, ...], summed: set[Label]) -> Node:
        """What varies: each label of `output` stands on a term."""
        shape = tuple(self.sizes[i] for i in output)
        is_sum = any(self.sizes[i] != 1 for i in summed)
        if len(self.terms) == 1:
            operand, indices = self.terms[0]
            if not is_sum and len(set(indices)) == len(indices):
                view = arranged(operand, [indices.index(i) for i in output], shape)
                if self.scale == 1:
                    return view
                return map_of(self.scale * slot(0), [view], shape, self.dtype)
        elif not is_sum and self._is_elementwise(output):
            return self._elementwise(output, shape)
        return contract(output, self.terms, self.scale)

    def _is_elementwise(self, output: tuple[Label, ...]) -> bool:
        """Whether terms without deltas are multiplied entry by entry: no outer product."""
        if any(has_delta(operand) for operand, _ in self.terms):
            return False
        return any(
            self.sizes[i] != 1 and sum(i in indices for _, indices in self.terms) > 1
            for i in output
        )

    def _elementwise(self, output: tuple[Label, ...], shape: tuple[sympy.Expr, ...]) -> Node:
        operands = []
        for operand, indices in self.terms:
            if len(set(indices)) < len(indices):  # a diagonal
                own = tuple(i for i in output if i in indices)
                operand, indices = contract(own, [(operand, indices)]), own
            axes = [indices.index(i) if i in indices else None for i in output]
            sizes = [self.sizes[i] if i in indices else sympy.S.One for i in output]
            lead = next((r for r, axis in enumerate(axes) if axis is not None), len(axes))
            operands.append(arranged(operand, axes[lead:], tuple(sizes[lead:])))
        formula = sympy.Mul(self.scale, *(slot(k) for k in range(len(operands))))
        return stretched(map_of(formula, operands, shape, self.dtype), shape)


def has_delta(node: Node) -> bool:
    """Whether `node` is a Kronecker delta, or a product with one among its factors."""
    if isinstance(node, Identity):
        return True
    return isinstance(node, Contraction) and any(isinstance(x, Identity) for x in node.operands)
