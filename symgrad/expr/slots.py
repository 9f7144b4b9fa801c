"""Slots: the placeholders of a scalar formula, and the one walk over such formulas.

Slot i, written `_i`, stands for an element of a map's i-th operand. A formula's other symbols are
dimensions (integer, non-negative).

    >>> slots_of(slot(2) * sympy.exp(slot(0)))
    (0, 2)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeVar

import sympy
from sympy import Expr, Symbol

Result = TypeVar("Result")


@cache
def slot(i: int) -> Symbol:
    """The placeholder of operand i: always the same object."""
    return Symbol(f"_{i}", real=True)


def slot_index(symbol: Any) -> int | None:
    """i for slot i, None for anything else."""
    if not isinstance(symbol, Symbol) or not symbol.name[1:].isdecimal():
        return None
    i = int(symbol.name[1:])
    return i if symbol == slot(i) else None


def is_dimension(symbol: Any) -> bool:
    """Whether it is the symbol of a dimension."""
    return isinstance(symbol, Symbol) and bool(symbol.is_integer and symbol.is_nonnegative)


@lru_cache(maxsize=65536)
def slots_of(formula: Expr) -> tuple[int, ...]:
    """The indices of the slots that occur, in ascending order."""
    found: set[int] = set()

    def note(node: Any, below: tuple[None, ...]) -> None:
        index = slot_index(node)
        if index is not None:
            found.add(index)

    fold(sympy.sympify(formula), note)
    return tuple(sorted(found))


def fold(formula: Any, combine: Callable[[Any, tuple[Result, ...]], Result]) -> Result:
    """`combine(node, results of its arguments)` at every distinct node, arguments first.

    Iterative and memoised: neither depth nor sharing hurts.
    """
    done: dict[Any, Result] = {}
    stack: list[tuple[Any, bool]] = [(formula, False)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready or not node.args:
            done[node] = combine(node, tuple(done[arg] for arg in node.args))
        else:
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args))
    return done[formula]


def rebuild(node: Any, args: tuple[Any, ...]) -> Any:
    """The node over new arguments; the very same object if they are equal to the old ones.

    Equal is not identical: SymPy's cache forgets, and then builds a part of a formula twice.
    """
    if all(new is old or new == old for new, old in zip(args, node.args, strict=True)):
        return node
    return node.func(*args)


def replace_slots(formula: Expr, by: Mapping[int, Expr]) -> Expr:
    """The formula with every slot i of `by` replaced, all at once (so slots may be swapped)."""

    def combine(node: Any, args: tuple[Any, ...]) -> Any:
        index = slot_index(node)
        if index is not None and index in by:
            return sympy.sympify(by[index])
        return rebuild(node, args)

    return fold(sympy.sympify(formula), combine)
