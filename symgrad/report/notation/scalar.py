"""A map's scalar formula as it stands on paper, over whatever its operands are written as.

_0*(1 - _1**2)  over G, H  ->  G ⊙ (1 - H ⊙ H)  of matrices,  G_ij (1 - H_ij²)  of entries
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symgrad.expr.slots import fold, slot_index
from symgrad.expr.spacing import SPACING
from symgrad.report.notation import formula as m
from symgrad.report.notation.build import negative, product, ratio, total
from symgrad.report.notation.functions import function
from symgrad.report.notation.names import symbol
from symgrad.report.notation.written import Written, e_to, has_entries, raised


def scalar_formula(formula: sympy.Expr, operands: Sequence[Written]) -> Written:
    """`formula` with `operands` in its slots."""

    def combine(part: Any, below: tuple[Written, ...]) -> Written:
        index = slot_index(part)
        if index is not None:
            return operands[index]
        if part.is_Add:
            return _sum(part, below)
        if part.is_Mul:
            return _product(part, below)
        if part.is_Pow:
            return _power(part, below)
        return function(part, below) if part.args else Written(_atom(part))

    return fold(sympy.sympify(formula), combine)


def number(value: object) -> m.Math:
    """A number, or arithmetic of dimensions."""
    return scalar_formula(sympy.sympify(value), ()).counted


ATOMS: dict[Any, m.Math] = {
    sympy.pi: m.Symbol("pi"),
    sympy.E: m.Symbol("e", (), True),
    sympy.oo: m.Symbol("∞", (), True),
    sympy.zoo: m.Symbol("∞", (), True),
    sympy.nan: m.Symbol("NaN", (), True),
    -sympy.oo: m.Negative(m.Symbol("∞", (), True)),
    SPACING: m.Symbol("epsilon"),
}


def _atom(part: Any) -> m.Math:
    if part in ATOMS:
        return ATOMS[part]
    if part.is_Symbol:
        return symbol(part.name)
    if part.is_Rational and not part.is_Integer:
        fraction = m.Fraction(m.Number(str(abs(part.p))), m.Number(str(part.q)))
        return m.Negative(fraction) if part < 0 else fraction
    if part.is_Float or part.is_Integer:
        written = m.Number(repr(abs(float(part))) if part.is_Float else str(abs(part)))
        return m.Negative(written) if part < 0 else written
    return m.Symbol(str(part), (), True)


def _sum(part: Any, below: tuple[Written, ...]) -> Written:
    """What is added first, what is subtracted after it: `p - y`, `1 - y²`."""
    terms = [b.counted for _, b in sorted(zip(part.args, below, strict=True), key=_place_in_sum)]
    positive = [t for t in terms if not isinstance(t, m.Negative)]
    minus = [t for t in terms if isinstance(t, m.Negative)]
    return Written(total(*positive, *minus), has_entries(below))


def _place_in_sum(term: tuple[Any, Written]) -> tuple[int, int]:
    """Whole numbers first, then the operands in their order, what is made of them, fractions."""
    arg = term[0].as_coeff_Mul()[1]
    index = slot_index(arg)
    if arg.is_number:
        return (0 if term[0].is_Integer else 3, 0)
    return (2, 0) if index is None else (1, index)


def _product(part: Any, below: tuple[Written, ...]) -> Written:
    """Numbers, scalars, then tensors entry by entry, sums last of each; divisors under a line."""
    above: list[Written] = []
    under: list[Written] = []
    is_negative = False
    for arg, written in zip(part.args, below, strict=True):
        if arg.is_Rational and not arg.is_Integer:
            is_negative ^= bool(arg < 0)
            above.append(Written(m.Number(str(abs(arg.p)))))
            under.append(Written(m.Number(str(arg.q))))
        elif arg.is_Pow and isinstance(written.math, m.Fraction) and written.math.above == m.ONE:
            under.append(Written(written.math.below, written.is_tensor))
        else:
            above.append(written)
    whole = _factors(above)
    if isinstance(whole, m.Negative):
        is_negative, whole = not is_negative, whole.of
    if under and isinstance(whole, m.Big) and not has_entries(under):
        whole = product(ratio(m.ONE, _factors(under)), whole)
    elif under:
        whole = ratio(whole, _factors(under))
    return Written(negative(whole) if is_negative else whole, has_entries(below))


def _factors(parts: Sequence[Written]) -> m.Math:
    scalars = [p.counted for p in parts if not p.is_tensor]
    tensors = [p.counted for p in parts if p.is_tensor]
    scalars.sort(key=lambda s: (not isinstance(s, m.Number), isinstance(s, m.Sum)))
    tensors.sort(key=lambda t: isinstance(t, m.Sum))  # y ⊙ (1 - y)
    entries = product(*tensors, is_entrywise=True) if tensors else m.ONE
    return product(*scalars, entries)


def _power(part: Any, below: tuple[Written, ...]) -> Written:
    base, exponent = below[0], part.exp
    if exponent.is_Rational and exponent < 0:
        return Written(ratio(m.ONE, _root_or_power(base, -exponent)), base.is_tensor)
    if exponent.is_Rational:
        return Written(_root_or_power(base, exponent), base.is_tensor)
    if part.base is sympy.E:  # not reached by SymPy's own exp, which is a function
        return Written(e_to(below[1]), below[1].is_tensor)
    return Written(raised(base, below[1].counted), has_entries(below))


def _root_or_power(base: Written, exponent: Any) -> m.Math:
    if exponent == 1:
        return base.counted
    if exponent == sympy.S.Half:
        return m.Root(base.counted)
    return raised(base, _atom(exponent))
