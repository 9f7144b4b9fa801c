"""Expansion: equal on paper, safe at the ends of the range, shared where it can be."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
import sympy
from numpy_arithmetic import NumpyArithmetic

from symgrad.expr import functions as f
from symgrad.expr.arithmetic import MpArithmetic, converged, evaluate
from symgrad.expr.formula import heads, slot
from symgrad.program import expansion
from symgrad.program.expansion import LOG_MAX, MEANINGS, expand

X, Y = slot(0), slot(1)
COMPOUND = [
    f.sigmoid(X),
    f.sigmoid(-X),
    f.sigmoid(X) * f.sigmoid(-X),
    f.softplus(X),
    f.softplus(-f.absolute(X)),
    f.log1mexp(X),
    f.bose(X),
    f.logaddexp(X, Y),
    f.logaddexp2(X, Y),
    f.logcosh(X),
    f.unit(X, Y),
    f.versin(X),
    f.relu(X),
    f.root(X),
    f.clip(X, -1, Y),
    *(f.sine_quotient(X, k) for k in range(5)),
]
UFUNCS = {name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
RENAMED = {"atan2", "asinh", "acosh", "atanh", "asin", "acos", "atan"}
KNOWN = UFUNCS | RENAMED | {"where", "erf", "erfc", "ndtr"}


@pytest.mark.parametrize("formula", COMPOUND, ids=str)
def test_only_ufuncs_are_left(formula):
    assert heads(expand(formula)) <= KNOWN
    assert expand(expand(formula)) == expand(formula)


@pytest.mark.parametrize("formula", COMPOUND, ids=str)
def test_equal_on_paper(formula):
    assert not differing_points(formula, expand(formula))


def differing_points(formula, expanded):
    """Points at which the two differ in the 35th digit."""
    wrong = []
    for x in (-700, -40, -3.3, -1, -0.2, 0, 1e-30, 0.3, 0.9, 2, 4.5, 30, 800):
        for y in (-2, 0, 5):
            values = {0: x, 1: y}
            a, b = (evaluate(e, values, MpArithmetic(800)) for e in (formula, expanded))
            # the series of sin(x)/x is cut for floats
            close = 1e-15 if formula.has(f.sine_quotient) else 1e-35
            # exponents are clipped where the result is too small for a float64
            if a == a and np.isfinite(float(a)) and not abs(a - b) <= close * abs(a) + 1e-307:
                wrong.append((x, y))
    return wrong


def test_the_comparison_sees_a_wrong_expansion():
    assert differing_points(f.softplus(X), f.maximum(X, 0) + f.log1p(f.exp(X)))
    assert differing_points(f.versin(X), 2 * f.sin(X) ** 2)


INF = float("inf")
ENDS = [
    (f.sigmoid(X), (INF,), 1),
    (f.sigmoid(X), (-INF,), 0),
    (f.sigmoid(-X) + 2 * f.sigmoid(X), (INF,), 2),
    (f.sigmoid(-X) + 2 * f.sigmoid(X), (-INF,), 1),
    (f.sigmoid(-X) * f.sigmoid(X), (1e4,), 0),
    (f.sigmoid(-X) * f.sigmoid(X), (-1e4,), 0),
    (X * f.sigmoid(X), (-1e4,), 0),
    (f.softplus(X), (INF,), INF),
    (f.softplus(X), (-INF,), 0),
    (f.logaddexp(X, Y), (INF, INF), INF),
    (f.logaddexp(X, Y), (-INF, -INF), -INF),
    (f.logaddexp(X, Y), (INF, -INF), INF),
    (f.logaddexp2(X, Y), (-INF, 3.0), 3),
    (f.logaddexp(X, Y), (float("nan"), 1.0), float("nan")),
    (f.log1mexp(X), (0.0,), -INF),
    (f.log1mexp(X), (INF,), 0),
    (f.log1mexp(X), (-1.0,), float("nan")),
    (f.bose(X), (1e4,), 0),
    (f.bose(X) * f.bose(-X), (1e4,), 0),
    (f.unit(X, Y), (0.0, 0.0), 0),
    (f.unit(X, Y), (1e-30, 1e-30), 0.5**0.5),
    (f.logcosh(X), (-INF,), INF),
    (f.relu(X), (float("nan"),), float("nan")),
    (f.sine_quotient(X, 0), (0.0,), 1),
    (f.sine_quotient(X, 1), (1e20,), None),
]


@pytest.mark.parametrize(("formula", "point", "expected"), ENDS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_at_the_ends_of_the_range(formula, point, expected, dtype):
    values = {i: dtype(x) for i, x in enumerate(point)}
    got = evaluate(expand(formula), values, NumpyArithmetic(dtype))
    if expected is None:
        assert np.isfinite(got)
    else:
        # exponents are clipped where the result is below the smallest normal number
        size = max(1.0, *(abs(x) for x in point if np.isfinite(x)), 0.0)
        least = float(np.finfo(dtype).smallest_normal) * size
        np.testing.assert_allclose(got, dtype(expected), rtol=1e-6, atol=least)


def test_one_exp_serves_both_sigmoids():
    expanded = expand(-Y * f.sigmoid(-X) + (1 - Y) * f.sigmoid(X))
    u = f.exp(f.minimum(X, LOG_MAX))
    assert expanded.atoms(sympy.exp) == {u}
    alone = expand(f.sigmoid(X))
    assert expanded.has(alone)  # what a forward pass has computed is found again
    assert expand(f.sigmoid(X) * f.sigmoid(-X)).has(alone)
    assert expand(f.sigmoid(-X)) == f.divide(1, 1 + u)  # not 1 - s(x)


@pytest.mark.parametrize("k", range(4))
def test_sine_quotient_is_accurate_around_zero_and_at_the_seam(k):
    formula = f.sine_quotient(X, k)
    expanded = expand(formula)
    for x in (1e-30, 1e-8, 0.1, 1.0, k + 1.99, k + 2.01, 20.0):
        got = float(evaluate(expanded, {0: np.float64(x)}, NumpyArithmetic(np.float64)))
        true = float(converged(formula, {0: x}))
        assert abs(got - true) <= 4e-15 * max(abs(true), 0.05 / (k + 1)), x


def test_the_table_covers_what_numpy_lacks():
    compound = {getattr(f, name) for name in f.__all__ if isinstance(getattr(f, name), type)}
    named = {cls for cls in compound if issubclass(cls, sympy.Function)}
    lacking = {cls for cls in named - {f.Indicator, f.sigmoid} if cls.__name__ not in KNOWN}
    assert lacking <= set(MEANINGS)
    assert not set(MEANINGS) - named


def test_log_max_is_a_number_of_its_own():
    assert str(-LOG_MAX) == "-log_max" and LOG_MAX.is_number
    assert f.minimum(X, LOG_MAX).args[1] == LOG_MAX


def test_examples_in_docstrings_run():
    results = doctest.testmod(expansion)
    assert results.attempted and not results.failed
