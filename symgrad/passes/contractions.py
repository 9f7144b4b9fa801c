"""Contractions: products of products merged, and multiplied in the cheapest order.

    sum_i (sum_j A[i,j] B[j,k])         ->   (sum_i A[i,j]) B[j,k]
    sum_ij Map(_0**2, W)                ->   sum_ij W[i,j] W[i,j]
    (A @ B) @ v                         ->   A @ (B @ v)

Only what nobody else uses is merged, and only where another order is cheaper: the order of the
definition stays where it is as good. Afterwards a contraction has at most two operands. A map
that only scales a contraction becomes its scale.
"""

from __future__ import annotations

import sympy

from symgrad.expr.contraction import Contraction, contract, transpose
from symgrad.expr.dimension import same_shape
from symgrad.expr.formula import slots_of
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import slot_index
from symgrad.expr.walk import rewrite, uses
from symgrad.passes.fold import folded
from symgrad.passes.form import Form, repeated
from symgrad.passes.maps import map_of, pure_scale
from symgrad.passes.paths import (
    Labels,
    best_path,
    elementwise_cost,
    pair_cost,
    product_labels,
    sample_size,
    sum_cost,
)
from symgrad.passes.term_rules import normal
from symgrad.passes.terms import Term, Terms
from symgrad.passes.views import arranged, view_axes

MOST_TERMS = 8  # of a merged product: the search for an order stays short
MOST_REPEATED = 4  # x**k is k equal terms up to this k
WORTH = 0.99  # another order must cost less than this part of the present one


def merge_contractions(form: Form) -> Form:
    """The same outputs with every product in the cheapest order that was found."""
    return repeated(form, _merged_once)


def _merged_once(form: Form) -> Form:
    counts = uses(form.outputs.values())
    used: dict[Node, int] = {}

    def rule(rebuilt: Node, original: Node) -> Node:
        node = _through_view(folded(rebuilt), used)
        scale = pure_scale(node)
        if scale is not None and used.get(node.operands[0], 2) == 1:
            (inner,) = node.operands
            if isinstance(inner, Contraction) and not inner.is_view:
                node = Contraction(inner.scale * scale, *inner.args[1:])
        if isinstance(node, Contraction):
            node = _with_scales(node, used)
        if isinstance(node, Contraction):
            node = _reordered(node, used)
        used[node] = used.get(node, 0) + counts[original]
        return node

    return form.rewritten(rewrite(form.outputs.values(), rule))


def _with_scales(node: Contraction, used: dict[Node, int]) -> Node:
    """`node` with the scales of operands that it alone reads in its own."""
    terms = Terms.of(node)
    for position, (operand, _) in enumerate(node.terms):
        if used.get(operand, 1) == 1 and pure_scale(operand) is not None:
            terms.take_scale(position)
    return node if terms.scale == node.scale else normal(terms).node()


def _reordered(node: Contraction, used: dict[Node, int]) -> Node:
    """`node`, merged with operands of its own and multiplied anew if that is cheaper."""
    region = _Region(node, used)
    if not region.is_merged and len(node.operands) <= 2:
        return node
    terms = normal(region.terms)
    if len(terms.terms) < 2:
        return terms.node()
    sizes = {label: sample_size(size) for label, size in terms.sizes.items()}
    summed, presum = _without_private_sums(terms, sizes)
    labels = tuple(ids for _, ids in summed)
    carried = {i for ids in labels for i in ids}
    varying = tuple(i for i in terms.output if i in carried)
    cost, path = best_path(labels, varying, tuple(sorted(sizes.items())))
    if len(node.operands) > 2:
        return _multiplied(terms, summed, path)
    if cost + presum >= WORTH * region.cost:
        return node
    new = _multiplied(terms, summed, path)
    # What was promised must be kept: a product may come out with its axes in another order.
    leaves = region.leaves | {operand for operand, _ in terms.terms}
    return new if _cost(new, leaves) < WORTH * _cost(node, leaves) else node


def _through_view(node: Node, used: dict[Node, int]) -> Node:
    """The transpose of a product or of a map  ->  the same with its own axes in that order.

    Under a map the views are moved to its operands, where that makes no more of them.
    """
    found = view_axes(node)
    if found is None or used.get(found[0], 2) > 1 or None in found[1]:
        return node
    source, axes = found
    order = [axis for axis in axes if axis is not None]
    if isinstance(source, Contraction):
        return contract([source.output[axis] for axis in order], source.terms, source.scale)
    is_permutation = len(order) == source.ndim
    if isinstance(source, Map) and is_permutation and _is_uniform(source):
        moved = [folded(transpose(x, order)) for x in source.operands]
        if sum(map(_is_view, moved)) <= sum(map(_is_view, source.operands)):
            return folded(Map(source.formula, *moved))
    return node


def _is_uniform(node: Map) -> bool:
    return all(same_shape(x.shape, node.shape) for x in node.operands)


def _is_view(node: Node) -> bool:
    return isinstance(node, Contraction) and node.is_view


