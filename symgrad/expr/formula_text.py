"""A scalar formula as a NumPy programmer would write it down.

    >>> from symgrad.expr.slots import slot
    >>> g, h = slot(0), slot(1)
    >>> text(g * (1 - h**2), ["d_h", "h"]), text(f.less(0, h) * g / 2, ["d_h", "h"])
    ('d_h * (1 - h**2)', 'd_h * (h > 0) / 2')

Order is fixed: numbers, then slots by index, then what is compound; positive terms first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from sympy import S

from symgrad.expr import functions as f
from symgrad.expr.slots import fold, slot_index

# Precedences, as in Python: a part is put in parentheses where it binds less than its place asks.
COMPARE, OR, AND, SUM, PRODUCT, SIGNED, POWER, ATOM = range(8)
Printed = tuple[str, int]

INFIX: dict[Any, tuple[str, int]] = {
    f.less: ("<", COMPARE),
    f.less_equal: ("<=", COMPARE),
    f.equal: ("==", COMPARE),
    f.not_equal: ("!=", COMPARE),
    f.logical_and: ("&", AND),
    f.logical_or: ("|", OR),
}
MIRRORED = {f.less: ">", f.less_equal: ">="}
NAMES: dict[Any, str] = {
    f.absolute: "abs",
    f.asin: "arcsin",
    f.acos: "arccos",
    f.atan: "arctan",
    f.atan2: "arctan2",
    f.asinh: "arcsinh",
    f.acosh: "arccosh",
    f.atanh: "arctanh",
    f.root: "sqrt",
}
CONSTANTS = {S.Pi: "pi", S.Exp1: "e"}


def text(formula: sympy.Expr, names: Sequence[str]) -> str:
    """The formula with `names[i]` for slot i; a name may itself be a piece of text, an atom."""
    writer = _Writer(names)
    formula = sympy.sympify(formula)
    fold(formula, writer.note)
    return writer.printed[formula][0]


def order(node: Any) -> tuple[Any, ...]:
    """Where a reader expects a factor: numbers, slots by index, dimensions, then compounds."""
    if node.is_number:
        return 0, 0, node.sort_key()
    index = slot_index(node.args[0] if node.is_Pow else node)
    if index is not None:
        return 1, index, node.sort_key()
    # s(z) before s(-z), which is printed as its complement
    mirrored = node.func is f.sigmoid and node.args[0].could_extract_minus_sign()
    return (2 if node.is_Symbol else 3), int(mirrored), node.sort_key()


def _term_order(term: Any) -> tuple[Any, ...]:
    rest = term.as_coeff_Mul()[1]
    if rest is S.One:
        return (9,)  # x + 1, but 1 - x, since what is subtracted follows
    rank, index, _ = min(order(part) for part in sympy.Mul.make_args(rest))
    return 1, rank, index, rest.sort_key()


def _at(printed: Printed, place: int) -> str:
    part, binding = printed
    return part if binding >= place else f"({part})"


def _number(number: Any) -> Printed:
    if number in CONSTANTS:
        return CONSTANTS[number], ATOM
    if number.is_Rational and not number.is_Integer:
        return f"{number.p} / {number.q}", PRODUCT
    if number.is_Integer or number.is_Float:
        part = str(int(number)) if number.is_Integer else repr(float(number))
        return part, ATOM if number >= 0 else SIGNED
    return str(number), ATOM


class _Writer:
    """The text and the binding strength of every subformula, arguments before their parents."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.printed: dict[Any, Printed] = {}

    def note(self, node: Any, below: tuple[None, ...]) -> None:
        self.printed[node] = self._print(node)

    def _at(self, node: Any, place: int) -> str:
        return _at(self.printed.get(node) or _number(node), place)

    def _print(self, node: Any) -> Printed:
        if node.is_Symbol:
            index = slot_index(node)
            return (node.name if index is None else self.names[index]), ATOM
        if not node.args:
            return _number(node)
        if node.is_Add:
            return self._sum(node)
        if node.is_Mul or (node.is_Pow and _is_below(node)):
            return self._product(node)
        if node.is_Pow or node.func is f.power:
            return self._power(*node.args)
        if node.func in INFIX:
            return self._infix(node)
        if node.func is f.divide:
            upper, lower = node.args
            return f"{self._at(upper, PRODUCT)} / {self._at(lower, SIGNED)}", PRODUCT
        if node.func is f.logical_not:
            return f"~{self._at(node.args[0], POWER)}", SIGNED
        if node.func is f.sine_quotient:
            primes = "'" * int(node.args[1])
            return f"sine_quotient{primes}({self._at(node.args[0], COMPARE)})", ATOM
        name = NAMES.get(node.func, node.func.__name__)
        return f"{name}({', '.join(self._at(arg, COMPARE) for arg in node.args)})", ATOM

    def _infix(self, node: Any) -> Printed:
        mark, binding = INFIX[node.func]
        lhs, rhs = node.args
        if node.func in MIRRORED and _is_read_mirrored(lhs, rhs):  # 0 < z is read as z > 0
            lhs, rhs, mark = rhs, lhs, MIRRORED[node.func]
        return f"{self._at(lhs, binding + 1)} {mark} {self._at(rhs, binding + 1)}", binding

    def _sum(self, node: Any) -> Printed:
        plus, minus = [], []
        for term in sorted(node.args, key=_term_order):
            part, binding = self.printed[term]
            if part.startswith("-") and binding in (PRODUCT, SIGNED):
                minus.append(part[1:])
            else:
                plus.append(_at((part, binding), SUM))
        if not plus:
            plus, minus = [f"-{minus[0]}"], minus[1:]
        return " - ".join([" + ".join(plus), *minus]), SUM

    def _power(self, base: Any, exponent: Any) -> Printed:
        if exponent == S.Half:
            return f"sqrt({self._at(base, COMPARE)})", ATOM
        return f"{self._at(base, ATOM)}**{self._at(exponent, POWER)}", POWER

    def _product(self, node: Any) -> Printed:
        factors = sympy.Mul.make_args(node)
        sigmoids = {factor.args[0] for factor in factors if factor.func is f.sigmoid}
        upper, lower, sign = [], [], ""
        for factor in sorted(factors, key=order):
            if factor.is_Rational or factor.is_Float:
                sign = "-" if factor < 0 else ""
                top, bottom = abs(factor), S.One
                if factor.is_Rational:
                    top, bottom = sympy.Integer(top.p), sympy.Integer(top.q)
                upper += [_number(top)[0]] if top is not S.One else []
                lower += [_number(bottom)[0]] if bottom is not S.One else []
            elif _is_below(factor):
                base, exponent = factor.args
                inverse = self.printed[base] if exponent == -1 else self._power(base, -exponent)
                lower.append(_at(inverse, POWER))
            elif factor.func is f.sigmoid and _is_complement(factor.args[0], sigmoids):
                upper.append(f"(1 - sigmoid({self._at(-factor.args[0], COMPARE)}))")
            else:
                upper.append(self._at(factor, SIGNED))
        part = sign + (" * ".join(upper) or "1")
        if lower:
            part += f" / {lower[0]}" if len(lower) == 1 else f" / ({' * '.join(lower)})"
        return part, SIGNED if part == sign + "".join(upper) and sign else PRODUCT


def _is_read_mirrored(lhs: Any, rhs: Any) -> bool:
    if lhs.is_number or rhs.is_number:
        return bool(lhs.is_number)
    return order(rhs) < order(lhs)


def _is_below(node: Any) -> bool:
    """Whether it belongs under the bar of a fraction."""
    return bool(node.is_Pow and node.exp.is_Rational and node.exp < 0)


def _is_complement(argument: Any, sigmoids: set[Any]) -> bool:
    """Whether sigmoid(-argument) stands beside it too, and this is the one with the minus."""
    return -argument in sigmoids and bool(argument.could_extract_minus_sign())
