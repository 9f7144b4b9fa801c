"""Scalar formulas: adoption, kinds, substitution, text, evaluation."""

from __future__ import annotations

import doctest
import importlib

import pytest
import sympy

from symgrad.errors import UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.arithmetic import MpArithmetic, converged
from symgrad.expr.formula import (
    adopt,
    evaluate,
    heads,
    kind,
    operation_count,
    partial,
    replace_slots,
    slot,
    slots_of,
    text,
)

X, Y, Z = slot(0), slot(1), slot(2)
N = sympy.Symbol("n", integer=True, nonnegative=True)
ADOPTED = [
    (sympy.Abs(X), f.absolute(X)),
    (sympy.sqrt(X**2), f.absolute(X)),
    (sympy.Max(X, Y, 0), f.maximum(f.maximum(X, Y), 0)),
    (sympy.Min(X, 1), f.minimum(X, 1)),
    (sympy.Heaviside(X), f.heaviside(X, sympy.S.Half)),
    (sympy.sign(X) * sympy.floor(Y), f.sign(X) * f.floor(Y)),
    (sympy.ceiling(X) + sympy.Mod(X, 3), f.ceil(X) + f.mod(X, 3)),
    (sympy.Piecewise((X, X > 0), (0, True)), f.where(f.less(0, X), X, 0)),
    (
        sympy.Piecewise((1, X > 1), (2, (X > 0) & (Y < 1)), (3, True)),
        f.where(f.less(1, X), 1, f.where(f.logical_and(f.less(0, X), f.less(Y, 1)), 2, 3)),
    ),
    (sympy.sec(X), 1 / f.cos(X)),
    (sympy.sinc(X), f.sine_quotient(X, 0)),
    (1.0 + sympy.exp(1.0 * X), 1 + sympy.exp(X)),
    (X**2.0, X**2),
    (0.5 * X, X / 2),
    (1.0 * X, 1.0 * X),
    (X**Y, f.power(X, Y)),
    (X / N, X / N),
]


@pytest.mark.parametrize(("given", "expected"), ADOPTED, ids=str)
def test_adoption(given, expected):
    assert adopt(given) == expected
    assert adopt(expected) == expected


REFUSED = [
    (sympy.I * X, "I"),
    (X + sympy.oo, "oo"),
    (sympy.zoo + X, "zoo"),
    (sympy.DiracDelta(X), "DiracDelta"),
    (sympy.gamma(X), "gamma"),
    (sympy.Function("mystery")(X), "mystery"),
    (sympy.LambertW(X), "LambertW"),
    (sympy.Symbol("q") * X, "q"),
    (sympy.Piecewise((X, X > 0)), "default"),
    (sympy.Integral(sympy.Function("g")(X), X), "scalar formula"),
    (sympy.Matrix([X]), "scalar formula"),
    (sympy.Derivative(sympy.Function("g")(X), X), "scalar formula"),
]


@pytest.mark.parametrize(("given", "named"), REFUSED, ids=str)
def test_what_is_not_supported_is_refused_by_name(given, named):
    with pytest.raises(UnsupportedError, match=named):
        adopt(given)


def test_partials_have_no_trace_of_sympys_own_forms():
    formula = adopt(sympy.Abs(X) ** 3 + sympy.Max(X, Y) * sympy.Heaviside(X) + X**Y)
    for i in (0, 1):
        for j in (0, 1):
            second = partial(partial(formula, i), j)
            assert adopt(second) == second
            assert not second.has(sympy.Derivative, sympy.DiracDelta, sympy.nan, sympy.Abs)
    assert partial(X**2, slot(0)) == 2 * X
    assert partial(X**2, 1) == 0


KINDS = [
    (X + 2 * Y, ("int", "int"), "int"),
    (X / 2, ("int",), "float"),
    (X**2, ("int",), "int"),
    (1 / X, ("int",), "float"),
    (f.less(X, Y), ("float", "float"), "bool"),
    (f.less(0, X) + f.less(1, X), ("float",), "int"),
    (f.less(0, X) * Y, ("float", "float"), "float"),
    (f.where(f.less(0, X), 1, 0), ("float",), "int"),
    (f.maximum(X, 0), ("int",), "int"),
    (f.exp(X), ("int",), "float"),
    (X * N, ("int",), "int"),
    (X + 0.1, ("int",), "float"),
]


@pytest.mark.parametrize(("formula", "kinds", "expected"), KINDS, ids=str)
def test_kinds(formula, kinds, expected):
    assert kind(formula, kinds) == expected


