"""Each derivative of what the user named as an equation of its own.

    d_S_in = A*(G - ...)/8,  d_Q = d_S_in @ K   ->   d_S = A*(G - ...),  d_Q = d_S @ K/8

Simplifying puts it into the derivative of a part without a name where that alone reads it, and a
sum into its readers. Here it is simplified apart, no pass seeing through it, and put back then.
"""

from __future__ import annotations

from symgrad.derivation import Derived, passes_on_paper
from symgrad.expr.contraction import Contraction
from symgrad.expr.leaf import Cotangent, Leaf, Named
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder, rewrite, substitute
from symgrad.passes.fold import folded
from symgrad.passes.form import Form
from symgrad.passes.fuse import fuse
from symgrad.passes.maps import composed, map_of, pure_scale
from symgrad.passes.pipeline import run
from symgrad.passes.term_rules import normal
from symgrad.passes.terms import Terms
from symgrad.passes.tidy import finished


def with_own_derivatives(derived: Derived, users: set[Node]) -> Form:
    """Simplified, and each derivative of one of `users` an equation of its own."""
    apart = _swallowed(derived, users) | _merged_sums(derived, users)
    while apart:
        form, definitions = _simplified_apart(derived, apart)
        trivial = {node for node, now in definitions.items() if _is_trivial(now)}
        if not trivial:
            return _with_scales_of(form, set(definitions.values()))
        apart -= trivial
    return derived.paper


def _is_trivial(node: Node) -> bool:
    """What needs no name of its own: a multiple of something, or the same laid out anew."""
    is_view = isinstance(node, Contraction) and node.is_view
    return isinstance(node, Leaf) or is_view or pure_scale(node) is not None


def _simplified_apart(derived: Derived, apart: set[Node]) -> tuple[Form, dict[Node, Node]]:
    """The results simplified, where no pass sees more of `apart` than a name; and what these are.

    `apart`: nodes as differentiation left them.
    """
    begun = derived.begun
    definitions: dict[Node, Node] = {}
    places: dict[Node, Node] = {}

    def rule(rebuilt: Node, original: Node) -> Node:
        if original not in apart:
            return rebuilt
        definitions[original] = rebuilt
        places[original] = Cotangent(f"_apart_{len(places)}", original.shape)
        return places[original]

    became = rewrite(begun.outputs.values(), rule)
    keys = {node: f"apart {k}" for k, node in enumerate(definitions)}
    outputs = {name: became[node] for name, node in begun.outputs.items()}
    outputs |= {keys[node]: now for node, now in definitions.items()}
    origins = {now: node for node, now in definitions.items()}
    for node, origin in begun.origins.items():
        if node not in places:
            origins.setdefault(became.get(node, node), origin)
    names = {became.get(node, node): name for node, name in begun.names.items()}
    form = run(Form(outputs, names, origins), passes_on_paper(derived.name))
    known: dict[Node, Node] = {}
    for node, place in places.items():  # each reads those before it
        definition = form.outputs[keys[node]]
        known[place] = substitute([definition], known)[definition]
    form = form.rewritten(substitute(form.outputs.values(), known))
    results = {name: form.outputs[name] for name in begun.outputs}
    alive = set(postorder(results.values()))
    origins = {node: origin for node, origin in form.origins.items() if node in alive}
    return Form(results, form.names, origins), {n: known[places[n]] for n in definitions}


def _merged_sums(derived: Derived, users: set[Node]) -> set[Node]:
    """Derivatives of `users` that are sums, of which simplifying left nothing."""
    standing = set(derived.paper.origins.values())
    owners = derived.journal.provenance | derived.journal.motion
    return {
        node
        for node, owner in owners.items()
        if isinstance(node, Contraction) and not node.is_view and node not in standing
        and derived.journal.copies.get(owner, owner) in users and node in derived.begun.origins
    }  # fmt: skip


def _swallowed(derived: Derived, users: set[Node]) -> set[Node]:
    """Derivatives of `users` that only a derivative of something else reads."""
    journal, passes = derived.journal, passes_on_paper(derived.name)
    form = run(derived.begun, passes[: passes.index(fuse)])
    readers = _readers(form)
    returned = set(form.outputs.values())
    derivatives = journal.provenance | journal.motion

    def is_told(node: Node) -> bool:
        owner = derivatives.get(form.origins.get(node, node))
        if owner is None:
            return node in returned
        return isinstance(owner, Named) or journal.copies.get(owner, owner) in users

    def swallowing(node: Node) -> Node:
        """The map that fusing puts it into, through others."""
        above = readers.get(node, [])
        while node not in returned and len(above) == 1 and isinstance(above[0], Map):
            (node,) = above
            if is_told(node):
                break
            above = readers.get(node, [])
        return node

    return {
        form.origins.get(node, node) for node in readers
        if isinstance(node, Map) and is_told(node)
        and (whole := swallowing(node)) is not node and not is_told(whole)
    }  # fmt: skip


def _readers(form: Form) -> dict[Node, list[Node]]:
    found: dict[Node, list[Node]] = {}
    for node in postorder(form.outputs.values()):
        for operand in node.operands:
            found.setdefault(operand, []).append(node)
    return found


def _with_scales_of(form: Form, inner: set[Node]) -> Form:
    """Products and maps that read mere multiples of `inner` have the numbers in themselves."""
    readers = _readers(form)
    scales = {
        node
        for node, above in readers.items()
        if pure_scale(node) is not None
        and node.operands[0] in inner
        and node not in form.outputs.values()
        and all(isinstance(x, Map) or (isinstance(x, Contraction) and not x.is_view) for x in above)
    }

    def rule(rebuilt: Node, original: Node) -> Node:
        if scales.isdisjoint(rebuilt.operands):
            return rebuilt
        if isinstance(rebuilt, Map):
            parts = {k: (x.formula, x.operands) for k, x in enumerate(rebuilt.operands)
                     if isinstance(x, Map) and x in scales}  # fmt: skip
            formula, operands = composed(rebuilt.formula, rebuilt.operands, parts)
            return folded(map_of(finished(formula), operands, rebuilt.shape, rebuilt.dtype))
        assert isinstance(rebuilt, Contraction)
        terms = Terms.of(rebuilt)
        for position, (operand, _) in enumerate(rebuilt.terms):
            if operand in scales:
                terms.take_scale(position)
        return normal(terms).node()

    return form.rewritten(rewrite(form.outputs.values(), rule))
