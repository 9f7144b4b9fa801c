"""Reusing outputs: derivatives that read what the forward pass has computed."""

from __future__ import annotations

import sympy

from symgrad.expr import functions as f
from symgrad.expr.dimension import dim
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.passes.form import Form
from symgrad.passes.reuse import read_instead, reuse_outputs

n = dim("n")
a, b, c = slot(0), slot(1), slot(2)
exp, tanh = sympy.exp, sympy.tanh
Z, G = Input("z", (n,)), Input("g", (n,))
LSE = Input("lse", ())


def reused(y: Node, derivative: Node) -> Node:
    return reuse_outputs(Form.of({"y": y, "d": derivative})).outputs["d"]


def test_the_examples_of_the_pass() -> None:
    h = Map(tanh(a), Z)
    assert reused(h, Map(a * (1 - tanh(b) ** 2), G, Z)) is Map(a * (1 - b**2), G, h)
    h = Map(f.relu(a), Z)
    assert reused(h, Map(a * f.less(0, b), G, Z)) is Map(a * f.less(0, b), G, h)


def test_softplus_and_exp() -> None:
    y = Map(f.softplus(a), Z)
    assert reused(y, Map(a * f.sigmoid(b), G, Z)) is Map(-a * f.expm1(-b), G, y)
    y = Map(exp(a), Z)
    assert reused(y, Map(a * exp(b), G, Z)) is Map(a * b, G, y)


def test_a_formula_of_several_operands_is_found_as_it_stands() -> None:
    p = Map(exp(a - b), Z, LSE)
    assert reused(p, Map((exp(b - c) - a) / n, G, Z, LSE)) is Map((b - a) / n, G, p)


def test_roots_and_reciprocals() -> None:
    y = Map(sympy.sqrt(a), Z)
    assert reused(y, Map(a / (2 * sympy.sqrt(b)), G, Z)) is Map(a / (2 * b), G, y)
    y = Map(1 / a, Z)
    assert reused(y, Map(-a / b**2, G, Z)) is Map(-a * b**2, G, y)


def test_an_activation_of_ones_own() -> None:
    y = Map(f.log1p(exp(a)) / 2, Z)
    derivative = Map(a * exp(b) / (1 + exp(b)) / 2, G, Z)
    assert reused(y, derivative) is Map(-a * f.expm1(-2 * b) / 2, G, y)


def test_an_output_is_only_read_where_its_input_is_not_needed_any_more() -> None:
    y = Map(f.relu(a), Z)
    derivative = Map(a * f.less(0, b) + sympy.sin(b), G, Z)
    assert reused(y, derivative) is derivative


def test_arithmetic_is_computed_anew() -> None:
    y = Map(a**2, Z)
    derivative = Map(a * sympy.sin(b**2), G, Z)
    assert reused(y, derivative) is derivative


def test_a_map_that_comes_later_is_not_read() -> None:
    first, second = Map(exp(a), Z), Map(exp(2 * a), Z)
    form = reuse_outputs(Form.of({"first": first, "second": second}))
    assert form.outputs == {"first": first, "second": Map(a**2, first)}
    reverse = Form.of({"second": second, "first": first})
    assert reuse_outputs(reverse) is reverse


def test_what_holds_on_half_the_domain_is_refused() -> None:
    y = Map(sympy.sin(a), Z)
    derivative = Map(a * sympy.cos(b), G, Z)
    assert reused(y, derivative) is derivative


P = Map(exp(a - b), Z, LSE)  # a softmax that nothing computes


def instead(derivative: Node, known: Node, kept: tuple[Node, ...] = ()) -> Node:
    return read_instead(Form.of({"d": derivative}), [known], kept).outputs["d"]


def test_what_is_known_is_read_where_a_formula_holds_it() -> None:
    derivative = Map((exp(a - b) - c) / n, Z, LSE, G)
    assert instead(derivative, P) is Map((b - a) / n, G, P)
    assert instead(derivative, P, (derivative,)) is derivative
    other = Map((exp(b - a) - c) / n, Z, LSE, G)
    assert instead(other, P) is other


def test_the_other_half_of_a_known_sigmoid_is_1_minus_it() -> None:
    y = Map(f.sigmoid(a), Z)
    slope = Map(a * f.sigmoid(b) * f.sigmoid(-b), G, Z)
    assert instead(slope, y) is Map(a * b * (1 - b), G, y)
    assert reused(y, slope) is not Map(a * b * (1 - b), G, y)  # it cancels: not for the machine
