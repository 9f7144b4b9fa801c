"""Letters for indices: those that nothing else is called, each with the size of its axis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.scan import Stacked
from symgrad.report.notation import formula as m
from symgrad.report.notation.scalar import number
from symgrad.report.notation.step_letter import step_letter

NameOf = Callable[[Node], m.Math | None]
LETTERS = "ijklpqrsuvwt"


class Lettered:
    """What writes with indices. `ranges`: how many values each letter takes, from 0 on."""

    def __init__(self, name_of: NameOf, letters: Iterator[m.Math]) -> None:
        self.name_of = name_of
        self.letters = letters
        self.ranges: dict[m.Math, m.Math] = {}

    def fresh(self, size: sympy.Expr, counts_steps: bool = False) -> m.Math:
        """A new letter for an index; the only index of an axis of size 1 is 0.

        counts_steps: whether it counts the steps of a scan, which have a letter of their own.
        """
        if size == 1:
            return m.ZERO
        first = list(islice(self.letters, len(LETTERS) if counts_steps else 1))
        letter = step_letter() if counts_steps and step_letter() in first else first[0]
        self.letters = chain((other for other in first if other != letter), self.letters)
        self.ranges[letter] = number(size)
        return letter


def indices_of_steps(node: Contraction) -> set[int]:
    """The indices of a contraction that count the steps of a scan."""
    return {own[0] for operand, own in node.terms if own and _is_over_steps(operand)}


def begins_with_steps(node: Node) -> bool:
    """Whether the first axis of `node` counts the steps of a scan."""
    if isinstance(node, Contraction):
        return bool(node.output) and node.output[0] in indices_of_steps(node)
    return _is_over_steps(node)


def _is_over_steps(node: Node) -> bool:
    """Whether it is a tensor of every step, or computed from one entry by entry."""
    if isinstance(node, Map):
        return any(isinstance(x, Stacked) and x.ndim == node.ndim for x in node.operands)
    return isinstance(node, Stacked)


def bases_in(formulas: Iterable[m.Math]) -> set[str]:
    """What no index may be called: the names that are used."""
    return {
        part.base
        for formula in formulas
        for part in m.parts_of(formula)
        if isinstance(part, m.Symbol)
    }


def free_letters(taken: set[str], letters: str = LETTERS) -> Iterator[m.Math]:
    """Letters for indices, none of them taken; in the end numbered ones."""
    yield from (m.Symbol(letter) for letter in letters if letter not in taken)
    yield from numbered(next(c for c in "ijkι" if c not in taken or c == "ι"))


def numbered(base: str) -> Iterator[m.Math]:
    count = 0
    while True:
        count += 1
        yield m.Symbol(base, (str(count),))
