"""Derivatives along every direction at once, laid out as a book does: what is differentiated first.

    t_z[i, ...] for every direction i of w   ->   dz/dw[..., i]

Forward mode counts the directions on the first axes, where the code has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symgrad.calculus.journal import FORWARD, Journal
from symgrad.expr.contraction import Contraction, contract, transpose
from symgrad.expr.dimension import same_shape
from symgrad.expr.leaf import Leaf
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder, rewrite
from symgrad.passes.fold import folded
from symgrad.passes.form import Form
from symgrad.passes.maps import map_of
from symgrad.passes.views import arranged
from symgrad.report.notation import Math, Partial
from symgrad.report.notation.build import transposed
from symgrad.report.notation.formula import SecondPartial
from symgrad.report.paper_names import PaperNames


@dataclass(frozen=True)
class Directions:
    """The derivative of `of` by `by`, all entries of both; or that of the derivative by `of`.

    is_second: whether it is that. count: of the first axes, which are those of `by`; 0 where the
    axes stand in order.
    """

    of: Node
    by: Node
    is_second: bool
    count: int

    @property
    def order(self) -> list[int]:
        """The axes as they are to stand."""
        return [*range(self.count, self.count + self.of.ndim), *range(self.count)]


def directions(journal: Journal) -> dict[Node, Directions]:
    """The derivatives of the journal that were batched over directions."""
    found: dict[Node, Directions] = {}
    seeded: Node | None = None
    for step in journal.steps:
        if step.kind == "seed":
            seeded = step.node
        elif step.kind == "batch" and seeded is not None and seeded.ndim:
            for node in postorder([step.result]):
                along = _along(node, seeded, step.mode == FORWARD, journal)
                if along is not None and not isinstance(node, Leaf):
                    found.setdefault(node, along)
    return found


def _along(node: Node, seeded: Node, is_forward: bool, journal: Journal) -> Directions | None:
    owner = (journal.motion if is_forward else journal.provenance).get(node)
    if owner is None or not same_shape(node.shape, (*seeded.shape, *owner.shape)):
        return None
    if not is_forward:
        return Directions(seeded, owner, False, 0)
    of = journal.provenance.get(owner, owner)
    return Directions(of, seeded, owner in journal.provenance, seeded.ndim)


def called_along(found: Directions, names: PaperNames) -> Math | None:
    """What a derivative in all directions is called; None where one of the two has no name."""
    of, by, rank = names(found.of), names(found.by), found.of.ndim
    if of is None or by is None:
        return None
    if not found.is_second:
        return Partial(by, of, rank)
    return SecondPartial(of, by, rank, names.loss, rank == found.by.ndim == 1)


def names_along(found: Mapping[Node, Directions], names: PaperNames) -> dict[Node, Math]:
    """Names for those that stand in order, or are matrices the other way."""
    called: dict[Node, Math] = {}
    for node, along in found.items():
        name = called_along(along, names)
        if name is not None and (not along.count or node.ndim == 2):
            called[node] = transposed(name) if along.count else name
    return called


def with_directions_last(form: Form, found: Mapping[Node, Directions]) -> tuple[Form, set[Node]]:
    """The same outputs with the axes of directions last, and the tensors that have them there."""
    turned: dict[Node, Node] = {}

    def rule(rebuilt: Node, original: Node) -> Node:
        node = folded(rebuilt)
        along = found.get(form.origins.get(original, original))
        new = _transposed(node, along.order) if along is not None and along.count else None
        if along is None or new is None:
            return node
        turned[new] = form.origins.get(original, original)
        back = sorted(range(node.ndim), key=along.order.__getitem__)
        return folded(transpose(new, back))

    now = form.rewritten(rewrite(form.outputs.values(), rule))
    alive = set(postorder(now.outputs.values()))
    told = {node: o for node, o in turned.items() if node in alive and not isinstance(node, Leaf)}
    others = {node: o for node, o in now.origins.items() if o not in turned.values()}
    return replace(now, origins=others | told), set(told)


def _transposed(node: Node, order: list[int]) -> Node | None:
    """A product or a map with its own axes in that order; None for what is neither."""
    if isinstance(node, Contraction):
        output = [node.output[axis] for axis in order]
        return folded(contract(output, node.terms, node.scale, dict(node.sizes)))
    if not isinstance(node, Map):
        return None
    moved = [_beside(x, node.ndim, order) for x in node.operands]
    shape = tuple(node.shape[axis] for axis in order)
    return folded(map_of(node.formula, moved, shape, node.dtype))


def _beside(x: Node, rank: int, order: list[int]) -> Node:
    """An operand of a map of `rank` axes as it stands when these are in that order."""
    missing = rank - x.ndim
    own = [axis - missing for axis in order]
    axes = [axis if axis >= 0 and x.shape[axis] != 1 else None for axis in own]
    sizes = [x.shape[axis] if axis is not None else 1 for axis in axes]
    return arranged(x, axes, tuple(sizes))
