"""Scalar formulas: what a map applies to each element, and what can be asked of one.

A formula is a SymPy expression over slots (`slot(i)` is operand i's element) and dimensions, in
the vocabulary of `symgrad.expr.functions`. It never holds tensors.

    >>> swish = slot(0) * f.sigmoid(slot(0))
    >>> partial(swish, 0)
    _0*sigmoid(-_0)*sigmoid(_0) + sigmoid(_0)
    >>> text(swish, ["z"]), sorted(heads(swish))
    ('z * sigmoid(z)', ['multiply', 'sigmoid'])
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr

from symgrad.expr import functions as f
from symgrad.expr.adoption import adopt, in_vocabulary
from symgrad.expr.arithmetic import evaluate
from symgrad.expr.formula_text import text
from symgrad.expr.kinds import kind
from symgrad.expr.slots import fold, replace_slots, slot, slots_of

__all__ = [
    "adopt",
    "evaluate",
    "f",
    "heads",
    "kind",
    "operation_count",
    "partial",
    "replace_slots",
    "slot",
    "slots_of",
    "text",
]

HEADS: dict[Any, str] = {sympy.Add: "add", sympy.Mul: "multiply", sympy.Pow: "power"}


def partial(formula: Expr, i: int | sympy.Symbol) -> Expr:
    """The derivative with respect to slot i (an index or the slot itself), in our vocabulary."""
    return _partial(sympy.sympify(formula), slot(i) if isinstance(i, int) else i)


@lru_cache(maxsize=65536)
def _partial(formula: Expr, symbol: sympy.Symbol) -> Expr:
    # Pow with a symbolic exponent differentiates to x**y*log(x) in SymPy, nan at 0: ours is
    # `power`, which adoption puts in its place, before and again after.
    return in_vocabulary(in_vocabulary(formula).diff(symbol))


@lru_cache(maxsize=65536)
def heads(formula: Expr) -> frozenset[str]:
    """The names of the functions and operations that occur."""
    found: set[str] = set()

    def note(node: Any, below: tuple[None, ...]) -> None:
        if node.args:
            found.add(HEADS.get(node.func, node.func.__name__))

    fold(sympy.sympify(formula), note)
    return frozenset(found)


@lru_cache(maxsize=65536)
def operation_count(formula: Expr) -> int:
    """How many scalar operations computing it takes, each distinct subexpression once."""
    total = 0

    def count(node: Any, below: tuple[bool, ...]) -> bool:
        """Counts the node; says whether it depends on a symbol (numbers cost nothing)."""
        nonlocal total
        varies = node.is_Symbol or any(below)
        if node.is_Add or node.is_Mul:
            total += len(node.args) - 1
        elif node.args and varies:
            total += 1
        return varies

    fold(sympy.sympify(formula), count)
    return total
