"""Tensors followed through the forms of a derivation, and what they are called in each.

    defined (the user's)  ->  started (differentiated)  ->  on paper  ->  in the module
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from symgrad.calculus.journal import FORWARD
from symgrad.derivation import Derived
from symgrad.expr.contraction import Contraction
from symgrad.expr.leaf import Cotangent, Leaf, Named, Tangent
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.reindex import Reshape
from symgrad.expr.scan import Scan, Stacked
from symgrad.expr.walk import postorder
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.report.journal_steps import EVERY, displayed, told_apart
from symgrad.report.naming import LETTER, Naming
from symgrad.report.notation import Along, Math, Partial, symbol
from symgrad.report.notation.formula import SecondPartial
from symgrad.report.notation.names import derivative
from symgrad.report.paper_names import PaperNames, derivative_names
from symgrad.report.simplified import for_the_machine


@dataclass(frozen=True)
class Followed:
    """The forms of one function. `stabilised`: the model's values before they are differentiated,
    with origins. `code_names`, `numbers`: of the equations of the module.
    """

    model: Model
    derived: Derived
    stabilised: Form
    code_names: Mapping[Node, str]
    numbers: Mapping[Node, int]
    level: str

    # -- which tensor is which ---------------------------------------------------------------

    @cached_property
    def _paper_of(self) -> dict[Node, Node]:
        return for_the_machine(self.derived)

    def on_paper(self, node: Node) -> Node | None:
        """What stands on paper for a tensor of the module."""
        return self._paper_of.get(node)

    def started_as(self, paper: Node) -> Node:
        """What a tensor on paper came from: a tensor of the journal."""
        return self.derived.paper.origins.get(paper, paper)

    @cached_property
    def paper_numbers(self) -> dict[Node, int]:
        """The numbers of equations on paper: of those that the module computes."""
        found: dict[Node, int] = {}
        for node, number in self.numbers.items():
            paper = self.on_paper(node)
            if paper is not None and node in self.code_names:
                found.setdefault(paper, number)
        return found

    @cached_property
    def started_numbers(self) -> dict[Node, int]:
        """The numbers of the equations that are differentiated."""
        found: dict[Node, int] = {}
        for paper, number in self.paper_numbers.items():
            found.setdefault(self.started_as(paper), number)
        return found

    @cached_property
    def _code_name_of_paper(self) -> dict[Node, str]:
        found: dict[Node, str] = {}
        for node, name in self.code_names.items():
            paper = self.on_paper(node)
            if paper is not None and not isinstance(node, Leaf):
                found.setdefault(paper, name)
        return found

    # -- the forward pass --------------------------------------------------------------------

    @cached_property
    def forward_roots(self) -> list[Node]:
        """The model's values that this function computes or differentiates."""
        steps = self.derived.journal.steps
        touched = set(postorder([*self.derived.raw.values(), *(step.node for step in steps)]))
        roots = [node for node in self.stabilised.outputs.values() if node in touched]
        seeds = [s.node for s in steps if s.kind == "seed" and not isinstance(s.node, Leaf)]
        covered = set(postorder(roots))
        first = set(postorder(seeds)) - covered if not roots else set()
        return [*roots, *(node for node in dict.fromkeys(seeds) if node in first)]

    @cached_property
    def told(self) -> set[Node]:
        return set(postorder(self.forward_roots))

    @cached_property
    def defined(self) -> Naming:
        """Names in the user's own definition; where there are none, those of the module."""
        roots = [*self.model.values().values()]
        known = set(postorder(roots))
        origins = [self.stabilised.origins.get(s.node) for s in self.derived.journal.steps]
        passed = [node for node in origins if node is not None and node in known]
        names = dict(self._leaf_names)
        for paper, name in self._code_name_of_paper.items():
            started = self.started_as(paper)
            names.setdefault(self.stabilised.origins.get(started, started), name)
        names |= {node: name for node, name in self.model.names.items() if node not in names
                  or not isinstance(node, Leaf)}  # fmt: skip
        shown = [*roots, *(passed if self.level == EVERY else ()), *given_to_scans(roots)]
        return Naming(shown, names, (), (), is_short, LETTER)

    @cached_property
    def _leaf_names(self) -> dict[Node, str]:
        leaves = (*self.model.parameters, *self.model.states, *self.model.inputs)
        return {leaf: leaf.name for leaf in leaves}

    @cached_property
    def started(self) -> Naming:
        """Names in what is differentiated: those of the definition, as far as it is the same."""
        known: dict[Node, str] = dict(self._leaf_names)
        for node, origin in self.stabilised.origins.items():
            name = self.defined.name_of(origin)
            if name is not None and not isinstance(node, Leaf):
                known.setdefault(node, name)
        named = {n: name for n, name in self.stabilised.names.items() if not isinstance(n, Leaf)}
        known |= named
        for copy, node in self.derived.journal.copies.items():
            if node in known:
                known.setdefault(copy, known[node])
        for paper, name in self._code_name_of_paper.items():
            known.setdefault(self.started_as(paper), name)
        steps = self.derived.journal.steps
        passed = [s.node for s in steps if s.node in self.told] if self.level == EVERY else []
        shown = [*self.forward_roots, *passed, *given_to_scans(self.forward_roots)]
        naming = Naming(shown, known, (), self.defined.names.values(), is_short, LETTER)
        naming.automatic |= {
            node
            for node in naming.names
            if node not in named and self.stabilised.origins.get(node) in self.defined.automatic
        }
        return naming

    @cached_property
    def _borrowed(self) -> set[Node]:
        """Tensors that are called as the module calls them, since the user did not name them."""
        origins = self.stabilised.origins
        return {
            node
            for node in self.started.names
            if node not in self.stabilised.names and origins.get(node) not in self.model.names
        } - set(self._leaf_names)

    # -- the journal -------------------------------------------------------------------------

    @cached_property
    def journal_names(self) -> PaperNames:
        """Names for what the journal speaks of; what was told keeps its own."""
        journal, started = self.derived.journal, self.started
        nameless = {node for node in self.told if node not in started.names}
        lesser = started.automatic | self._borrowed
        found, belongs = derivative_names(journal, started.names, lesser)
        is_told = told_apart(self.forward_roots, started.names)
        roots = [*displayed(journal, is_told, self.level), *self.derived.raw.values()]
        passed = [s.node for s in journal.steps] if self.level == EVERY else []
        shown = [*self.forward_roots, *passed, *roots]
        taken = self.defined.names.values()
        naming = Naming(shown, {**found, **started.names}, nameless, taken, is_short, LETTER)
        more: dict[Node, Math] = {}
        for step in journal.steps:
            if step.kind == "seed" and step.mode == FORWARD and isinstance(step.result, Named):
                name = self.started.name_of(step.node) or str(getattr(step.node, "name", "x"))
                is_shared = step.result in more  # one direction for tensors of one shape
                more[step.result] = symbol(step.result.name) if is_shared else Along(symbol(name))
        for node in postorder([*roots, *(s.result for s in journal.steps)]):
            if isinstance(node, Tangent):
                more.setdefault(node, Along(symbol(node.name)))
            elif isinstance(node, Cotangent):
                more.setdefault(node, Partial(symbol(node.name)))
        return PaperNames(naming, belongs, more, self.loss)

    @property
    def loss(self) -> Node | None:
        return self.stabilised.outputs.get("")

    # -- on paper ----------------------------------------------------------------------------

    @cached_property
    def values_on_paper(self) -> set[Node]:
        """All that the values on paper are computed from, without what is only for derivatives."""
        values = set(self.stabilised.outputs.values())
        outputs = self.derived.paper.outputs
        return set(postorder(outputs[k] for k, node in self.derived.raw.items() if node in values))

    @cached_property
    def paper(self) -> Naming:
        """Names on paper: as in the journal, else as in the module."""
        journal = self.journal_names.naming
        known: dict[Node, str] = {}
        for node in postorder(self.derived.paper.outputs.values()):
            origin = self.started_as(node)
            if origin in journal.names and origin not in journal.automatic:
                known[node] = journal.names[origin]
        for node, name in self._code_name_of_paper.items():
            known.setdefault(node, name)
        outputs = self.derived.paper.outputs.values()
        taken = (*journal.names.values(), *self.defined.names.values())
        return Naming([*outputs, *given_to_scans(outputs)], known, (), taken, is_short, LETTER)

    @cached_property
    def paper_names(self) -> PaperNames:
        journal = self.journal_names
        more: dict[Node, Math] = {}
        for key, node in self.derived.paper.outputs.items():
            if not isinstance(node, Named) and node not in self.values_on_paper:
                more.setdefault(node, self.result_symbol(key))
        for node, name in self.paper.names.items():
            origin = self.started_as(node)
            known = journal(origin) if origin not in journal.naming.automatic else None
            if known is not None:
                more.setdefault(node, known)
            elif node in self._code_name_of_paper:
                more.setdefault(node, derivative(name))
        return PaperNames(self.paper, {}, more)

    def result_symbol(self, key: str) -> Math:
        """What a result is called on paper: the derivative that it is."""
        function, loss = self.derived.name, self.journal_names.loss
        first, _, second = key.partition(" ")
        if key in self.model.outputs or key in ("loss", "value"):
            return loss if key == "loss" else symbol(key)
        if function == "hessian":
            ranks = {leaf.name: leaf.ndim for leaf in self.model.parameters}
            return SecondPartial(symbol(first), symbol(second), ranks.get(first, 0), loss)
        if function == "jacobian":
            return Partial(symbol(second), symbol(first))
        if first == "tangent":
            return Along(symbol(second))
        if first == "state":
            return symbol(f"{second}.new")
        if function == "hvp":
            return Along(Partial(symbol(key), loss))
        return Partial(symbol(second or first), loss)

    # -- in the module -----------------------------------------------------------------------

    @cached_property
    def forward_numbers(self) -> frozenset[int]:
        """The numbers of the equations that compute values, those of their steps with them."""
        values = set(self.stabilised.outputs.values())
        outputs = self.derived.form.outputs
        roots = [outputs[k] for k, node in self.derived.raw.items() if node in values]
        nodes = postorder(roots)
        found: set[Node] = set(nodes)
        scans = [node for node in nodes if isinstance(node, Scan)]
        while scans:
            inner = postorder(scans.pop().step.following)
            scans += [node for node in inner if isinstance(node, Scan) and node not in found]
            found.update(inner)
        found.update(
            x for node in nodes if isinstance(node, Stacked) for x in postorder([node.inner])
        )
        return frozenset(n for node, n in self.numbers.items() if node in found)


def is_short(node: Node) -> bool:
    """What needs no name of its own: an axis of size 1 more or less, a logsumexp."""
    if isinstance(node, Reshape) or (isinstance(node, Contraction) and node.is_view):
        sizes = [[s for s in shape if s != 1] for shape in (node.shape, node.operands[0].shape)]
        return sizes[0] == sizes[1]
    return isinstance(node, LogSumExp)


def read_of_steps(nodes: Iterable[Node], scan: Scan) -> list[Node]:
    """What `nodes` ask of each step of `scan`, in an order in which it can be computed."""
    read = dict.fromkeys(n.inner for n in nodes if isinstance(n, Stacked) and n.scan is scan)
    return [n for n in postorder([*scan.step.following, *read]) if n in read]


def given_to_scans(roots: Iterable[Node]) -> list[Node]:
    """What is given to scans: each of it gets a name."""
    return [x for node in postorder(roots) if isinstance(node, Scan) for x in node.operands]
