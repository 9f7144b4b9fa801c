"""Names that paper borrows from the module, for what the user did not name.

    loss = sum(tanh(x @ W)**2)      the module computes h = tanh(x @ W), and so does the page
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from symgrad.expr.formula import heads
from symgrad.expr.leaf import Leaf
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.scan import Final, Stacked
from symgrad.expr.walk import uses
from symgrad.report.followed import Followed
from symgrad.report.naming import Naming
from symgrad.report.naming_on_paper import naming_on_paper


@dataclass(frozen=True)
class BorrowedNames:
    """The module's names of the tensors of `followed`."""

    followed: Followed

    @cached_property
    def on_paper(self) -> dict[Node, str]:
        """What tensors on paper are called in the module."""
        followed = self.followed
        found: dict[Node, str] = {}
        for node, name in followed.code_names.items():
            paper = followed.on_paper(node)
            is_told = paper is not None and followed.started_as(paper) not in self._parts
            if paper is not None and is_told and not isinstance(node, Leaf | Stacked | Final):
                found.setdefault(paper, name)
        return found

    @cached_property
    def of_started(self) -> dict[Node, str]:
        """What tensors that are differentiated are called in the module."""
        found: dict[Node, str] = {}
        for paper, name in self.on_paper.items():
            found.setdefault(self.followed.started_as(paper), name)
        return found

    @cached_property
    def plain_arithmetic(self) -> set[Node]:
        """What the module names itself and a formula can hold as well: sums and products."""
        followed = self.followed
        named = map(followed.on_paper, followed.derived.form.names)
        wished = {followed.started_as(paper) for paper in named if paper is not None}
        return {
            node
            for node in self.of_started
            if isinstance(node, Map) and heads(node.formula) <= {"add", "multiply"}
        } - wished

    @cached_property
    def _parts(self) -> set[Node]:
        """What only a number tells from what the user named: it is written as a part of that.

        Unless a derivative belongs to it alone.
        """
        followed = self.followed
        journal, named = followed.derived.journal, followed.stabilised.names
        owners = {*journal.provenance.values(), *journal.motion.values()}
        readers = uses(followed.forward_roots)
        return {
            node.operands[0]
            for node in readers
            if isinstance(node, Map) and node in named and len(node.operands) == 1
            and heads(node.formula) <= {"add", "multiply"}
            and readers[node.operands[0]] == 1 and node.operands[0] not in {*named, *owners}
        }  # fmt: skip


def borrowing(
    shown: Iterable[Node],
    known: Mapping[Node, str],
    in_code: Mapping[Node, str],
    lesser: Container[Node],
    taken: Iterable[str] = (),
) -> Naming:
    """Names on paper; what has none is called as in the code, what is `lesser` only at need."""
    shown, taken = list(shown), list(taken)
    needed = naming_on_paper(shown, known, (), taken).automatic
    borrowed = {n: name for n, name in in_code.items() if n not in lesser or n in needed}
    return naming_on_paper(shown, {**borrowed, **known}, (), taken)
