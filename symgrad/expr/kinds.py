"""Kinds: whether a formula's result is a float, an integer or a boolean, by NumPy's rules.

    >>> from symgrad.expr.slots import slot
    >>> kind(f.floor(slot(0)) + 2 * slot(1), ("int", "int")), kind(slot(0) / 2, ("int",))
    ('int', 'float')
"""

from __future__ import annotations

from typing import Any, Protocol

import sympy

from symgrad.expr import functions as f
from symgrad.expr.slots import fold, slot_index

RANK = {"bool": 0, "int": 1, "float": 2}
# Functions whose result has the kind of (some of) its arguments; the rest give floats.
PRESERVING: dict[Any, slice] = {
    f.where: slice(1, 3),
    f.maximum: slice(0, 2),
    f.minimum: slice(0, 2),
    f.fmax: slice(0, 2),
    f.fmin: slice(0, 2),
    f.clip: slice(0, 3),
    f.absolute: slice(0, 1),
    f.relu: slice(0, 1),
    f.sign: slice(0, 1),
    f.floor: slice(0, 1),
    f.ceil: slice(0, 1),
    f.trunc: slice(0, 1),
    f.rint: slice(0, 1),
    f.mod: slice(0, 2),
    f.fmod: slice(0, 2),
    f.floor_divide: slice(0, 2),
    f.power: slice(0, 2),
}
NEVER_BOOL = (f.relu, f.sign, f.mod, f.fmod, f.floor_divide, f.power, sympy.Add, sympy.Pow)


class Kinds(Protocol):
    """The operands' kinds, by slot: a tuple will do."""

    def __getitem__(self, i: int, /) -> str: ...


def kind(formula: sympy.Expr, operand_kinds: Kinds) -> str:
    """One of "float", "int", "bool".

    Indicators are numbers here: a sum of comparisons is "int" (NumPy's `+` on two boolean arrays
    would be a logical or, so an emitter must convert first).
    """

    def combine(node: Any, below: tuple[str, ...]) -> str:
        if not node.args:
            index = slot_index(node)
            if index is not None:
                return operand_kinds[index]
            return "int" if node.is_integer and not node.is_Float else "float"
        if isinstance(node, f.Indicator):
            return "bool"
        if node.is_Add or node.is_Mul:
            widest = max(below, key=RANK.__getitem__)
        elif node.is_Pow:
            exponent = node.args[1]
            whole = exponent.is_Integer and exponent >= 0
            widest = below[0] if whole else "float"
        elif node.func in PRESERVING:
            widest = max(below[PRESERVING[node.func]], key=RANK.__getitem__)
        else:
            return "float"
        return "int" if widest == "bool" and isinstance(node, NEVER_BOOL) else widest

    return fold(sympy.sympify(formula), combine)
