"""Contractions taken apart: a product of terms over labelled indices, and its normal form.

    sum_j A[i,j] delta[j,k]            ->   A[i,k]
    sum_j t[i,j], rows of t sum to 1   ->   1
    sum_ij 2*v[j] (i unused)           ->   2*n sum_j v[j]

Every rule here leaves fewer or smaller terms, so none asks what it costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Constant, Identity, Input
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reindex import Embed, Reshape, ScatterAdd, ScatterAlong
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


def normal(terms: Terms) -> Terms:
    """Applies every rule until none fires; changes and returns `terms`."""
    position = 0
    while position < len(terms.terms):
        if terms.scale != 0 and any(rule(terms, position) for rule in RULES):
            position = 0
        else:
            position += 1
    return terms


def has_delta(node: Node) -> bool:
    """Whether `node` is a Kronecker delta, or a product with one among its factors."""
    if isinstance(node, Identity):
        return True
    return isinstance(node, Contraction) and any(isinstance(x, Identity) for x in node.operands)


def _is_opened(node: Node) -> bool:
    """Whether a rule below looks into it."""
    if isinstance(node, Input):
        return node.sums_to_one is not None
    families = (Constant, Contraction, Embed, Identity, Reshape, ScatterAdd, ScatterAlong)
    return isinstance(node, families)


# Each rule changes `terms` at `position` and says whether it did.


def take_constant(terms: Terms, position: int) -> bool:
    """c[...]  ->  a factor of the scale."""
    operand, _ = terms.terms[position]
    if not isinstance(operand, Constant) or operand.value.is_finite is False:
        return False
    terms.scale = terms.scale * operand.value
    del terms.terms[position]
    return True


def take_scale(terms: Terms, position: int) -> bool:
    """(c*x)[i]  ->  c, x[i], where a rule may have something to say about x.

    Where none has, whether c*x should exist is a question of who else reads it.
    """
    operand, _ = terms.terms[position]
    if pure_scale(operand) is None or not _is_opened(operand.operands[0]):
        return False
    terms.take_scale(position)
    return True


def take_view(terms: Terms, position: int) -> bool:
    """A view of x, or a diagonal of it  ->  x with other labels."""
    operand, _ = terms.terms[position]
    if not isinstance(operand, Contraction) or len(operand.operands) != 1:
        return False
    if any(operand.sizes[i] != 1 for i in operand.summed):
        return False
    terms.absorb(position)
    return True


def take_delta(terms: Terms, position: int) -> bool:
    """sum_j delta[j,k] x[j]  ->  x[k];  delta[i,i]  ->  1;  delta twice  ->  once; 1 x 1  ->  1."""
    operand, indices = terms.terms[position]
    if not isinstance(operand, Identity):
        return False
    a, b = indices
    others = terms.terms[:position] + terms.terms[position + 1 :]
    repeated = any(isinstance(x, Identity) and set(ids) == {a, b} for x, ids in others)
    summed = next((i for i in (b, a) if i not in terms.output), None)
    is_one = a == b or repeated or terms.sizes[a] == 1
    if not is_one and summed is None:
        return False
    terms.terms = others
    if not is_one and summed is not None:
        terms.rename(summed, a if summed == b else b)
    return True


def take_product_with_delta(terms: Terms, position: int) -> bool:
    """sum_j (delta[i,j] h[j]) x[j,k]  ->  the terms of the product: the delta cancels.

    A view of such a product is one, too: so that it is known as one.
    """
    operand, indices = terms.terms[position]
    if not isinstance(operand, Contraction) or not has_delta(operand):
        return False
    if len(terms.terms) == 1 and all(i in terms.output or terms.sizes[i] == 1 for i in indices):
        terms.absorb(position)
        return True
    outside = dict(zip(operand.output, indices, strict=True))
    cancels = any(
        isinstance(x, Identity) and any(outside.get(i) not in (*terms.output, None) for i in ids)
        for x, ids in operand.terms
    )
    if cancels:
        terms.absorb(position)
    return cancels


def take_distribution(terms: Terms, position: int) -> bool:
    """sum_j t[i,j]  ->  1, where an input promises that it sums to 1 along j."""
    operand, indices = terms.terms[position]
    if not isinstance(operand, Input) or operand.sums_to_one is None:
        return False
    if not terms.is_private(indices[operand.sums_to_one % operand.ndim], position):
        return False
    del terms.sizes[indices[operand.sums_to_one % operand.ndim]]
    del terms.terms[position]
    return True


def sum_scattered(terms: Terms, position: int) -> bool:
    """A sum over the axis along which entries were scattered  ->  the sum of the entries."""
    operand, indices = terms.terms[position]
    if not isinstance(operand, ScatterAdd | ScatterAlong):
        return False
    axis = operand.axis
    if not terms.is_private(indices[axis], position):
        return False
    source = operand.source
    fresh = indices[axis]
    del terms.sizes[fresh]
    replaced = source.shape[axis : axis + source.ndim - operand.ndim + 1]
    labels = tuple(terms.fresh(size) for size in replaced)
    terms.terms[position] = source, indices[:axis] + labels + indices[axis + 1 :]
    return True


def sum_embedded(terms: Terms, position: int) -> bool:
    """A sum over an axis that was filled up with zeros  ->  the sum without them."""
    operand, indices = terms.terms[position]
    if not isinstance(operand, Embed):
        return False
    (source,) = operand.operands
    box = list(operand.box)
    changed = False
    for axis, label in enumerate(indices):
        whole = (sympy.S.Zero, source.shape[axis], 1)
        if box[axis] != whole and terms.is_private(label, position):
            box[axis] = whole
            terms.sizes[label] = source.shape[axis]
            changed = True
    if changed:
        is_whole = all(entry == (0, n, 1) for entry, n in zip(box, source.shape, strict=True))
        terms.terms[position] = source if is_whole else Embed(source, box), indices
    return changed


def sum_reshaped(terms: Terms, position: int) -> bool:
    """A sum over all entries asks for no shape."""
    operand, indices = terms.terms[position]
    if not isinstance(operand, Reshape):
        return False
    if not all(terms.is_private(label, position) for label in indices):
        return False
    for label in indices:
        del terms.sizes[label]
    (source,) = operand.operands
    terms.terms[position] = source, tuple(terms.fresh(size) for size in source.shape)
    return True


RULES = (
    take_constant,
    take_scale,
    take_view,
    take_delta,
    take_product_with_delta,
    take_distribution,
    sum_scattered,
    sum_embedded,
    sum_reshaped,
)


def contracted(
    output: Sequence[Label],
    terms: Sequence[Term],
    scale: sympy.Expr,
    sizes: dict[Label, sympy.Expr],
) -> Node:
    """The normal form of a contraction of `terms`."""
    node = contract(output, terms, scale, sizes)
    return normal(Terms.of(node)).node() if isinstance(node, Contraction) else node
