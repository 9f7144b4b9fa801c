"""Tensors followed through the forms of a derivation, and what they are called in each.

    defined (the user's)  ->  started (differentiated)  ->  on paper  ->  in the module
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from symgrad.calculus.journal import FORWARD
from symgrad.derivation import Derived
from symgrad.expr.contraction import Contraction
from symgrad.expr.formula import heads
from symgrad.expr.leaf import Cotangent, Leaf, Named, Tangent
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.reindex import Reshape
from symgrad.expr.scan import Scan, Stacked
from symgrad.expr.walk import postorder, uses
from symgrad.model.model import Model
from symgrad.passes.form import Form
from symgrad.report.directions import called_along, names_along
from symgrad.report.journal_steps import EVERY, displayed, told_apart
from symgrad.report.naming import LETTER, Naming
from symgrad.report.notation import Along, Math, Partial, symbol
from symgrad.report.notation.formula import SecondPartial
from symgrad.report.notation.names import derivative
from symgrad.report.paper_names import PaperNames, derivative_names
from symgrad.report.simplified import for_the_machine
from symgrad.report.textbook import Textbook, textbook


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

    @cached_property
    def textbook(self) -> Textbook:
        """What is printed of the derivatives."""
        told = set(postorder(self.forward_roots))
        return textbook(self.model, self.derived, self.stabilised, told)

    def on_paper(self, node: Node) -> Node | None:
        """What stands on paper for a tensor of the module."""
        paper = self._paper_of.get(node)
        return None if paper is None else self.textbook.standing_for(paper)

    def started_as(self, paper: Node) -> Node:
        """What a tensor on paper came from: a tensor of the journal."""
        return self.textbook.form.origins.get(paper, paper)

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
            is_told = paper is not None and self.started_as(paper) not in self._parts
            if paper is not None and is_told and not isinstance(node, Leaf | Stacked):
                found.setdefault(paper, name)
        return found

    @cached_property
    def _code_name_of_started(self) -> dict[Node, str]:
        found: dict[Node, str] = {}
        for paper, name in self._code_name_of_paper.items():
            found.setdefault(self.started_as(paper), name)
        return found

    @cached_property
    def _plain_arithmetic(self) -> set[Node]:
        """What the module names itself and a formula can hold as well: sums and products."""
        named = map(self.on_paper, self.derived.form.names)
        wished = {self.started_as(paper) for paper in named if paper is not None}
        return {
            node
            for node in self._code_name_of_started
            if isinstance(node, Map) and heads(node.formula) <= {"add", "multiply"}
        } - wished

    @cached_property
    def _parts(self) -> set[Node]:
        """What only a number tells from what the user named: it is written as a part of that.

        Unless a derivative belongs to it alone.
        """
        journal, named = self.derived.journal, self.stabilised.names
        owners = {*journal.provenance.values(), *journal.motion.values()}
        readers = uses(self.forward_roots)
        return {
            node.operands[0]
            for node in readers
            if isinstance(node, Map) and node in named and len(node.operands) == 1
            and heads(node.formula) <= {"add", "multiply"}
            and readers[node.operands[0]] == 1 and node.operands[0] not in {*named, *owners}
        }  # fmt: skip

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
        return set(postorder([*self.textbook.read, *self.forward_roots]))

    @cached_property
    def defined(self) -> Naming:
        """Names in the user's own definition; where there are none, those of the module."""
        roots = [*self.model.values().values()]
        known = set(postorder(roots))
        origins = [self.stabilised.origins.get(s.node) for s in self.derived.journal.steps]
        passed = [node for node in origins if node is not None and node in known]
        names = dict(self._leaf_names)
        names |= {node: name for node, name in self.model.names.items() if node not in names
                  or not isinstance(node, Leaf)}  # fmt: skip
        in_code = {
            self.stabilised.origins.get(node, node): name
            for node, name in self._code_name_of_started.items()
        }
        shown = [*roots, *(passed if self.level == EVERY else ()), *given_to_scans(roots)]
        plain = {self.stabilised.origins.get(node, node) for node in self._plain_arithmetic}
        return _borrowing(shown, names, in_code, plain)

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
        known |= dict(self.textbook.read) | named
        for copy, node in self.derived.journal.copies.items():
            if node in known:
                known.setdefault(copy, known[node])
        steps = self.derived.journal.steps
        passed = [s.node for s in steps if s.node in self.told] if self.level == EVERY else []
        roots = [*self.textbook.read, *self.forward_roots]
        shown = [*roots, *passed, *given_to_scans(self.forward_roots)]
        taken = self.defined.names.values()
        in_code = self._code_name_of_started
        naming = _borrowing(shown, known, in_code, self._plain_arithmetic, taken)
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
        shown = [*self.textbook.read, *self.forward_roots, *passed, *roots]
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
        names = PaperNames(naming, belongs, more, self.loss, called=self.loss_name)
        names.rename(names_along(self.textbook.along, names))
        return names

    @cached_property
    def loss(self) -> Node | None:
        """The loss, or that of one example, which stands for it."""
        loss = self.stabilised.outputs.get("")
        copies = self.derived.journal.copies.items()
        return next((c for c, node in copies if node is loss and c in self.told), loss)

    @property
    def loss_name(self) -> str | None:
        """What the user calls the loss, if it is computed."""
        loss = self.model.loss
        return None if loss is None or isinstance(loss, Leaf) else self.model.names.get(loss)

    # -- on paper ----------------------------------------------------------------------------

    @cached_property
    def beyond_values(self) -> set[Node]:
        """What results are computed from, seen from them as far as to values that are told."""
        outputs = self.textbook.form.outputs.values()
        found: set[Node] = set()
        stack = [n for n in outputs if n not in self.values_on_paper or self._is_told(n)]
        stack = stack or list(outputs)
        while stack:
            node = stack.pop()
            if node not in found:
                found.add(node)
                if not self._is_told(node):
                    stack.extend(node.operands)
        return found

    def _is_told(self, node: Node) -> bool:
        return node in self.values_on_paper and self.started_as(node) in self.told

    @cached_property
    def values_on_paper(self) -> set[Node]:
        """All that the values on paper are computed from, without what is only for derivatives."""
        values = set(self.stabilised.outputs.values())
        outputs = self.textbook.form.outputs
        roots = [outputs[k] for k, node in self.derived.raw.items() if node in values]
        read = self.textbook.read
        roots += [n for n, origin in self.textbook.form.origins.items() if origin in read]
        return set(postorder(roots))

    @cached_property
    def paper(self) -> Naming:
        """Names on paper: as in the journal, else as in the module."""
        journal = self.journal_names.naming
        known: dict[Node, str] = {}
        for node in postorder(self.textbook.form.outputs.values()):
            origin = self.started_as(node)
            if origin in journal.names and origin not in journal.automatic:
                known[node] = journal.names[origin]
        for node, name in self._code_name_of_paper.items():
            known.setdefault(node, name)
        outputs = self.textbook.form.outputs.values()
        taken = (*journal.names.values(), *self.defined.names.values())
        return Naming([*outputs, *given_to_scans(outputs)], known, (), taken, is_short, LETTER)

    @cached_property
    def paper_names(self) -> PaperNames:
        journal = self.journal_names
        more: dict[Node, Math] = {}
        for key, node in self.textbook.form.outputs.items():
            if not isinstance(node, Named) and node not in self.values_on_paper:
                more.setdefault(node, self.result_symbol(key))
        for node, name in self.paper.names.items():
            origin = self.started_as(node)
            known = journal(origin) if origin not in journal.naming.automatic else None
            if node in self.textbook.turned:
                known = called_along(self.textbook.along[origin], journal)
            if known is not None:
                more.setdefault(node, known)
            elif node in self._code_name_of_paper:
                more.setdefault(node, derivative(name, journal.loss))
        return PaperNames(self.paper, {}, more, called=self.loss_name)

    def result_symbol(self, key: str) -> Math:
        """What a result is called on paper: the derivative that it is."""
        function, loss = self.derived.name, self.journal_names.loss
        first, _, second = key.partition(" ")
        if key in self.model.outputs or key in ("loss", "value"):
            return loss if key == "loss" else symbol(key)
        if function == "hessian":
            ranks = {leaf.name: leaf.ndim for leaf in self.model.parameters}
            is_matrix = ranks.get(first) == ranks.get(second) == 1
            of, by, rank = symbol(first), symbol(second), ranks.get(first, 0)
            return SecondPartial(of, by, rank, loss, is_matrix)
        if function == "jacobian":
            return Partial(symbol(second), symbol(first), self.stabilised.outputs[first].ndim)
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
        """The numbers of the equations that compute values of the model, whether returned or only
        needed for derivatives, and of the equations of their steps.
        """
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
        own = set(postorder([*self.stabilised.outputs.values(), *self.forward_roots]))
        own |= {copy for copy, node in self.derived.journal.copies.items() if node in own}
        told = frozenset(n for node, n in self.started_numbers.items() if node in own)
        return told | frozenset(n for node, n in self.numbers.items() if node in found)


