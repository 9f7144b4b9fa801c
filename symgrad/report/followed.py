"""Tensors followed through the forms of a derivation: which is which.

    defined (the user's)  ->  started (differentiated)  ->  on paper  ->  in the module
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cached_property

from symgrad.derivation import Derived
from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan, Stacked
from symgrad.expr.walk import postorder
from symgrad.model.model import Model
from symgrad.passes.form import Form
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

    # -- which tensor is which ---------------------------------------------------------------

    @cached_property
    def _paper_of(self) -> dict[Node, Node]:
        """What the module computes -> what that was before it was written for the machine."""
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

    # -- the forward pass ----------------------------------------------------------------------

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
        """What is told as the forward pass, with what the user named and only derivatives read."""
        return set(postorder([*self.textbook.read, *self.forward_roots]))

    @cached_property
    def loss(self) -> Node | None:
        """The loss, or that of one example, which stands for it."""
        loss = self.stabilised.outputs.get("")
        copies = self.derived.journal.copies.items()
        return next((c for c, node in copies if node is loss and c in self.told), loss)

    # -- on paper ------------------------------------------------------------------------------

    def beyond(self, lines: Container[Node]) -> set[Node]:
        """What results are computed from, seen from them as far as to values that have a line."""
        outputs = self.textbook.form.outputs.values()

        def is_told(node: Node) -> bool:
            return node in self.values_on_paper and self.started_as(node) in lines

        found: set[Node] = set()
        stack = [n for n in outputs if n not in self.values_on_paper or is_told(n)]
        stack = stack or list(outputs)
        while stack:
            node = stack.pop()
            if node not in found:
                found.add(node)
                if not is_told(node):
                    stack.extend(node.operands)
        return found

    @cached_property
    def values_on_paper(self) -> set[Node]:
        """All that the values on paper are computed from, without what is only for derivatives."""
        values = set(self.stabilised.outputs.values())
        outputs = self.textbook.form.outputs
        roots = [outputs[k] for k, node in self.derived.raw.items() if node in values]
        read = self.textbook.read
        roots += [n for n, origin in self.textbook.form.origins.items() if origin in read]
        return set(postorder(roots))

    # -- in the module -------------------------------------------------------------------------

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
