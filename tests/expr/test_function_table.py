"""Scalar functions: slopes against differences with 60 digits, and on every kink."""

from __future__ import annotations

from itertools import pairwise

import pytest
import sympy

from symgrad.expr import functions as f
from symgrad.expr.arithmetic import MpArithmetic, evaluate
from symgrad.expr.formula import adopt, partial, slot, slots_of
from symgrad.expr.kinks import KINKS
from symgrad.expr.steps import Kinked

A, B, C = slot(0), slot(1), slot(2)
ARITHMETIC = MpArithmetic(60)
MPF = ARITHMETIC.context.mpf
STEP = MPF(10) ** -19  # the difference is good to about 38 of 60 digits

ANY = (-2.3, -0.7, 0.4, 1.9)
POSITIVE = (0.2, 0.9, 3.1)
INSIDE = (-0.8, -0.1, 0.6)
ABOVE_ONE = (1.2, 4.5)
DOMAINS = {
    "log": POSITIVE,
    "log2": POSITIVE,
    "log10": POSITIVE,
    "log1p": (-0.4, 0.3, 5.0),
    "log1mexp": POSITIVE,
    "sqrt": POSITIVE,
    "power": POSITIVE,
    "arcsin": INSIDE,
    "arccos": INSIDE,
    "arctanh": INSIDE,
    "arccosh": ABOVE_ONE,
    "root": POSITIVE,
}
INNER = {name: getattr(f, name) for name in ("log1mexp", "bose", "unit", "versin", "root")}
INNER |= {"logcosh": f.logcosh, "divide": f.divide}
CASES = {name: (entry.arity, entry) for name, entry in f.FUNCTIONS.items()}
CASES |= {name: (2 if name in ("unit", "divide") else 1, call) for name, call in INNER.items()}
CASES |= {"sine_quotient": (1, lambda a: f.sine_quotient(a, 3))}
MOST_WRONG = 1e-25


def difference(formula, values, i):
    """The central difference in slot i."""
    up, down = (
        evaluate(formula, {**values, i: values[i] + sign * STEP}, ARITHMETIC) for sign in (1, -1)
    )
    return (up - down) / (2 * STEP)


def points(name, arity):
    name = f.FUNCTIONS[name].name if name in f.FUNCTIONS else name
    xs = [MPF(x) for x in DOMAINS.get(name, ANY)]
    shifted = [x * MPF("1.37") for x in xs]
    return [dict(enumerate((x, *shifted[k:], *shifted)[:arity])) for k, x in enumerate(xs)]


def wrong_slopes(formula, derivative_of=partial, places=None):
    """(slot, order, point) wherever a first or second slope differs from the difference."""
    wrong = []
    for i in slots_of(formula):
        slope = derivative_of(formula, i)
        for level, upper in ((1, formula), (2, slope)):
            for j in (i,) if level == 1 else slots_of(formula):
                lower = slope if level == 1 else derivative_of(upper, j)
                for values in places:
                    expected = difference(upper, values, j)
                    got = evaluate(lower, values, ARITHMETIC)
                    if not abs(got - expected) <= MOST_WRONG * (abs(got) + abs(expected) + 1):
                        wrong.append((j, level, values))
    return wrong


@pytest.mark.parametrize("name", CASES)
def test_slopes_to_second_order(name):
    arity, construct = CASES[name]
    formula = construct(*(slot(i) for i in range(arity)))
    assert not wrong_slopes(formula, places=points(name, arity))


@pytest.mark.parametrize("name", ["tanh", "hypot", "logaddexp", "power", "mod", "sigmoid"])
def test_slopes_within_an_outer_and_around_an_inner_function(name):
    arity, construct = CASES[name]
    args = [slot(i) ** 2 / 2 for i in range(arity)]
    formula = A**3 * f.sin(construct(*args))
    assert not wrong_slopes(formula, places=points("power", max(arity, 1)))


SPOILED = [lambda d: d * 1.001, lambda d: -d, lambda d: d * 0, lambda d: d + A]


@pytest.mark.parametrize("spoil", SPOILED)
def test_the_check_sees_a_wrong_slope(spoil):
    def spoiled(formula, i):
        return spoil(partial(formula, i))

    assert wrong_slopes(f.softplus(A), spoiled, points("softplus", 1))


@pytest.mark.parametrize("kink", KINKS, ids=lambda kink: f"{kink.formula}@{kink.point}")
def test_kinks(kink):
    values = dict(enumerate(kink.point))
    for i, expected in enumerate(kink.slopes):
        slope = partial(kink.formula, i)
        assert evaluate(slope, values, ARITHMETIC) == MPF(sympy.Rational(expected).p) / (
            sympy.Rational(expected).q
        )
        second = evaluate(partial(slope, i), values, ARITHMETIC)
        smooth = isinstance(kink.formula, f.power | f.sine_quotient)
        assert smooth or second == 0


def test_every_function_with_kinks_is_in_the_table():
    def kinked(cls):
        return {cls} | {sub for child in cls.__subclasses__() for sub in kinked(child)}

    listed = {node.func for kink in KINKS for node in sympy.preorder_traversal(kink.formula)}
    abstract = {cls for cls in kinked(Kinked) if cls.__subclasses__() or cls is Kinked}
    assert kinked(Kinked) - abstract <= listed


def test_no_slope_is_outside_of_the_vocabulary():
    for arity, construct in CASES.values():
        formula = construct(*(slot(i) for i in range(arity)))
        for i in range(arity):
            for order in range(3):
                formula = partial(formula, i) if order else formula
                assert adopt(formula) == formula
                assert not formula.has(sympy.Derivative, sympy.Subs, sympy.nan, sympy.zoo)


def test_both_spellings_are_the_same_function():
    pairs = [("arcsin", "asin"), ("absolute", "abs"), ("arctan2", "atan2"), ("power", "pow")]
    for numpy_name, short in pairs:
        assert f.FUNCTIONS[numpy_name] is f.FUNCTIONS[short]


def test_simplifying_through_our_functions():
    assert sympy.log(sympy.exp(f.softplus(A))) == f.softplus(A)
    assert f.absolute(-A) == f.absolute(A)
    assert f.less(1, 2) == 1 and f.where(f.less(2, 1), A, B) == B
    assert f.hypot(B, A) == f.hypot(A, B)


def test_sine_quotient_is_smooth_through_zero():
    tiny = MPF(10) ** -20
    for k in range(5):
        at_zero = evaluate(f.sine_quotient(A, k), {0: 0}, ARITHMETIC)
        beside = evaluate(f.sine_quotient(A, k), {0: tiny}, MpArithmetic(250))
        assert abs(at_zero - beside) < 1e-19


def test_rounding_ties_go_to_even():
    values = [evaluate(f.rint(A), {0: x / 2}, ARITHMETIC) for x in (-5, -3, -1, 1, 3, 5)]
    assert values == [-2, -2, 0, 0, 2, 2]
    assert all(a <= b for a, b in pairwise(values))
