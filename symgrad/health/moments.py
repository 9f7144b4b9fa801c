"""What an activation does to a normal variable: E[f(z)], E[f(z)^2] and E[f'(z)^2].

    moments(relu).square.exact         q/2         (any symbol's formula, a name, a function)
    moments(tanh).slope_square.at(1)   0.4644...   (by quadrature, with the error that is left)

z ~ N(0, q). A closed form comes from the known integrals of `gaussian`, as a SymPy expression in
q; where there is none, `exact` is None and `at(q)` is a quadrature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, S

from symgrad.expr.slots import replace_slots, slots_of
from symgrad.health import gaussian, quadrature
from symgrad.health.activation import as_formula, slope_of
from symgrad.health.pieces import Piece, UncutError, Z, pieces

Q = gaussian.Q
LONGEST_EXACT = 400  # operations; a longer closed form tells a reader nothing


@dataclass(frozen=True)
class Moment:
    """One expectation under N(0, q), as a function of the variance q.

    name: as it is written, "E[f(z)^2]". integrand: a formula of slot 0. exact: the closed form in
    the symbol q, or None.
    """

    name: str
    integrand: Expr
    exact: Expr | None

    def at(self, variance: Any) -> Expr:
        """The value at that variance: exact where it is short, else a number.

        A symbolic variance needs a closed form. Raises: ValueError if there is none.
        """
        variance = sympy.sympify(variance)
        if variance == 0:
            return _at_zero(self.integrand)
        if self.exact is not None:
            value = self.exact.subs(Q, variance)
            return value if value.is_Rational or value.free_symbols else sympy.N(value, 17)
        if variance.free_symbols:
            raise ValueError(f"{self.name} has no closed form")
        return sympy.Float(self.number(float(variance))[0])

    def number(self, variance: float) -> tuple[float, float]:
        """The value by quadrature, whatever `exact` is, and the error that is left."""
        return _quadrature(self.integrand, float(variance))


@dataclass(frozen=True)
class Moments:
    """An activation f under z ~ N(0, q).

    formula: f, of slot 0. mean: E[f(z)]. square: E[f(z)^2]. slope_square: E[f'(z)^2].
    """

    formula: Expr
    slope: Expr
    mean: Moment
    square: Moment
    slope_square: Moment

    def __iter__(self) -> Any:
        return iter((self.mean, self.square, self.slope_square))


def moments(formula: Any) -> Moments:
    """The moments of an activation.

    `formula`: a SymPy formula of one symbol (further symbols are constants of it), text such as
    "z * sigmoid(z)", or a function of a tensor such as `nn.functional.gelu`.

    Raises: UnsupportedError if it is not an elementwise function of one tensor.
    """
    return _moments(as_formula(formula))


@lru_cache(maxsize=1024)
def _moments(formula: Expr) -> Moments:
    slope = slope_of(formula)
    return Moments(
        formula,
        slope,
        _moment("E[f(z)]", formula),
        _moment("E[f(z)^2]", formula**2),
        _moment("E[f'(z)^2]", slope**2),
    )


@lru_cache(maxsize=4096)
def expected(formula: Expr) -> Moment:
    """E[h(z)] of any formula of slot 0."""
    return _moment("E[h(z)]", formula)


def _moment(name: str, integrand: Expr) -> Moment:
    try:
        exact = gaussian.expectation(_pieces(integrand))
    except (UncutError, gaussian.NoClosedFormError):
        return Moment(name, integrand, None)
    if sympy.count_ops(exact) > LONGEST_EXACT:
        return Moment(name, integrand, None)
    return Moment(name, integrand, exact)


@lru_cache(maxsize=4096)
def _pieces(formula: Expr) -> tuple[Piece, ...]:
    return pieces(formula)


def _at_zero(integrand: Expr) -> Expr:
    """The limit for q -> 0: the value at 0; on a kink the mean of both sides."""
    try:
        parts = _pieces(integrand)
    except UncutError:
        return integrand.subs(Z, 0)
    sides = [p.formula.subs(Z, 0) for p in parts if p.low <= 0 <= p.high]
    return sympy.nsimplify(sympy.Add(*sides) / len(sides)) if sides else S.NaN


@lru_cache(maxsize=65536)
def _quadrature(integrand: Expr, variance: float) -> tuple[float, float]:
    if slots_of(integrand) not in ((), (0,)) or integrand.free_symbols - {Z}:
        raise ValueError(f"{integrand} holds constants without a value")
    try:
        kinks = [float(p.low) for p in _pieces(integrand) if not p.low.is_infinite]
    except UncutError:
        kinks = []
    return quadrature.expectation(integrand, math.sqrt(variance), kinks)


def shifted(formula: Expr, mean: Any) -> Expr:
    """The formula of z + mean."""
    return formula if mean == 0 else replace_slots(formula, {0: Z + mean})