def _borrowing(
    shown: Iterable[Node],
    known: Mapping[Node, str],
    in_code: Mapping[Node, str],
    lesser: Container[Node],
    taken: Iterable[str] = (),
) -> Naming:
    """Names on paper; what has none is called as in the code, what is `lesser` only at need."""
    shown, taken = list(shown), list(taken)
    needed = Naming(shown, known, (), taken, is_short, LETTER).automatic
    borrowed = {n: name for n, name in in_code.items() if n not in lesser or n in needed}
    return Naming(shown, {**borrowed, **known}, (), taken, is_short, LETTER)


def is_short(node: Node) -> bool:
    """What needs no name of its own: an axis of size 1 more or less, a logsumexp, what a step made.

    A tensor of a step is written as in the step, with the step as its first index.
    """
    if isinstance(node, Reshape) or (isinstance(node, Contraction) and node.is_view):
        sizes = [[s for s in shape if s != 1] for shape in (node.shape, node.operands[0].shape)]
        return sizes[0] == sizes[1]
    return isinstance(node, LogSumExp | Stacked)


def read_of_steps(nodes: Iterable[Node], scan: Scan) -> list[Node]:
    """What `nodes` ask of each step of `scan`, in an order in which it can be computed."""
    read = dict.fromkeys(n.inner for n in nodes if isinstance(n, Stacked) and n.scan is scan)
    return [n for n in postorder([*scan.step.following, *read]) if n in read]


def given_to_scans(roots: Iterable[Node]) -> list[Node]:
    """What is given to scans: each of it gets a name."""
    return [x for node in postorder(roots) if isinstance(node, Scan) for x in node.operands]
