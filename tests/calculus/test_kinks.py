"""Derivatives *on* the points where there is none: the choices of design.md, stood upon one by one.

Also the first derivative's own kinks: the second derivative there must be finite.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from catalogue import SCALARS
from checking import evaluate

from symgrad.calculus.forward import directional
from symgrad.calculus.reverse import gradients
from symgrad.expr import functions as f
from symgrad.expr.contraction import sum_over
from symgrad.expr.kinks import HALF, KINKS, Kink
from symgrad.expr.leaf import Parameter, Tangent
from symgrad.expr.map import Map
from symgrad.expr.reduction import LogSumExp, Max, Min, Prod, ProdOthers
from symgrad.expr.slots import slot
from symgrad.expr.steps import Kinked

A, B = slot(0), slot(1)
# Points beside the table of kinks where a formula comes close to 0/0 or infinity.
EDGES = (
    Kink(f.hypot(A, B), (3, 0), (1, 0), "the unit vector"),
    Kink(f.power(A, B), (-2, 0), (0, sympy.nan), "a negative base has no logarithm"),
    Kink(sympy.sqrt(A), (0,), (sympy.oo,), "IEEE: 1 / 0"),
    Kink(f.logaddexp(A, B), (1, 1), (HALF, HALF), "equal weights"),
    Kink(f.softplus(A), (0,), (HALF,), "sigmoid(0)"),
)


def name_of(kink: Kink) -> str:
    return f"{kink.formula} at {kink.point}"


def leaves_at(kink: Kink) -> dict:
    return {Parameter(f"x{k}", ()): np.array(float(v)) for k, v in enumerate(kink.point)}


@pytest.mark.parametrize("kink", [*KINKS, *EDGES], ids=name_of)
def test_slopes_in_both_modes(kink):
    values = leaves_at(kink)
    leaves = list(values)
    y = Map(kink.formula, *leaves)
    expected = [float(slope) for slope in kink.slopes]
    np.testing.assert_array_equal(evaluate(gradients(y, leaves), values), expected)
    for leaf, slope in zip(leaves, expected, strict=True):
        t = Tangent("t", ())
        (change,) = evaluate(directional([y], {leaf: t}), values | {t: np.array(1.0)})
        np.testing.assert_array_equal(change, slope)


@pytest.mark.parametrize("kink", [k for k in KINKS if type(k.formula) is not f.power], ids=name_of)
def test_second_derivatives_are_finite(kink):
    values = leaves_at(kink)
    leaves = list(values)
    for slope in gradients(Map(kink.formula, *leaves), leaves):
        assert np.isfinite(evaluate(gradients(slope, leaves), values)).all()


def test_every_kinked_function_stands_on_a_kink():
    heads = {type(kink.formula) for kink in KINKS}
    for name, ranges in SCALARS.items():
        head = type(f.FUNCTIONS[name](*map(slot, range(len(ranges)))))
        assert head in heads or not issubclass(head, Kinked), name


def test_norm_has_no_slope_at_the_origin():
    x = Parameter("x", (3,))
    norm = Map(f.root(slot(0)), x @ x)
    slope = gradients(norm, [x])[0]
    assert not evaluate([slope], {x: np.zeros(3)})[0].any()
    np.testing.assert_allclose(evaluate([slope], {x: np.array([3.0, 0, 4])})[0], [0.6, 0, 0.8])


@pytest.mark.parametrize("kind, first", [(Max, 1), (Min, 0)])
def test_an_extremum_belongs_to_its_first_entry(kind, first):
    x = Parameter("x", (2, 4))
    rows = np.array([[0.0, 5.0, 0.0, 5.0], [0.0, 5.0, 5.0, 0.0]])
    (slope,) = evaluate(gradients(sum_over(kind(x, 1), [0]), [x]), {x: rows})
    expected = np.zeros((2, 4))
    expected[:, first] = 1
    np.testing.assert_array_equal(slope, expected)


@pytest.mark.parametrize("zeros", range(4))
def test_products_with_zeros_to_third_order(zeros):
    x = Parameter("x", (4,))
    at = np.array([2.0, 3.0, -1.5, 0.5])
    at[:zeros] = 0
    symbols = sympy.symbols("a:4")
    product = sympy.Mul(*symbols)
    point = dict(zip(symbols, at, strict=True))
    y = Prod(x, 0)
    for order in range(1, 4):
        (y,) = gradients(y if not y.shape else sum_over(y, [0]), [x])
        product = sum(product.diff(s) for s in symbols) if order > 1 else product
        expected = [float(product.diff(s).subs(point)) for s in symbols]
        np.testing.assert_allclose(evaluate([y], {x: at})[0], expected, atol=1e-14)


def test_prod_others_of_zeros():
    x = Parameter("x", (3,))
    weights = np.array([1.0, 10.0, 100.0])
    w = Parameter("w", (3,))
    y = sum_over(Map(slot(0) * slot(1), ProdOthers(x, 0), w), [0])
    (slope,) = evaluate(gradients(y, [x]), {x: np.array([0.0, 0.0, 5.0]), w: weights})
    # y = w0 x1 x2 + w1 x0 x2 + w2 x0 x1
    np.testing.assert_array_equal(slope, [50.0, 5.0, 0.0])


def test_logsumexp_is_stable_where_the_exponentials_are_not():
    x = Parameter("x", (2,))
    (slope,) = gradients(LogSumExp(x, 0), [x])
    for at in ([1e4, 0.0], [-1e4, -1e4 + 1], [800.0, 801.0]):
        (found,) = evaluate([slope], {x: np.array(at)})
        shifted = np.exp(np.array(at) - max(at))
        np.testing.assert_allclose(found, shifted / shifted.sum(), rtol=1e-11)
