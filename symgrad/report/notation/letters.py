"""Letters for indices: those that nothing else is called, each with the size of its axis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import sympy

from symgrad.expr.node import Node
from symgrad.report.notation import formula as m
from symgrad.report.notation.scalar import number

NameOf = Callable[[Node], m.Math | None]
LETTERS = "ijklpqrsuvw"


class Lettered:
    """What writes with indices. `ranges`: how many values each letter takes, from 0 on."""

    def __init__(self, name_of: NameOf, letters: Iterator[m.Math]) -> None:
        self.name_of = name_of
        self.letters = letters
        self.ranges: dict[m.Math, m.Math] = {}

    def fresh(self, size: sympy.Expr) -> m.Math:
        """A new letter for an index; the only index of an axis of size 1 is 0."""
        if size == 1:
            return m.ZERO
        letter = next(self.letters)
        self.ranges[letter] = number(size)
        return letter


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
