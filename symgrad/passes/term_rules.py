"""Rules on the terms of a contraction: each leaves fewer or smaller terms, so none asks its price.

    sum_j A[i,j] delta[j,k]            ->   A[i,k]
    sum_j t[i,j], rows of t sum to 1   ->   1
    sum_ij 2*v[j] (i unused)           ->   2*n sum_j v[j]
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.leaf import Constant, Identity, Input
from symgrad.expr.node import Node
from symgrad.expr.reindex import Embed, Reshape, ScatterAdd, ScatterAlong
from symgrad.passes.maps import pure_scale
from symgrad.passes.terms import Label, Term, Terms, has_delta


def normal(terms: Terms) -> Terms:
    """Applies every rule until none fires; changes and returns `terms`.

    Each label that is left stands on a term or in the output.
    """
    position = 0
    while position < len(terms.terms):
        if terms.scale != 0 and any(rule(terms, position) for rule in RULES):
            position = 0
        else:
            position += 1
    terms.settle()
    return terms


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
