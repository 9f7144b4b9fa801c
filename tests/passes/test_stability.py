"""Stabilised formulas in NumPy's float32 and float64 against the naive ones with many digits."""

from __future__ import annotations

import doctest
import importlib
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from numpy_arithmetic import NumpyArithmetic
from sympy import Expr

from symgrad.expr import functions as f
from symgrad.expr.arithmetic import MpArithmetic, converged, evaluate
from symgrad.expr.formula import adopt, partial, slot, slots_of
from symgrad.passes.stability import RULES, stabilise_formula
from symgrad.program.expansion import expand

X, Y, Z = slot(0), slot(1), slot(2)
EXP, LOG, COS, SQRT = sympy.exp, sympy.log, sympy.cos, sympy.sqrt
P = 1 / (1 + EXP(-X))
BCE = -(Y * LOG(P) + (1 - Y) * LOG(1 - P))

# --- the forms ----------------------------------------------------------------------------------

FORMS = [
    (LOG(1 + EXP(X)), f.softplus(X)),
    (LOG(EXP(X) + 1.0), f.softplus(X)),
    (LOG(3 + 3 * EXP(X)), LOG(3) + f.softplus(X)),
    (LOG(1 + X), f.log1p(X)),
    (LOG(1.0 + X * Y), f.log1p(X * Y)),
    (P, f.sigmoid(X)),
    (1.0 / (1.0 + EXP(-1.0 * X)), f.sigmoid(X)),
    (EXP(X) / (1 + EXP(X)), f.sigmoid(X)),
    (1 - P, f.sigmoid(-X)),
    (EXP(-X) / (1 + EXP(-X)) ** 2, f.sigmoid(X) * f.sigmoid(-X)),
    (EXP(X) - 1, f.expm1(X)),
    (1 - EXP(-X), -f.expm1(-X)),
    (Y * EXP(X) - Y, Y * f.expm1(X)),
    (2.5 * EXP(X) - 2.5, sympy.Rational(5, 2) * f.expm1(X)),
    (LOG(1 - EXP(-X)), f.log1mexp(X)),
    (LOG(EXP(X) - 1), X + f.log1mexp(X)),
    (LOG(EXP(X) + EXP(Y)), f.logaddexp(X, Y)),
    (LOG(EXP(X) + EXP(Y) + EXP(Z)), f.logaddexp(f.logaddexp(X, Y), Z)),
    (f.logaddexp(0, X), f.softplus(X)),
    (LOG(P), -f.softplus(-X)),
    (BCE, Y * f.softplus(-X) + (1 - Y) * f.softplus(X)),
    (BCE.subs(Y, 1), f.softplus(-X)),
    (BCE.subs(Y, 0), f.softplus(X)),
    (SQRT(X**2 + Y**2), f.hypot(X, Y)),
    (SQRT(1 + X**2), f.hypot(1, X)),
    (1 - COS(X), f.versin(X)),
    (COS(X) - 1, -f.versin(X)),
    (SQRT(X + 1) - SQRT(X), 1 / (SQRT(X + 1) + SQRT(X))),
    (SQRT(X + 1) - 1, X / (SQRT(X + 1) + 1)),
    (EXP(-f.softplus(X)), f.sigmoid(-X)),
    (LOG(X**2), 2 * LOG(f.absolute(X))),
    (LOG(X**3), 3 * LOG(X)),
    (LOG(EXP(X) / Y), X - LOG(Y)),
    (EXP(X) * EXP(Y), EXP(X + Y)),
    (EXP(X) / (EXP(X) + EXP(Y)), f.sigmoid(X - Y)),
    ((EXP(X) - EXP(-X)) / (EXP(X) + EXP(-X)), f.tanh(X)),
    ((1 - EXP(-2 * X)) / (1 + EXP(-2 * X)), f.tanh(X)),
    (LOG(sympy.cosh(X)), f.logcosh(X)),
    (LOG((EXP(X) + EXP(-X)) / 2), f.logcosh(X)),
    (EXP(X) + EXP(-X) - 2, 4 * sympy.sinh(X / 2) ** 2),
    (f.maximum(X, 0) + LOG(1 + EXP(-f.absolute(X))), f.softplus(X)),
    (X * (1 + f.tanh(Y)) / 2, X * f.sigmoid(2 * Y)),
    (f.logaddexp(X, Y) - X, f.softplus(Y - X)),
    (X / (X**2 + Y**2), f.unit(X, Y) / f.hypot(X, Y)),
    (f.where(f.less(0, X), X, EXP(X) - 1), f.where(f.less(0, X), X, f.expm1(X))),
]