def test_slots_are_swapped_at_once():
    assert replace_slots(X - 2 * Y, {0: Y, 1: X}) == Y - 2 * X
    assert slots_of(Z * X + N) == (0, 2)
    assert slot(3) is slot(3)


def test_counting_and_heads():
    square = (X + Y) ** 2
    assert operation_count(square + f.sin(square)) == 4  # +, **, sin, +: each once
    assert heads(f.exp(X) * Y + 1) == {"exp", "multiply", "add"}


TEXTS = [
    (X * (1 - Y**2), "x * (1 - y**2)"),
    (f.sigmoid(X) * f.sigmoid(-X), "sigmoid(x) * (1 - sigmoid(x))"),
    (f.exp(X - Y), "exp(x - y)"),
    (f.maximum(X, 0), "maximum(x, 0)"),
    (f.less(0, X), "x > 0"),
    (f.less(X, Y), "x < y"),
    (f.less(Y, X), "x > y"),
    (Y * f.less(0, X), "y * (x > 0)"),
    (f.where(f.logical_and(f.less(X, Y), f.less(0, Z)), X, -Y), "where((x < y) & (z > 0), x, -y)"),
    (-X - Y, "-x - y"),
    (-1 / X**2, "-1 / x**2"),
    (X / (Y * Z), "x / (y * z)"),
    (2 * X / 3, "2 * x / 3"),
    (-(X + Y) ** 2 * Z, "-z * (x + y)**2"),
    ((-X) ** 3 + 1.5 * Y, "1.5 * y - x**3"),
    (f.power(X, -Y), "x**(-y)"),
    (1 / sympy.sqrt(X), "1 / sqrt(x)"),
    (f.absolute(X) + f.asin(Y), "abs(x) + arcsin(y)"),
    (f.logical_not(f.equal(X, Y)) * Z, "z * ~(x == y)"),
    (f.divide(X, X + Y) ** 2, "(x / (x + y))**2"),
    (N * X, "x * n"),
]


@pytest.mark.parametrize(("formula", "expected"), TEXTS, ids=str)
def test_text(formula, expected):
    assert text(formula, ["x", "y", "z"]) == expected


READ_BACK = [f_ for f_, _ in TEXTS if not f_.has(f.where, f.logical_not, f.power, N)]


@pytest.mark.parametrize("formula", READ_BACK, ids=str)
def test_text_means_what_the_formula_means(formula):
    """Read back by Python it has the same value: precedence is right."""
    names = {"sigmoid": lambda u: 1 / (1 + sympy.exp(-u)), "maximum": max, "arcsin": sympy.asin}
    names |= {"exp": sympy.exp, "sqrt": sympy.sqrt, "abs": abs, "x": 0.7, "y": 0.4, "z": 2.2}
    read = eval(text(formula, ["x", "y", "z"]), {}, names)  # text of this test's own making
    exact = evaluate(formula, {0: 0.7, 1: 0.4, 2: 2.2}, MpArithmetic(30))
    assert abs(float(read) - float(exact)) < 1e-12


def test_evaluation_needs_no_luck_with_digits():
    small = float(converged(adopt(sympy.log(1 - sympy.exp(-X))), {0: 600}))
    assert small == pytest.approx(-2.6503965530043108e-261, rel=1e-15)
    complement = adopt(sympy.log(1 - 1 / (1 + sympy.exp(-X))))
    assert converged(complement, {0: 10000}) == pytest.approx(-1e4)
    assert evaluate(f.log(X), {0: 0}, MpArithmetic(20)) == -sympy.oo
    assert str(evaluate(f.log(X), {0: -1}, MpArithmetic(20))) == "nan"
    assert evaluate(1 / X, {0: 0}, MpArithmetic(20)) == sympy.oo


def test_a_deep_formula_needs_no_recursion():
    formula = X
    for _ in range(3000):
        formula = f.sign(formula) if _ % 2 else f.floor(formula) + 1
    assert slots_of(formula) == (0,)
    assert operation_count(formula) == 4500


MODULES = (
    "smooth planar steps comparison functions slots adoption kinds formula formula_text arithmetic"
)


@pytest.mark.parametrize("module", MODULES.split())
def test_examples_in_docstrings_run(module):
    results = doctest.testmod(importlib.import_module(f"symgrad.expr.{module}"))
    assert results.attempted and not results.failed
