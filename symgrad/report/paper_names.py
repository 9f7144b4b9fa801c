"""What the tensors of a derivation are called on paper: symbols, and derivatives by them.

    h -> h        the cotangent of h -> the loss's derivative by h        its tangent -> dh

A naming decides which tensors have a name; here it becomes notation. The loss is called L, or as
the user calls it, if that is a letter: C, E_total.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from symgrad.calculus.journal import FORWARD, Journal
from symgrad.expr.dimension import same_shape
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.report.naming import Naming
from symgrad.report.notation import Along, Math, Partial, Symbol, symbol
from symgrad.report.notation.formula import LOSS
from symgrad.report.notation.names import derivative, is_letter


class PaperNames:
    """Names as notation. `more` says what some tensors are called, whatever their name."""

    def __init__(
        self,
        naming: Naming,
        owners: Mapping[Node, tuple[str, Node]] | None = None,
        more: Mapping[Node, Math] | None = None,
        loss: Node | None = None,
        slopes: Mapping[Node, Math] | None = None,
        called: str | None = None,
    ) -> None:
        """`owners`: derivative -> ("d" or "t", the tensor that it is the derivative of).

        slopes: what the derivatives that belong to some tensors are called. `called`: the user's
        name of the loss.
        """
        self.naming = naming
        self._owners = owners or {}
        self._known: dict[Node, Math] = dict(more or {})
        self._slopes = dict(slopes or {})
        self.loss = loss_symbol(naming, called)
        if loss is not None:
            self._known.setdefault(loss, self.loss)

    def __call__(self, node: Node) -> Math | None:
        """The name of `node`, None if it is written where it is used."""
        if node in self._known:
            return self._known[node]
        name = self.naming.name_of(node)
        if name is None:
            return None
        found = self._derivative(node, name)
        if found is None:  # several are called so: a number is added
            found = derivative(name, self.loss) if node in self._owners else symbol(name)
        self._known[node] = found
        return found

    def rename(self, more: Mapping[Node, Math]) -> None:
        """Names that go before those of the naming."""
        self._known |= more

    def derivative(self, node: Node, mark: str = "d") -> Math | None:
        """What the derivative that belongs to `node` is called."""
        if node in self._slopes:
            return self._slopes[node]
        name = self(node)
        if name is None:
            return None
        return Along(name) if mark == "t" else Partial(name, self.loss)

    def _derivative(self, node: Node, name: str) -> Math | None:
        mark, primal = self._owners.get(node, ("", node))
        if not mark or name != f"{mark}_{self.naming.name_of(primal)}":
            return None
        return self.derivative(primal, mark)


def loss_symbol(naming: Naming, called: str | None = None) -> Symbol:
    """The user's name of the loss if it is a letter, else L, unless something else is called so."""
    own = None if called is None else symbol(called)
    if own is not None and is_letter(own):
        return own
    is_taken = any(name == LOSS.base for name in naming.names.values())
    return Symbol("loss", (), True) if is_taken else LOSS


def owners_of(journal: Journal) -> dict[tuple[str, Node], list[Node]]:
    """(mark, derivative) -> the tensors whose derivative it is, in the order of the journal."""
    owners: dict[tuple[str, Node], list[Node]] = {}
    for mark, table in (("d", journal.provenance), ("t", journal.motion)):
        for node, primal in table.items():
            owners[mark, node] = [primal]
    summed = {step.node for step in journal.steps if step.kind == "accumulate"}
    for step in journal.steps:
        if step.mode == FORWARD and ("t", step.result) in owners:
            if same_shape(step.node.shape, step.result.shape):
                owners["t", step.result].append(step.node)
        x = step.operand
        if x is None or x in summed or not same_shape(x.shape, step.result.shape):
            continue  # what it receives is not its whole derivative
        if ("d", step.result) in owners:
            owners["d", step.result].append(x)
    return owners


def derivative_names(
    journal: Journal, names: Mapping[Node, str], automatic: Container[Node] = frozenset()
) -> tuple[dict[Node, str], dict[Node, tuple[str, Node]]]:
    """`d_h` for the cotangent of what `names` calls `h`, `t_h` for its tangent; and of which it is.

    Where several tensors share one derivative, one whose name is not `automatic` lends its own.
    """
    found: dict[Node, str] = {}
    belongs: dict[Node, tuple[str, Node]] = {}
    for (mark, node), primals in owners_of(journal).items():
        known = [p for p in primals if p in names or p in found]
        for primal in sorted(known, key=lambda p: p in automatic):
            if not isinstance(node, Leaf) and node not in found:
                found[node] = f"{mark}_{names.get(primal, found.get(primal))}"
                belongs[node] = (mark, primal)
    return found, belongs


def names_of(nodes: Iterable[Node], names: PaperNames) -> list[Math]:
    """The names of those of `nodes` that have one, each once."""
    found = dict.fromkeys(name for node in nodes if (name := names(node)) is not None)
    return list(found)