@pytest.mark.parametrize(("naive", "stable"), FORMS, ids=str)
def test_forms(naive, stable):
    found = stabilise_formula(adopt(naive))
    assert found == adopt(stable)
    assert stabilise_formula(found) == found


KEPT = [f.tanh(X), X**2 + Y, f.sin(X) * EXP(Y), X - Y, SQRT(X), 1 - f.tanh(X) ** 2, EXP(X) + 1]


@pytest.mark.parametrize("formula", KEPT, ids=str)
def test_where_no_rule_fires_the_formula_comes_back(formula):
    assert stabilise_formula(formula) == formula


def test_every_rule_says_what_it_does():
    assert all(rule.__doc__ for rules in RULES.values() for rule in rules)


# --- the values ---------------------------------------------------------------------------------

RNG = np.random.default_rng(2)
LINE = np.concatenate(
    [10.0 ** np.linspace(-30, 4, 18), RNG.uniform(0.05, 20, 14), RNG.uniform(20, 900, 16)]
)
EDGES = [1.0, 2.0, 0.5, 16.6, 36.7, 87.5, 88.7, 103.9, 708.4, 709.7, 745.1, 1e4]
POSITIVE = [float(np.float32(x)) for x in (*LINE, *EDGES)]
REAL = [0.0, *POSITIVE, *(-x for x in POSITIVE)]
TARGETS = np.float32([0, 1, 0.3, 0.9])
FAR = [float(np.float32(10.0**e)) for e in np.linspace(-25, 30, 28)]


def _pairs(sizes: list[float], count: int) -> list[tuple[float, ...]]:
    return [tuple(RNG.choice(sizes, 2) * RNG.choice([-1, 1], 2)) for _ in range(count)]


@dataclass(frozen=True)
class Case:
    """A naive text and where it is tried; `ulps` bounds the relative error over machine epsilon.

    `conditioned`: the error is divided by the condition number of the point (where above 1). Only
    where the inputs' own rounding is amplified: zero crossings, and exp of a difference.
    `floor`: errors below that many smallest normal numbers do not count. Above 1 only where a
    factor of the naive text leaves the range before the product does.
    """

    naive: Expr
    points: list[tuple[float, ...]]
    ulps: float = 4.0
    conditioned: bool = False
    floor: float = 1.0
    seen: dict = field(default_factory=dict, compare=False)


def _single(points: list[float]) -> list[tuple[float, ...]]:
    return [(x,) for x in points]


CASES = {
    "log(1 + exp(x))": Case(LOG(1 + EXP(X)), _single(REAL)),
    "1/(1 + exp(-x))": Case(P, _single(REAL)),
    "cross-entropy": Case(
        BCE, list(zip(REAL, RNG.choice(TARGETS, len(REAL)).tolist(), strict=True)), 4, True
    ),
    "exp(x) - 1": Case(EXP(X) - 1, _single(REAL)),
    "log(1 - exp(-x))": Case(LOG(1 - EXP(-X)), _single(POSITIVE)),
    "sqrt(x**2 + y**2)": Case(SQRT(X**2 + Y**2), _pairs(POSITIVE + FAR, 60)),
    "log(exp(a) + exp(b))": Case(LOG(EXP(X) + EXP(Y)), _pairs(POSITIVE, 60), 4, True),
    "log(exp(a)/(exp(a) + exp(b)))": Case(
        LOG(EXP(X) / (EXP(X) + EXP(Y))), _pairs(POSITIVE, 60), 4, True
    ),
    "1 - cos(x)": Case(1 - COS(X), _single(REAL)),
    "sqrt(x + 1) - sqrt(x)": Case(SQRT(X + 1) - SQRT(X), _single(POSITIVE[6:] + FAR[1:])),
}


def error(got: Any, true: Any, dtype: Any, condition: float = 1.0, floor: float = 1.0) -> float:
    """|got - true| in units of epsilon times |true| (times the condition, if above 1).

    0 where the difference is below `floor` smallest normal numbers, both overflow, both are nan.
    """
    about = np.finfo(dtype)
    if mpmath.isnan(true):
        return 0.0 if np.isnan(got) else np.inf
    if abs(true) > float(about.max):
        return 0.0 if np.isinf(got) and (got > 0) == (true > 0) else np.inf
    if not np.isfinite(got):
        return np.inf
    away = abs(mpmath.mpf(float(got)) - true)
    if away <= floor * float(about.smallest_normal):
        return 0.0
    return float(away / (abs(true) * float(about.eps) * max(1.0, condition)))