class _Region:
    """The terms of a contraction, with those operands opened that it alone uses; and the cost."""

    def __init__(self, root: Contraction, used: dict[Node, int]) -> None:
        self.terms = Terms.of(root)
        self.is_merged = False
        self.cost = _own_cost(root)
        position = 0
        while position < len(self.terms.terms):
            operand, _ = self.terms.terms[position]
            if used.get(operand, 1) > 1 or not self._open(position):
                position += 1
        self.leaves = {operand for operand, _ in self.terms.terms}

    def _open(self, position: int) -> bool:
        operand, labels = self.terms.terms[position]
        room = MOST_TERMS - len(self.terms.terms) + 1
        if isinstance(operand, Contraction) and len(operand.operands) <= room:
            self.terms.absorb(position)
        elif isinstance(operand, Map):
            factors = _factors(operand)
            if factors is None or len(factors[1]) > room:
                return False
            scale, parts = factors
            self.terms.scale = self.terms.scale * scale
            aligned = [beside(part, operand, labels) for part in parts]
            self.terms.terms[position : position + 1] = aligned
        else:
            return False
        self.cost += _own_cost(operand)
        self.is_merged = True
        return True


def _own_cost(node: Node) -> float:
    """What computing a product or a sum from its operands costs; a view costs nothing."""
    if isinstance(node, Contraction):
        sizes = {label: sample_size(size) for label, size in node.sizes.items()}
        if len(node.operands) == 2:
            first, second = node.indices
            return pair_cost(first, second, node.output, sizes)
        if any(sizes[label] != 1 for label in node.summed):
            return sum_cost(node.indices[0], node.output, sizes)
    elif isinstance(node, Map) and (factors := _factors(node)) is not None:
        whole = dict(enumerate(map(sample_size, node.shape)))
        return (len(factors[1]) - 1) * elementwise_cost(whole, whole)
    return 0.0


def _cost(root: Node, leaves: set[Node]) -> float:
    """What computing `root` from `leaves` costs."""
    total = 0.0
    stack, seen = [root], set(leaves)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        total += _own_cost(node)
        if isinstance(node, Contraction):
            stack.extend(node.operands)
        elif isinstance(node, Map) and (factors := _factors(node)) is not None:
            stack.extend(factors[1])
    return total


def beside(part: Node, whole: Map, labels: Labels) -> Term:
    """`part`, which is broadcast in `whole`, with the labels that stand on its own axes."""
    extra = whole.ndim - part.ndim
    kept = [a for a, n in enumerate(part.shape) if n != 1 or whole.shape[extra + a] == 1]
    dense = arranged(part, kept, tuple(part.shape[axis] for axis in kept))
    return dense, tuple(labels[extra + axis] for axis in kept)


def _factors(node: Map) -> tuple[sympy.Expr, list[Node]] | None:
    """A number and the operands of which `node` is the product; what is no operand is one map."""
    scale: sympy.Expr = sympy.S.One
    parts: list[Node] = []
    rest: sympy.Expr = sympy.S.One
    for factor in sympy.Mul.make_args(node.formula):
        base, exponent = factor.as_base_exp() if factor.is_Pow else (factor, sympy.S.One)
        position = slot_index(base)
        if not slots_of(factor):
            scale = scale * factor
        elif position is not None and exponent.is_Integer and 1 <= exponent <= MOST_REPEATED:
            parts += [node.operands[position]] * int(exponent)
        else:
            rest = rest * factor
    if rest != 1:
        if not parts:
            return None
        whole = Map(rest, *node.operands)
        parts.append(map_of(rest, whole.operands, whole.shape, whole.dtype))
    return (scale, parts) if len(parts) > 1 else None


def _without_private_sums(terms: Terms, sizes: dict[int, int]) -> tuple[list[Term], float]:
    """The terms, each summed over the labels that it alone carries; and what that costs."""
    done: list[Term] = []
    cost = 0.0
    for position, (operand, labels) in enumerate(terms.terms):
        private = {i for i in labels if terms.is_private(i, position)}
        kept = tuple(dict.fromkeys(i for i in labels if i not in private))
        if kept != labels:
            if any(sizes[i] != 1 for i in private):
                cost += sum_cost(labels, kept, sizes)
            own = {i: terms.sizes[i] for i in labels}
            part = Terms(sympy.S.One, kept, [(operand, labels)], own, operand.dtype)
            operand = normal(part).node()
        done.append((operand, kept))
    return done, cost


def _multiplied(terms: Terms, parts: list[Term], path: tuple[tuple[int, int], ...]) -> Node:
    """The product of `parts`, pair by pair."""
    remaining = parts
    for step, pair in enumerate(path, start=1):
        chosen = [remaining[k] for k in pair]
        rest = [term for k, term in enumerate(remaining) if k not in pair]
        is_last = step == len(path)
        needed = [*(labels for _, labels in rest), terms.output]
        out = terms.output if is_last else product_labels(chosen[0][1], chosen[1][1], needed)
        scale = terms.scale if is_last else sympy.S.One
        sizes = {i: terms.sizes[i] for i in {*out, *chosen[0][1], *chosen[1][1]}}
        product = Terms(scale, out, chosen, sizes, terms.dtype)
        remaining = [*rest, (normal(product).node(), out)]
    ((result, _),) = remaining
    return result
