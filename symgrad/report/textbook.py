"""The derivatives as a book prints them: simplified like the module's, but for readers.

    d_Z = (softmax(Z) - Y)/n   ->   d_Z = (P - Y)/n, where the user named P = softmax(Z)

What the user named is read where a formula holds it, though the module never computes it; its
derivative is an equation of its own (`own_derivatives`), no formula is longer than it need be
(`shorter`), and derivatives in all directions are laid out as books do (`directions`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from symgrad.derivation import Derived, passes_on_paper
from symgrad.expr.leaf import Leaf
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.walk import postorder
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION, run
from symgrad.passes.reuse import read_instead
from symgrad.report.directions import Directions, directions, with_directions_last
from symgrad.report.own_derivatives import with_own_derivatives
from symgrad.report.shorter import with_shorter


@dataclass(frozen=True)
class Textbook:
    """A function's results as they are printed, with origins in what differentiation left.

    named: what the user named, as it stands here -> as it was before the differentiation. read:
    those of the latter that nothing computes and that are read here, with their names. along: what
    was left in every direction at once; turned: what stands here with the directions last.
    """

    form: Form
    paper: Form
    named: Mapping[Node, Node]
    read: Mapping[Node, str]
    along: Mapping[Node, Directions]
    turned: frozenset[Node]

    @cached_property
    def _standing(self) -> dict[Node, Node]:
        return {origin: node for node, origin in self.form.origins.items()}

    @cached_property
    def nodes(self) -> frozenset[Node]:
        return frozenset(postorder(self.form.outputs.values()))

    def standing_for(self, node: Node) -> Node | None:
        """What is printed for a tensor of the form that the module is made from."""
        if node in self.nodes:
            return node
        return self._standing.get(self.paper.origins.get(node, node))


def textbook(model: Model, derived: Derived, stabilised: Form, told: Collection[Node]) -> Textbook:
    """The results of `derived` for readers. `stabilised`: as it was differentiated, with origins.

    told: the forward pass of the function. Values are those of `derived.paper`.
    """
    users = {n for n, o in stabilised.origins.items() if o in model.names}
    form = with_own_derivatives(derived, users)
    nodes = set(postorder(form.outputs.values()))
    named = _named(model, derived, stabilised)
    unread = [n for n in named if isinstance(n, Map) and n not in nodes]
    kept = {n for n in nodes if n in named or form.origins.get(n, n) in told}
    form = read_instead(with_shorter(form, derived, kept), unread, kept)
    along = directions(derived.journal)
    form, turned = with_directions_last(form, along) if along else (form, set())
    nodes = set(postorder(form.outputs.values()))
    read = {node: x for node, x in named.items() if node in nodes and x[0] not in told}
    form = replace(form, origins=form.origins | {node: was for node, (was, _) in read.items()})
    started = {node: was for node, (was, _) in named.items()}
    return Textbook(form, derived.paper, started, dict(read.values()), along, frozenset(turned))


def _named(model: Model, derived: Derived, stabilised: Form) -> dict[Node, tuple[Node, str]]:
    """What the user named, simplified: as it was before the differentiation, and its name."""
    standing = {origin: node for node, origin in stabilised.origins.items()}
    named = {n: x for n, x in model.names.items() if n.dtype == FLOAT and not isinstance(n, Leaf)}
    gone = {x: n for n, x in named.items() if n not in standing}
    prepared = run(Form(gone, {}, {}), BEFORE_DERIVATION).outputs if gone else {}
    known = {x: standing[n] for n, x in named.items() if n in standing} | prepared
    simplified = run(Form(known, {}, {}), passes_on_paper(derived.name)).outputs
    return {node: (known[name], name) for name, node in simplified.items()}
