"""Vectors that meet matrices entry by entry: in every row, in every column.

X ⊙ (u in every column)  ->  diag(u) X        X ⊙ (v in every row)  ->  X diag(v)
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from symgrad.report.notation import formula as m
from symgrad.report.notation.build import chain, product, transposed


def repeated(vector: m.Math, place: str, is_row: bool = False) -> m.Math:
    """A vector in every row or column; its sign stands before it."""
    if isinstance(vector, m.Negative):
        return m.Negative(repeated(vector.of, place, is_row))
    return m.Repeated(vector, place, is_row)


def with_diagonals(formula: m.Math) -> m.Math:
    """`formula`, its products with repeated vectors written as products of matrices."""
    changed: dict[str, Any] = {}
    for field in fields(formula):
        old = getattr(formula, field.name)
        new = _with_diagonals(old)
        if new is not old and new != old:
            changed[field.name] = new
    if changed:
        formula = replace(formula, **changed)
    formula = _lifted(formula)
    if isinstance(formula, m.Product) and formula.is_entrywise:
        return _multiplied(formula)
    return formula


def _lifted(formula: m.Math) -> m.Math:
    """What is made of a repeated vector entry by entry, as the repetition of what is made of it."""
    parts: tuple[m.Math, ...]
    if isinstance(formula, m.Apply) and not _is_of_rows(formula.function):
        parts = formula.arguments
    elif isinstance(formula, m.Power) and formula.is_entrywise:
        parts = (formula.base, formula.exponent)
    elif isinstance(formula, m.Fraction):
        parts = (formula.above, formula.below)
    elif isinstance(formula, m.Product) and not formula.is_entrywise and not formula.is_chain:
        parts = formula.factors[-1:]  # numbers stand before it
    elif isinstance(formula, m.Sum):
        parts = tuple(t.of if isinstance(t, m.Negative) else t for t in formula.terms)
    else:
        return formula
    vectors = [part for part in parts if isinstance(part, m.Repeated)]
    places = {(vector.place, vector.is_row) for vector in vectors}
    if len(places) != 1 or not all(isinstance(p, m.Repeated | m.Number) for p in parts):
        return formula
    ((place, is_row),) = places
    return m.Repeated(_bare(formula), place, is_row)


def _bare(formula: m.Math) -> m.Math:
    """The same of the vectors themselves."""
    if isinstance(formula, m.Apply):
        return replace(formula, arguments=tuple(map(_of, formula.arguments)))
    if isinstance(formula, m.Power):
        return replace(formula, base=_of(formula.base))
    if isinstance(formula, m.Fraction):
        return m.Fraction(_of(formula.above), _of(formula.below))
    if isinstance(formula, m.Product):
        return replace(formula, factors=(*formula.factors[:-1], _of(formula.factors[-1])))
    assert isinstance(formula, m.Sum)
    return m.Sum(tuple(map(_of, formula.terms)))


def _of(part: m.Math) -> m.Math:
    if isinstance(part, m.Negative):
        return m.Negative(_of(part.of))
    return part.of if isinstance(part, m.Repeated) else part


def _is_of_rows(function: str) -> bool:
    return function in ("softmax", "logsumexp", "diag", "tr") or function.startswith("row")


def _with_diagonals(value: Any) -> Any:
    if isinstance(value, m.Math):
        return with_diagonals(value)
    if isinstance(value, tuple):
        return tuple(_with_diagonals(each) for each in value)
    return value


def _multiplied(whole: m.Product) -> m.Math:
    places: dict[str, list[m.Math]] = {"column": [], "row": [], "": []}
    for factor in whole.factors:
        place = factor.place if isinstance(factor, m.Repeated) else ""
        places[place].append(_standing(factor) if isinstance(factor, m.Repeated) else factor)
    columns, rows, matrices = places["column"], places["row"], places[""]
    if any(map(_is_only_repeated, matrices)):
        return whole
    if not matrices:
        if not columns or not rows:
            return whole
        left, right = (product(*vectors, is_entrywise=True) for vectors in (columns, rows))
        return chain(left, transposed(right))
    parts = [product(*matrices, is_entrywise=True)]
    if columns:
        parts.insert(0, _diagonal(columns))
    if rows:
        parts.append(_diagonal(rows))
    return chain(*parts) if len(parts) > 1 else parts[0]


def _is_only_repeated(formula: m.Math) -> bool:
    """Whether it has entries only from repeated vectors, so that alone it is no matrix."""
    inside = [p for r in m.parts_of(formula) if isinstance(r, m.Repeated) for p in m.parts_of(r)]
    names = [part for part in m.parts_of(formula) if isinstance(part, m.Symbol)]
    return bool(inside) and len(names) == sum(isinstance(part, m.Symbol) for part in inside)


def _standing(vector: m.Repeated) -> m.Math:
    return transposed(vector.of) if vector.is_row else vector.of


def _diagonal(vectors: list[m.Math]) -> m.Math:
    return m.Apply("diag", (product(*vectors, is_entrywise=True),))
