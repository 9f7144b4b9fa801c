"""Equations of a page compared, called by all their names, and given their anchors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symgrad.report.notation import Math, Relation
from symgrad.report.notation.formula import Chained, parts_of
from symgrad.report.record.equation import Equation


def with_names(equation: Equation, names: tuple[Math, ...]) -> Equation:
    """`equation`, whose left side says all `names` of what it defines."""
    formula, others = equation.matrix, tuple(n for n in names if n != equation.name)
    if not others or not isinstance(formula, Relation) or formula.left != equation.name:
        return equation
    sides = (*others, formula.left, formula.right)
    return replace(equation, matrix=Chained(("=",) * (len(sides) - 1), sides))


def differ(old: Equation, new: Equation) -> bool:
    """Whether two equations say something else, in either form."""
    return (old.matrix, old.index) != (new.matrix, new.index)


def is_circular(equation: Equation) -> bool:
    """Whether the right side names the left: a sum over steps of what bears the same name."""
    formula = equation.either
    right = getattr(formula, "right", None)
    return right is not None and equation.name in set(parts_of(right))


def anchored(equations: Iterable[Equation], taken: Iterable[str] = ()) -> tuple[Equation, ...]:
    """`equations` with anchors for those that have numbers, each anchor once."""
    used, found = set(taken), []
    for equation in equations:
        anchor = f"eq-{equation.number}" if equation.number else ""
        found.append(replace(equation, anchor="" if anchor in used else anchor))
        used.add(anchor)
    return tuple(found)
