"""What the names of dimensions stand for, and shapes as whole numbers.

>>> from symgrad.expr.dimension import dim
>>> n = dim("n")
>>> Sizes({"n": 3}).of(2 * n + 1)
7
>>> inferred([((n, 2 * n), (4, 8))]).known
{'n': 4}
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sympy

from symgrad.errors import CheckError
from symgrad.expr.dimension import Shape


class NoSuchSize(Exception):
    """The sizes chosen for the names do not make a whole number >= 0."""


class Sizes:
    """The sizes of named dimensions; each expression is worked out once."""

    def __init__(self, known: Mapping[str, int]) -> None:
        self.known = dict(known)
        self._numbers: dict[sympy.Expr, Any] = {}

    def of(self, size: sympy.Expr) -> int:
        """`size` as a whole number. Raises: NoSuchSize."""
        number = self.number(size)
        if not isinstance(number, int) or number < 0:
            raise NoSuchSize(f"{size} = {number}")
        return number

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """Every size of `shape`."""
        return tuple(map(self.of, shape))

    def number(self, expression: sympy.Expr) -> Any:
        """An int where it is a whole number, else a float, infinite or nan where it has to be."""
        if expression.is_Integer:
            return int(expression)
        if expression not in self._numbers:
            self._numbers[expression] = _plain(self._substituted(expression), expression)
        return self._numbers[expression]

    def _substituted(self, expression: sympy.Expr) -> sympy.Expr:
        free = expression.free_symbols
        unknown = sorted(s.name for s in free if s.name not in self.known)
        if unknown:
            raise CheckError(f"nothing says what the dimension {unknown[0]} stands for")
        return expression.subs({s: self.known[s.name] for s in free})


def _plain(number: sympy.Expr, written: sympy.Expr) -> Any:
    if number is sympy.zoo:  # 1/n for n = 0
        return math.inf
    if number is sympy.nan:
        return math.nan
    if number.is_Integer and not written.is_Float:
        return int(number)
    return float(number)


def inferred(pairs: Iterable[tuple[Shape, Sequence[int]]]) -> Sizes:
    """The sizes that make each declared shape the actual one. Raises: NoSuchSize if none do.

    Plain names are read off first; then each equation in one unknown is solved.
    """
    equations = [
        (size, actual)
        for declared, found in pairs
        for size, actual in zip(declared, found, strict=True)
    ]
    known: dict[str, int] = {}
    for size, actual in equations:
        if isinstance(size, sympy.Symbol):
            known.setdefault(size.name, actual)
    waiting = [pair for pair in equations if not isinstance(pair[0], sympy.Symbol)]
    while waiting:
        left = []
        for size, actual in waiting:
            unknown = [s for s in size.free_symbols if s.name not in known]
            if len(unknown) > 1:
                left.append((size, actual))
            elif unknown:
                known[unknown[0].name] = _solution(size, actual, unknown[0], known)
        if len(left) == len(waiting):
            break
        waiting = left
    sizes = Sizes(known)
    for size, actual in equations:
        if all(s.name in known for s in size.free_symbols) and sizes.of(size) != actual:
            raise NoSuchSize(f"{size} = {sizes.of(size)}, not {actual}")
    return sizes


def _solution(
    size: sympy.Expr, actual: int, unknown: sympy.Symbol, known: Mapping[str, int]
) -> int:
    rest = size.subs({s: known[s.name] for s in size.free_symbols if s.name in known})
    # Small whole numbers, since a size may hold floor(n/2), which is not solved on paper.
    for candidate in range(1, 4 * max(actual, 1) + 64):
        if rest.subs(unknown, candidate) == actual:
            return candidate
    raise NoSuchSize(f"no {unknown} makes {size} = {actual}")
