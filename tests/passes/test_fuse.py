"""Fusing and tidying: what becomes one formula, what stays apart, and how formulas are finished."""

from __future__ import annotations

import pytest
import sympy

from symgrad.expr import functions as f
from symgrad.expr.contraction import spread
from symgrad.expr.dimension import dim
from symgrad.expr.formula import operation_count, slot
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form
from symgrad.passes.fuse import MOST_OPERATIONS, fuse
from symgrad.passes.tidy import finished, tidied

n = dim("n")
a, b, c, d = slot(0), slot(1), slot(2), slot(3)
exp, tanh, half = sympy.exp, sympy.tanh, sympy.Rational(1, 2)
X, Y, Z = Input("x", (n, 4)), Input("y", (n, 4)), Input("z", (n, 4))
COLUMN = Input("column", (n, 1))


def fused(*nodes: Node) -> Node:
    return fuse(Form.of({f"y{i}": node for i, node in enumerate(nodes)})).outputs["y0"]


def test_the_example_of_the_pass() -> None:
    total = Map(a + exp(b - c) / n, Map(-a / n, X), Y, COLUMN)
    assert fused(total) is Map((exp(b - c) - a) / n, X, Y, COLUMN)


def test_what_others_read_stays_unless_it_is_a_multiple() -> None:
    shared = Map(tanh(a), X)
    reader = Map(1 - a**2, shared)
    assert fused(reader, Map(a + 1, shared)) is reader
    double = Map(2 * a, X)
    assert fused(Map(tanh(a), double), double) is Map(tanh(2 * a), X)


def test_an_output_that_another_reads_stays() -> None:
    inner = Map(tanh(a), X)
    assert fused(Map(a + 1, inner), inner) is Map(a + 1, inner)


def test_what_the_definition_named_stays() -> None:
    named = Map(a + b, X, Y).named("hidden")
    assert fused(Map(tanh(a), named)) is Map(tanh(a), named)


def test_terms_cancel_once_they_meet() -> None:
    difference = Map(a - b, X, Y)
    assert fused(Map(a + b, difference, Y)) is X


def test_what_became_unstable_is_stabilised() -> None:
    assert fused(Map(sympy.log(a), Map(1 + exp(a), X))) is Map(f.softplus(a), X)


def test_nothing_is_computed_on_more_entries_than_before() -> None:
    row = Input("row", (4,))
    outer = Map(a * b, Map(exp(a), COLUMN), Map(exp(a), row))
    # exp(column + row) would take n*4 exponentials
    assert fused(outer) is Map(exp(a) * b, COLUMN, Map(exp(a), row))
    together = Map(a * b, Map(exp(a), COLUMN), X)
    assert fused(together) is Map(exp(a) * b, COLUMN, X)


def test_a_part_that_costs_more_does_not_keep_others_out() -> None:
    row = Input("row", (4,))
    outer = Map(a * b * c, Map(exp(a), COLUMN), Map(exp(a), row), Map(1 - a, X))
    assert fused(outer) is not outer


def test_formulas_stay_short() -> None:
    total: Node = X
    for i in range(200):
        total = Map(a + b, total, Input(f"x{i}", (n, 4)))
    form = fuse(Form.of({"y": total}))
    maps = [node for node in postorder(form.outputs.values()) if isinstance(node, Map)]
    assert all(operation_count(node.formula) <= MOST_OPERATIONS for node in maps)
    assert len(maps) <= 200 // (MOST_OPERATIONS // 2)


def test_views_are_not_in_the_way_of_repetition() -> None:
    wide = spread(Input("u", (n,)), {1: sympy.S.One})
    assert fused(Map(a - b, X, Map(2 * a, wide))) is Map(a - 2 * b, X, wide)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (exp(a - b) / n - c / n, (exp(a - b) - c) / n),
        (a * b - a * b * tanh(c) ** 2, a * b * (1 - tanh(c) ** 2)),
        ((2 * a - 2 * b) / (3 * n), sympy.Mul(sympy.Rational(2, 3), 1 / n, a - b)),
        (-a / n - b / n, sympy.Mul(-1, 1 / n, a + b)),
        (a * (b - c) + a * d, a * (b - c + d)),
        (a**2 * b + a * b**2, a * b * (a + b)),
        (f.where(a, b / n - c / n, 0), f.where(a, (b - c) / n, 0)),
        (a * exp(b) - a, a * f.expm1(b)),
        (a / 2 + b, a / 2 + b),
        (a / n + b * d, a / n + b * d),
        (-a - b, -a - b),
    ],
)
def test_finished_formulas(formula: sympy.Expr, expected: sympy.Expr) -> None:
    assert finished(formula) == expected
    assert finished(expected) == expected


@pytest.mark.parametrize("number", [sympy.Rational(1, 32), sympy.Float(0.1)])
def test_a_number_before_a_sum_stays_there(number: sympy.Expr) -> None:
    """SymPy would multiply it into every term."""
    factored = tidied(number * a - number * b)
    assert factored.is_Mul and set(factored.args) == {number, a - b}
    assert tidied(factored) == factored


def test_accuracy_goes_before_brevity() -> None:
    loss_slope = -c * f.sigmoid(-a) + (1 - c) * f.sigmoid(a)
    assert finished(loss_slope) == loss_slope