def derivatives(formula: Expr, settle: Any) -> list[Expr]:
    """The formula and its partials to second order, each through `settle`."""
    slots = slots_of(formula)
    first = {i: settle(partial(formula, i)) for i in slots}
    second = [settle(partial(first[i], j)) for i in slots for j in slots if i <= j]
    return [formula, *first.values(), *second]


def worst_error(case: Case, stable: Expr, dtype: Any) -> float:
    """Over all points and derivatives."""
    naive = adopt(case.naive)
    slots = slots_of(naive)
    pairs = zip(
        derivatives(naive, lambda d: d), derivatives(stable, stabilise_formula), strict=True
    )
    worst = 0.0
    for level, (exact, computed) in enumerate(pairs):
        expanded = expand(computed)
        for point in case.points:
            values = dict(zip(slots, point, strict=True))
            if (level, point) not in case.seen:  # float32 and float64 share the points
                case.seen[level, point] = converged(exact, values)
            true = mpmath.mpf(case.seen[level, point])
            condition = condition_number(computed, values, true) if case.conditioned else 1.0
            arrays = {i: dtype(value) for i, value in values.items()}
            got = evaluate(expanded, arrays, NumpyArithmetic(dtype))
            worst = max(worst, error(got, true, dtype, condition, case.floor))
    return worst


def condition_number(formula: Expr, values: dict[int, float], true: Any) -> float:
    """How much relative errors of the inputs are amplified: sum |x f_x / f|."""
    if true == 0 or not mpmath.isfinite(true):
        return 1.0
    slopes = [evaluate(partial(formula, i), values, MpArithmetic(60)) for i in slots_of(formula)]
    total = sum(abs(mpmath.mpf(slope) * values[i] / true) for i, slope in enumerate(slopes))
    return float(total)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_value_and_two_derivatives_are_accurate_to_a_few_ulps(name, dtype):
    case = CASES[name]
    assert worst_error(case, stabilise_formula(adopt(case.naive)), dtype) <= case.ulps


@pytest.mark.parametrize("name", ["log(1 + exp(x))", "exp(x) - 1", "1 - cos(x)"])
def test_the_measure_sees_that_the_naive_text_is_not(name):
    case = CASES[name]
    assert worst_error(case, adopt(case.naive), np.float64) > 1e6


def test_the_measure_sees_a_small_error():
    off = f.softplus(X) * (1 + sympy.Float(1e-14))
    assert worst_error(CASES["log(1 + exp(x))"], off, np.float64) > 20
    assert error(np.float64("nan"), mpmath.mpf(1), np.float64) == np.inf
    assert error(np.float32("inf"), mpmath.mpf(-1e300), np.float32) == np.inf


ACTIVATIONS = {
    # sigmoid(-x) is clipped to half the smallest normal number, and x*sigmoid(-x) is 1e4 times that
    "x/(1 + exp(-x))": Case(X * P, _single([*REAL, -88.9, -89.5, -710.5]), floor=1e4),
    "x/(1 + |x|)": Case(X / (1 + f.absolute(X)), _single(REAL)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_users_own_activation(name):
    case = ACTIVATIONS[name]
    assert worst_error(case, stabilise_formula(adopt(case.naive)), np.float32) <= case.ulps


# --- same value on paper ------------------------------------------------------------------------


@pytest.mark.parametrize("naive", [naive for naive, _ in FORMS], ids=str)
def test_forms_are_equal_on_paper(naive):
    """Also where the naive text is nan: no rule widens or narrows a domain."""
    naive = adopt(naive)
    stable = stabilise_formula(naive)
    arithmetic = MpArithmetic(80)
    for seed in range(12):
        values = dict(enumerate(np.random.default_rng(seed).normal(0, 3, 3).tolist()))
        a, b = evaluate(naive, values, arithmetic), evaluate(stable, values, arithmetic)
        assert (a != a and b != b) or abs(a - b) <= 1e-60 * (1 + abs(a)), values


MODULES = "stability inversion soundness"


@pytest.mark.parametrize("module", MODULES.split())
def test_examples_in_docstrings_run(module):
    results = doctest.testmod(importlib.import_module(f"symgrad.passes.{module}"))
    assert results.attempted and not results.failed
