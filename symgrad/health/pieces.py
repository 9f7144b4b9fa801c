"""A scalar formula cut at its kinks: on each interval what remains is smooth.

    leaky relu, where(0 < z, z, a*z)   is   a*z on (-oo, 0)  and  z on (0, oo)

Single points do not matter to an integral, so a strict and a weak comparison are the same here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import sympy
from sympy import Expr, S

from symgrad.expr import functions as f
from symgrad.expr.slots import fold, slot

Z = slot(0)
MOST_PIECES = 64


class Piece(NamedTuple):
    """What a formula is from `low` to `high`."""

    low: Expr
    high: Expr
    formula: Expr

    @property
    def inside(self) -> Expr:
        """A point of the interval."""
        if self.low.is_infinite and self.high.is_infinite:
            return S.Zero
        if self.low.is_infinite:
            return self.high - 1
        return self.low + 1 if self.high.is_infinite else (self.low + self.high) / 2


class UncutError(Exception):
    """Where the kinks lie cannot be said in closed form."""


WHOLE_LINE = Piece(S.NegativeInfinity, S.Infinity, Z)


def pieces(formula: Expr) -> tuple[Piece, ...]:
    """The smooth pieces of `formula`, a formula of slot 0, from left to right.

    Raises: UncutError if a kink stands where no root of a line or a parabola is, or if the formula
    has infinitely many (a rounding).
    """
    return tuple(_joined(fold(formula, _cut)))


def _cut(node: Any, below: tuple[Sequence[Piece], ...]) -> Sequence[Piece]:
    if not node.args:
        return [WHOLE_LINE._replace(formula=node)]
    made: list[Piece] = []
    for low, high, args in _common(below):
        if node.func not in SWITCHES:
            if node.func in UNCUT:
                raise UncutError(node.func.__name__)
            made.append(Piece(low, high, node.func(*args)))
            continue
        edges, choose = SWITCHES[node.func]
        bounds = [low, *_roots(edges(*args), low, high), high]
        for left, right in pairwise(bounds):
            at = Piece(left, right, Z).inside
            made.append(Piece(left, right, choose(lambda x, at=at: _sign(x, at), *args)))
        if len(made) > MOST_PIECES:
            raise UncutError("too many pieces")
    return _joined(made)


def _common(below: Sequence[Sequence[Piece]]) -> list[tuple[Expr, Expr, list[Expr]]]:
    """Intervals on which all arguments are smooth, with the arguments there."""
    bounds = sorted({bound for part in below for piece in part for bound in piece[:2]})
    rows = []
    for low, high in pairwise(bounds):
        at = Piece(low, high, Z).inside
        args = [next(p.formula for p in part if p.low < at < p.high) for part in below]
        rows.append((low, high, args))
    return rows


def _joined(made: Sequence[Piece]) -> list[Piece]:
    """Neighbours that are the same formula become one."""
    joined: list[Piece] = []
    for piece in made:
        if joined and joined[-1].formula == piece.formula:
            joined[-1] = joined[-1]._replace(high=piece.high)
        else:
            joined.append(piece)
    return joined


def _roots(edges: Sequence[Expr], low: Expr, high: Expr) -> list[Expr]:
    """Where one of `edges` passes through 0 within the interval."""
    found: set[Expr] = set()
    for edge in edges:
        if not edge.has(Z):
            continue
        edge = sympy.factor_terms(edge).as_independent(Z, as_Add=False)[1]
        polynomial = edge.as_poly(Z)
        if polynomial is None or polynomial.degree() > 2 or not edge.free_symbols <= {Z}:
            raise UncutError(str(edge))
        if polynomial.degree() == 1:
            slope, constant = polynomial.all_coeffs()
            found.add(-constant / slope)
        else:
            found |= {root for root in sympy.roots(polynomial) if root.is_real}
    return sorted(root for root in found if low < root < high)


def _sign(edge: Expr, at: Expr) -> int:
    """The sign of `edge` at a point."""
    value = edge.subs(Z, at)
    if value.is_positive:
        return 1
    if value.is_negative:
        return -1
    if value.is_zero:
        return 0
    raise UncutError(str(edge))


Sign = Callable[[Expr], int]


def _larger(sign: Sign, a: Expr, b: Expr) -> Expr:
    return a if sign(a - b) >= 0 else b


def _smaller(sign: Sign, a: Expr, b: Expr) -> Expr:
    return b if sign(a - b) >= 0 else a


def _clipped(sign: Sign, x: Expr, low: Expr, high: Expr) -> Expr:
    return _smaller(sign, _larger(sign, x, low), high)


def _below(sign: Sign, a: Expr, b: Expr) -> Expr:
    return sympy.Integer(sign(a - b) < 0)


def _difference(a: Expr, b: Expr) -> tuple[Expr, ...]:
    return (a - b,)


def _itself(x: Expr, *more: Expr) -> tuple[Expr, ...]:
    return (x,)


def _nowhere(*args: Expr) -> tuple[Expr, ...]:
    return ()


# class -> the edges at which it switches; and what it is, given the signs of formulas
SWITCHES: dict[Any, tuple[Callable[..., Sequence[Expr]], Callable[..., Expr]]] = {
    f.relu: (_itself, lambda sign, x: x if sign(x) > 0 else S.Zero),
    f.absolute: (_itself, lambda sign, x: x * sign(x)),
    f.sign: (_itself, lambda sign, x: sympy.Integer(sign(x))),
    f.heaviside: (_itself, lambda sign, x, at_zero: sympy.Integer(sign(x) > 0)),
    f.maximum: (_difference, _larger),
    f.fmax: (_difference, _larger),
    f.raised: (_difference, _larger),
    f.minimum: (_difference, _smaller),
    f.fmin: (_difference, _smaller),
    f.clip: (lambda x, low, high: (x - low, x - high), _clipped),
    f.less: (_difference, _below),
    f.less_equal: (_difference, _below),
    f.equal: (_difference, lambda sign, a, b: sympy.Integer(a == b)),
    f.not_equal: (_difference, lambda sign, a, b: sympy.Integer(a != b)),
    f.where: (_nowhere, lambda sign, chosen, a, b: a if sign(chosen) != 0 else b),
    f.logical_and: (_nowhere, lambda sign, a, b: sympy.Integer(sign(a) != 0 and sign(b) != 0)),
    f.logical_or: (_nowhere, lambda sign, a, b: sympy.Integer(sign(a) != 0 or sign(b) != 0)),
    f.logical_not: (_nowhere, lambda sign, a: sympy.Integer(sign(a) == 0)),
}  # fmt: skip
UNCUT = (f.floor, f.ceil, f.trunc, f.rint, f.mod, f.fmod, f.floor_divide)
