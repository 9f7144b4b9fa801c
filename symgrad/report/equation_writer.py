"""Tensors as equations of a derivation: in both forms, with shape, number and the user's line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from symgrad.calculus.journal import Step
from symgrad.expr.dimension import shape_text
from symgrad.expr.node import Node
from symgrad.expr.scan import Bundle, Scan
from symgrad.report.notation import Math, Relation, Symbol, equations_of
from symgrad.report.record.equation import Equation, Verified

NameOf = Callable[[Node], Math | None]


class Evidence(Protocol):
    """Numbers for a page: what tensors are at a point, and what both sides of a step give."""

    def value_of(self, node: Node) -> str | None:
        """The entries of `node` as text, None where they are not known."""

    def verified(self, steps: Sequence[Step]) -> Verified | None:
        """How far the two sides of `steps` are apart, None where none was looked at."""

    def agreed(self, rewriting: str) -> Verified | None:
        """How far the results after `rewriting` are from those before it, None where unknown."""

    @property
    def summary(self) -> str:
        """What was checked and what failed, in one sentence."""


@dataclass(frozen=True)
class EquationWriter:
    """Writes equations. `numbers`: of the module's equations."""

    name_of: NameOf
    numbers: Mapping[Node, int]
    evidence: Evidence | None = None

    def calling(self, names: Mapping[Node, Math]) -> EquationWriter:
        """The same, with other names for some tensors."""
        return replace(self, name_of=lambda node: names.get(node) or self.name_of(node))

    def equation(self, node: Node, left: Math | None = None) -> Equation:
        """`name = formula`; `left`: what it is called instead of its name."""
        name = left if left is not None else self.name_of(node)
        assert name is not None, node
        blank = self.named(node, name)
        if isinstance(node, Scan | Bundle):
            return blank
        written = equations_of(node, lambda n: name if n is node else self.name_of(n))
        matrix, indices = _unless_trivial(written.matrix), _unless_trivial(written.indices)
        return replace(
            blank,
            matrix=matrix,
            index=None if indices == matrix else indices,
            remarks=tuple(written.remarks),
            ranges=written.range_relations(),
        )

    def named(self, node: Node, name: Math | None = None) -> Equation:
        """Only what it is called, without its formula."""
        number = self.numbers.get(node)
        return Equation(
            name if name is not None else self.name_of(node),
            None,
            None,
            shape_of(node),
            number=f"{number}" if number is not None else "",
            where=node.location or "",
            values=self.evidence.value_of(node) if self.evidence else None,
        )

    def same(self, node: Node, left: Math, told: Math | None) -> Equation:
        """`left` is `node`, which was told under another name, or has one."""
        told = told if told is not None else self.name_of(node)
        if told is None:
            return self.equation(node, left)
        if told == left:
            return self.named(node, left)
        return replace(self.named(node, left), matrix=Relation("=", left, told))

    def inline(self, node: Node) -> Equation:
        """A tensor that arrives: by its name, or what it is where it has none."""
        name = self.name_of(node)
        if name is not None or isinstance(node, Bundle):
            return self.named(node)
        right = self.equation(node, _NOTHING)
        return replace(
            right, name=None, matrix=_right(right.matrix), index=_right(right.index)
        )


def shape_of(node: Node) -> str:
    """`[n, 3]`; a number has no shape to speak of."""
    return "" if isinstance(node, Scan | Bundle) else shape_text(node.shape) if node.shape else ""


_NOTHING = Symbol("")


def _unless_trivial(formula: Relation | None) -> Relation | None:
    """`formula`, unless both sides are written the same."""
    return None if formula is None or formula.left == formula.right else formula


def _right(formula: Math | None) -> Math | None:
    return formula.right if isinstance(formula, Relation) else formula
