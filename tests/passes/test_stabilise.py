"""Stabilising graphs: naive definitions written operation by operation."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import sympy
from laws import check_laws
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.calculus.reverse import gradients
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread, sum_over
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp, Max
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form
from symgrad.passes.pipeline import BEFORE_DERIVATION, run
from symgrad.passes.stabilise import stabilise

n = sg.dim("n")
a, b = slot(0), slot(1)
Z = Input("z", (n, 4))
X, T = Input("x", (n,)), Input("t", (n,))
LSE = LogSumExp(Z, 1)
COLUMN = spread(LSE, {1: sympy.S.One})
RNG = np.random.default_rng(5)
VALUES = {
    "z": RNG.normal(size=(3, 4)),
    "x": RNG.normal(size=3),
    "t": RNG.random(3),
    "labels": RNG.integers(0, 4, (3, 1)),
}


def stable(node: Node) -> Node:
    return check_laws(Form.of({"y": node}), [stabilise], VALUES).outputs["y"]


def total(node: Node) -> Node:
    return sg.sum(node, axis=1, keepdims=True)


def softmax() -> Node:
    return sg.exp(Z) / total(sg.exp(Z))


def shifted() -> Node:
    return Z - sg.max(Z, axis=1, keepdims=True)


def probability() -> Node:
    return 1 / (1 + sg.exp(-X))


def test_the_examples_of_the_pass() -> None:
    assert stable(sg.log(sg.sum(sg.exp(Z), axis=1))) is LSE
    assert stable(softmax()) is Map(sympy.exp(a - b), Z, COLUMN)
    assert stable(sg.log(softmax())) is Map(a - b, Z, COLUMN)
    assert stable(-sg.log(probability())) is Map(f.softplus(-a), X)


def test_sums_over_several_axes_and_means() -> None:
    everything = stable(sg.log(sg.mean(sg.exp(Z))))
    assert (everything.formula - a).free_symbols == {n}
    assert isinstance(everything.operands[0], LogSumExp)
    first = stable(sg.log(sg.sum(sg.exp(Z), axis=0)))
    assert isinstance(first, LogSumExp)


def test_a_shift_by_hand_is_undone() -> None:
    """logsumexp shifts by itself; the maximum would only cost a second pass and a gradient."""
    by_hand = sg.exp(shifted()) / total(sg.exp(shifted()))
    assert stable(by_hand) is Map(sympy.exp(a - b), Z, COLUMN)
    logarithm = sg.log(total(sg.exp(shifted()))) + sg.max(Z, axis=1, keepdims=True)
    assert stable(logarithm) is COLUMN
    assert stable(LogSumExp(Z + 3 + sg.reshape(X, (n, 1)), 1)).operands == (X, LSE)


@pytest.mark.parametrize(
    ("naive", "formula"),
    [
        (lambda: sg.log(1 + sg.exp(X)), f.softplus(a)),
        (lambda: sg.exp(X) - 1, f.expm1(a)),
        (lambda: 1 - sg.cos(X), f.versin(a)),
        (lambda: sg.sqrt(X**2 + T**2), f.hypot(a, b)),
        (lambda: sg.log(sg.exp(X) + sg.exp(T)), f.logaddexp(a, b)),
        (lambda: sg.log(1 + sg.sum(sg.exp(Z), axis=1)), f.softplus(a)),
        (
            lambda: sg.log(sg.sum(sg.exp(Z), axis=1) + sg.sum(sg.exp(-Z), axis=1)),
            f.logaddexp(a, b),
        ),
        (lambda: sg.exp(Z) * Z * 3 / total(sg.exp(Z)), 3 * a * sympy.exp(a - b)),
    ],
)
def test_operations_are_seen_as_one_formula(naive: object, formula: sympy.Expr) -> None:
    assert callable(naive)
    found = stable(naive())
    assert isinstance(found, Map) and found.formula == formula


@pytest.mark.parametrize(
    "node",
    [
        sg.tanh(X + T) * 3 + X,
        Z / total(sg.exp(Z)),
        sg.sum(sg.exp(Z), axis=1),
        sg.sqrt(sg.sum(Z**2)),
        sg.exp(X) * T + 2,
        sg.log(sg.sum(sg.exp(Z) * Z**2, axis=1)),
    ],
)
def test_what_no_rewrite_asks_for_stays_as_it_was_written(node: Node) -> None:
    assert stable(node) is node


def test_only_what_a_rewrite_needs_is_put_together() -> None:
    """tanh(x) * t is part of the sum in which nothing cancels: it stays a node of its own."""
    unrelated = sg.tanh(X) * T
    result = stable(sg.log(1 + sg.exp(X)) + unrelated)
    assert unrelated in result.operands


@pytest.mark.parametrize("gate", [sg.sigmoid, sg.tanh], ids=("sigmoid", "tanh"))
def test_what_is_read_on_two_levels_stays_one(gate: Callable[[Node], Node]) -> None:
    """c stands below the gate and beside it, as in an LSTM with peepholes."""
    c = sg.tanh(X)
    h = gate(T * c) * sg.tanh(c)
    assert stable(h) is h


def test_a_sum_that_others_use_stays_for_them() -> None:
    sums = sg.sum(sg.exp(Z), axis=1)
    form = stabilise(Form.of({"log": sg.log(sums), "sums": sums}))
    assert form.outputs["log"] is LSE and form.outputs["sums"] is sums


def test_entries_are_picked_from_the_logarithms() -> None:
    labels = Input("labels", (n, 1), "int")
    loss = -sg.log(sg.take_along_axis(softmax(), labels, axis=1))
    form = check_laws(Form.of({"loss": loss}), BEFORE_DERIVATION, VALUES)
    functions = {
        node.formula for node in postorder(form.outputs.values()) if isinstance(node, Map)
    }
    assert not any(formula.has(sympy.exp, sympy.log) for formula in functions)


def test_the_maximum_of_a_definition_that_shows_it_stays() -> None:
    largest = Max(Z, 1)
    form = stabilise(Form.of({"y": sg.log(total(sg.exp(shifted()))), "max": largest}))
    assert largest in postorder(form.outputs.values())


EXTREME = [0.0, 1e-8, -1e-8, 0.5, -3.0, 40.0, -40.0, 800.0, -800.0, 1e4, -1e4]


@pytest.mark.parametrize(
    ("naive", "exact"),
    [
        (lambda x: sg.log(1 + sg.exp(x)), lambda x: mpmath.log(1 + mpmath.exp(x))),
        (lambda x: 1 / (1 + sg.exp(-x)), lambda x: 1 / (1 + mpmath.exp(-x))),
        (lambda x: sg.exp(x) - 1, lambda x: mpmath.exp(x) - 1),
        (
            lambda x: -sg.log(1 / (1 + sg.exp(-x))),
            lambda x: mpmath.log(1 + mpmath.exp(-x)),
        ),
        (
            lambda x: sg.log(sg.sum(sg.exp(sg.stack([x, -x, 2 * x])), axis=0)),
            lambda x: mpmath.log(mpmath.exp(x) + mpmath.exp(-x) + mpmath.exp(2 * x)),
        ),
    ],
)
def test_value_and_slope_over_the_whole_range(naive: object, exact: object) -> None:
    check_accuracy(naive, exact, EXTREME)


def test_a_difference_of_square_roots() -> None:
    check_accuracy(
        lambda x: sg.sqrt(x + 1) - sg.sqrt(x),
        lambda x: mpmath.sqrt(x + 1) - mpmath.sqrt(x),
        [1e-8, 0.5, 3.0, 40.0, 1e4, 1e12],
    )


def check_accuracy(naive: object, exact: object, points: list[float]) -> None:
    """Value and slope of a definition against 420 digits: what is smaller is 0 in a float."""
    assert callable(naive) and callable(exact)
    x = Input("x", (len(points),))
    form = run(Form.of({"y": naive(x)}), BEFORE_DERIVATION)
    y = form.outputs["y"]
    (slope,) = gradients(sum_over(y, [0]), [x])
    values, slopes = evaluate([y, slope], {"x": points})
    with mpmath.workdps(420):
        expected = [float(exact(mpmath.mpf(v))) for v in points]
        expected_slopes = [float(mpmath.diff(exact, mpmath.mpf(v))) for v in points]
    np.testing.assert_allclose(values, expected, rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(slopes, expected_slopes, rtol=1e-13, atol=1e-15)
