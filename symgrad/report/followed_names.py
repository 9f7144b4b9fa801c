"""What the tensors of a derivation are called: in each form, and as notation.

    the user's names, else those of the module, else u1, u2, ...; derivatives by what they are of
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from symgrad.calculus.journal import FORWARD
from symgrad.expr.leaf import Cotangent, Leaf, Named, Tangent
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.report.borrowed_names import BorrowedNames, borrowing
from symgrad.report.directions import called_along, names_along
from symgrad.report.followed import Followed
from symgrad.report.journal_steps import EVERY, displayed, told_apart
from symgrad.report.naming import Naming
from symgrad.report.naming_on_paper import given_to_scans, naming_on_paper
from symgrad.report.notation import Along, Math, Partial, symbol
from symgrad.report.notation.formula import SecondPartial
from symgrad.report.notation.names import derivative
from symgrad.report.paper_names import PaperNames, derivative_names


@dataclass(frozen=True)
class FollowedNames:
    """Names of the tensors of `followed`. `level`: how much is told, and so what needs a name."""

    followed: Followed
    level: str

    @cached_property
    def _borrowed(self) -> BorrowedNames:
        return BorrowedNames(self.followed)

    @property
    def loss_name(self) -> str | None:
        """What the user calls the loss, if it is computed."""
        model, loss = self.followed.model, self.followed.model.loss
        return None if loss is None or isinstance(loss, Leaf) else model.names.get(loss)

    # -- before the differentiation ------------------------------------------------------------

    @cached_property
    def defined(self) -> Naming:
        """Names in the user's own definition; where there are none, those of the module."""
        model, origins = self.followed.model, self.followed.stabilised.origins
        roots = [*model.values().values()]
        known = set(postorder(roots))
        through = [origins.get(step.node) for step in self.followed.derived.journal.steps]
        passed = [node for node in through if node is not None and node in known]
        names = dict(self._leaf_names)
        names |= {node: name for node, name in model.names.items() if node not in names
                  or not isinstance(node, Leaf)}  # fmt: skip
        in_code = {
            origins.get(node, node): name for node, name in self._borrowed.of_started.items()
        }
        shown = [*roots, *(passed if self.level == EVERY else ()), *given_to_scans(roots)]
        plain = {origins.get(node, node) for node in self._borrowed.plain_arithmetic}
        return borrowing(shown, names, in_code, plain)

    @cached_property
    def started(self) -> Naming:
        """Names in what is differentiated: those of the definition, as far as it is the same."""
        followed, stabilised = self.followed, self.followed.stabilised
        known: dict[Node, str] = dict(self._leaf_names)
        for node, origin in stabilised.origins.items():
            name = self.defined.name_of(origin)
            if name is not None and not isinstance(node, Leaf):
                known.setdefault(node, name)
        named = {n: name for n, name in stabilised.names.items() if not isinstance(n, Leaf)}
        known |= dict(followed.textbook.read) | named
        for copy, node in followed.derived.journal.copies.items():
            if node in known:
                known.setdefault(copy, known[node])
        steps = followed.derived.journal.steps
        passed = [s.node for s in steps if s.node in followed.told] if self.level == EVERY else []
        roots = [*followed.textbook.read, *followed.forward_roots]
        shown = [*roots, *passed, *given_to_scans(followed.forward_roots)]
        taken, borrowed = self.defined.names.values(), self._borrowed
        naming = borrowing(shown, known, borrowed.of_started, borrowed.plain_arithmetic, taken)
        naming.automatic |= {
            node
            for node in naming.names
            if node not in named and stabilised.origins.get(node) in self.defined.automatic
        }
        return naming

    @cached_property
    def _leaf_names(self) -> dict[Node, str]:
        model = self.followed.model
        leaves = (*model.parameters, *model.states, *model.inputs)
        return {leaf: leaf.name for leaf in leaves}

    # -- in the journal ------------------------------------------------------------------------

    @cached_property
    def journal(self) -> PaperNames:
        """Names for what the journal speaks of; what was told keeps its own."""
        followed, started = self.followed, self.started
        journal = followed.derived.journal
        nameless = {node for node in followed.told if node not in started.names}
        lesser = started.automatic | self._of_the_module
        found, belongs = derivative_names(journal, started.names, lesser)
        is_told = told_apart(followed.forward_roots, started.names)
        roots = [*displayed(journal, is_told, self.level), *followed.derived.raw.values()]
        passed = [s.node for s in journal.steps] if self.level == EVERY else []
        shown = [*followed.textbook.read, *followed.forward_roots, *passed, *roots]
        taken = self.defined.names.values()
        naming = naming_on_paper(shown, {**found, **started.names}, nameless, taken)
        more: dict[Node, Math] = {}
        for step in journal.steps:
            if step.kind == "seed" and step.mode == FORWARD and isinstance(step.result, Named):
                name = started.name_of(step.node) or str(getattr(step.node, "name", "x"))
                is_shared = step.result in more  # one direction for tensors of one shape
                more[step.result] = symbol(step.result.name) if is_shared else Along(symbol(name))
        for node in postorder([*roots, *(s.result for s in journal.steps)]):
            if isinstance(node, Tangent):
                more.setdefault(node, Along(symbol(node.name)))
            elif isinstance(node, Cotangent):
                more.setdefault(node, Partial(symbol(node.name)))
        names = PaperNames(naming, belongs, more, followed.loss, called=self.loss_name)
        names.rename(names_along(followed.textbook.along, names))
        return names

    @cached_property
    def _of_the_module(self) -> set[Node]:
        """Tensors that are called as the module calls them, since the user did not name them."""
        stabilised, users = self.followed.stabilised, self.followed.model.names
        return {
            node
            for node in self.started.names
            if node not in stabilised.names and stabilised.origins.get(node) not in users
        } - set(self._leaf_names)

    # -- on paper ------------------------------------------------------------------------------

    @cached_property
    def _paper(self) -> Naming:
        """Names on paper: as in the journal, else as in the module."""
        followed, journal = self.followed, self.journal.naming
        known: dict[Node, str] = {}
        for node in postorder(followed.textbook.form.outputs.values()):
            origin = followed.started_as(node)
            if origin in journal.names and origin not in journal.automatic:
                known[node] = journal.names[origin]
        for node, name in self._borrowed.on_paper.items():
            known.setdefault(node, name)
        outputs = followed.textbook.form.outputs.values()
        taken = (*journal.names.values(), *self.defined.names.values())
        return naming_on_paper([*outputs, *given_to_scans(outputs)], known, (), taken)

    @cached_property
    def paper(self) -> PaperNames:
        """The same as notation; what is returned is called the derivative that it is."""
        followed, journal = self.followed, self.journal
        more: dict[Node, Math] = {}
        for key, node in followed.textbook.form.outputs.items():
            if not isinstance(node, Named) and node not in followed.values_on_paper:
                more.setdefault(node, self.result(key))
        for node, name in self._paper.names.items():
            origin = followed.started_as(node)
            known = journal(origin) if origin not in journal.naming.automatic else None
            if node in followed.textbook.turned:
                known = called_along(followed.textbook.along[origin], journal)
            if known is not None:
                more.setdefault(node, known)
            elif node in self._borrowed.on_paper:
                more.setdefault(node, derivative(name, journal.loss))
        return PaperNames(self._paper, {}, more, called=self.loss_name)

    def result(self, key: str) -> Math:
        """What a result is called on paper: the derivative that it is."""
        followed = self.followed
        function, loss = followed.derived.name, self.journal.loss
        first, _, second = key.partition(" ")
        if key in followed.model.outputs or key in ("loss", "value"):
            return loss if key == "loss" else symbol(key)
        if function == "hessian":
            ranks = {leaf.name: leaf.ndim for leaf in followed.model.parameters}
            is_matrix = ranks.get(first) == ranks.get(second) == 1
            of, by, rank = symbol(first), symbol(second), ranks.get(first, 0)
            return SecondPartial(of, by, rank, loss, is_matrix)
        if function == "jacobian":
            return Partial(symbol(second), symbol(first), followed.stabilised.outputs[first].ndim)
        if first == "tangent":
            return Along(symbol(second))
        if first == "state":
            return symbol(f"{second}.new")
        if function == "hvp":
            return Along(Partial(symbol(key), loss))
        return Partial(symbol(second or first), loss)
