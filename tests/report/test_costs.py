"""Costs on a page: the order of terms, the parts and their ratio, and where numbers hold."""

from __future__ import annotations

import pytest
import sympy

import symgrad as sg
from symgrad.report.cost_formula import cost_formula
from symgrad.report.costs import Costs, Spent, cost_table
from symgrad.report.notation import latex, text
from symgrad.report.record.costs import CostTable
from symgrad.report.render import FORMATS, render_derivation
from tests.report.test_derivation import derivation_of, small_model

n, d = sg.dim("n"), sg.dim("d")


@pytest.mark.parametrize(
    ("cost", "written"),
    [
        (1 + 9 * n + 2 * d * n, "2 n d + 9 n + 1"),
        (d**2 * n + n**2 + n * d + d + n, "n d² + n² + n d + n + d"),
        (sympy.S.Zero, "0"),
        (2 * n**3 / 3 - n - 5, "2 n³/3 - n - 5"),
        (7 - 3 * n, "7 - 3 n"),
        (8 * n + sympy.Max(0, 16 * d * n - 24), "8 n + max(0, 16 n d - 24)"),
        (5 + d * sympy.floor(n / 2), "d ⌊n/2⌋ + 5"),
    ],
    ids=str,
)
def test_terms_of_largest_degree_come_first(cost: sympy.Expr, written: str) -> None:
    assert text(cost_formula(cost, (n, d))) == written


def test_dimensions_stand_in_the_order_of_the_model() -> None:
    assert text(cost_formula(2 * n * d + n + d, (d, n))) == "2 d n + d + n"
    assert latex(cost_formula(2 * n * d**2, (n, d))) == r"2 \, n \, d^{2}"


def spent(flops: object, traffic: object = 8, peak: object = 8) -> Spent:
    return Spent(*map(sympy.sympify, (flops, traffic, peak)))


def table(backward: Spent, has_tangents: bool = False) -> CostTable:
    forward = spent(2 * n * d, 8 * n, 0)
    total = spent(forward.flops + backward.flops)
    costs = Costs({1: forward, 2: backward}, forward, backward, total, {n: 10, d: 3}, has_tangents)
    return cost_table(costs, {}, (1,))


def test_the_backward_part_is_set_against_the_forward_part() -> None:
    found = table(spent(4 * n * d + 6, 800))
    assert found.ratio is not None and found.ratio.called == "backward / forward"
    assert (found.ratio.flops, found.ratio.traffic, found.ratio.peak) == ("2.10", "10", "")
    assert [row.called for row in found.totals] == ["forward", "backward", "total"]
    assert [row.sample[0] for row in found.totals] == ["60", "126", "186"]
    assert found.sizes == "n = 10, d = 3"
    assert [row.traffic for row in found.rows] == [cost_formula(8 * n, (n, d)), None]


def test_tangents_are_no_backward_pass() -> None:
    found = table(spent(n), has_tangents=True)
    assert found.ratio is not None and found.ratio.called == "derivatives / values"
    assert [row.called for row in found.totals] == ["values", "derivatives", "total"]
    assert [row.part for row in found.rows] == ["forward", "backward"]


def test_what_is_all_of_one_part_is_told_once() -> None:
    only = spent(2 * n)
    found = cost_table(Costs({1: only}, only, spent(0), only, {n: 10}), {}, (1,))
    assert ([row.called for row in found.totals], found.ratio) == (["total"], None)


def logistic() -> sg.Model:
    X, y, w = sg.input("X", (n, d)), sg.input("y", (n,)), sg.parameter("w", (d,))
    z = (X @ w).named("z")
    return sg.Model("logistic", loss=sg.sum(sg.log(1 + sg.exp(-y * z))))


@pytest.mark.parametrize("function", ["hessian", "input_grad", "hvp", "per_example_grad"])
def test_values_that_derivatives_need_are_not_counted_with_them(function: str) -> None:
    costs = derivation_of(logistic(), function).costs
    assert costs is not None and costs.ratio is not None
    assert costs.totals[0].sample[0] != "0"
    first = costs.rows[0]  # z = X w
    assert (first.part, first.flops) == ("forward", cost_formula(2 * n * d, (n, d)))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_the_ratio_and_where_formulas_hold(form: str) -> None:
    page = render_derivation(derivation_of(small_model()), form)
    assert "backward / forward" in page
    assert "hold where every dimension is at least 1, the numbers where n = 64" in page
