"""The form that passes hand on, and the verifier between them."""

from __future__ import annotations

import pytest
import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.dimension import dim
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Constant, Input, Leaf
from symgrad.expr.map import Map
from symgrad.passes.form import Form, repeated
from symgrad.passes.pipeline import run
from symgrad.passes.verify import IllFormed, verify

n = dim("n")
a, b = slot(0), slot(1)
X, Y = Input("x", (n,)), Input("y", (n,))


def test_names_and_origins_move_along() -> None:
    inner = Map(a + b, X, Y).named("s")
    outer = Map(sympy.tanh(a), inner)
    form = Form.of({"z": outer}, {inner: "s", outer: "z"})
    other = Map(a - b, X, Y)
    new_outer = Map(sympy.tanh(a), other)
    moved = form.rewritten({inner: other, outer: new_outer})
    assert moved.names == {other: "s", new_outer: "z"}
    assert moved.origins[other] is inner and moved.origins[new_outer] is outer
    again = moved.rewritten({other: inner, new_outer: outer})
    assert again.origins[outer] is outer, "an origin is what was written first"


def test_of_two_names_on_one_node_the_first_stays() -> None:
    one, two = Map(a + 1, X), Map(1 + a + 0 * b, X, Y)
    form = Form.of({"one": one, "two": Map(a, two)}, {one: "first", two: "second"})
    moved = form.rewritten({two: one, form.outputs["two"]: one})
    assert moved.names == {one: "first"}


def test_names_of_what_vanished_are_dropped() -> None:
    inner = Map(a + b, X, Y)
    form = Form.of({"z": Map(2 * a, inner)}, {inner: "s"})
    fused = Map(2 * a + 2 * b, X, Y)
    moved = form.rewritten({inner: inner, form.outputs["z"]: fused})
    assert moved.names == {} and set(moved.origins) == {X, Y, fused}


def test_an_unchanged_form_is_the_same_object() -> None:
    form = Form.of({"z": Map(2 * a, X)})
    assert form.rewritten({X: X}) is form


def test_a_float_result_stays_one() -> None:
    form = Form.of({"d": Map(a * b, X, Constant(0, (), "float"))})
    moved = form.rewritten({form.outputs["d"]: Constant(0, (n,))})
    assert moved.outputs["d"].dtype == "float"


def test_a_pass_is_observed_by_name() -> None:
    seen = []

    def double(form: Form) -> Form:
        return form.rewritten({x: Map(2 * a, x) for x in form.outputs.values()})

    form = run(Form.of({"x": X}), [double, double], lambda name, form: seen.append((name, form)))
    assert [name for name, _ in seen] == ["double", "double"]
    assert seen[-1][1] is form


def test_a_step_is_repeated_until_nothing_changes() -> None:
    def shorter(form: Form) -> Form:
        node = form.outputs["x"]
        return form.rewritten({node: node.operands[0]}) if node.operands else form

    deep = Map(a + 1, Map(a + 2, Map(a + 3, X)))
    assert repeated(Form.of({"x": deep}), shorter).outputs["x"] is X


class Stranger(Leaf):
    """A leaf that no stage knows."""

    def _infer(self) -> tuple[tuple[sympy.Expr, ...], str]:
        return (), "float"


def test_what_the_verifier_refuses() -> None:
    verify(Form.of({"y": Map(a * n, X)}))
    with pytest.raises(IllFormed, match="not a leaf that may stand in a form"):
        verify(Form.of({"y": Map(a + 1, Stranger())}))
    with pytest.raises(IllFormed, match=r"\(s\) has the unknown symbol q"):
        wrong = Map(a + sympy.Symbol("q"), X)
        verify(Form.of({"y": wrong}, {wrong: "s"}))
    with pytest.raises(IllFormed, match="described but not part of the graph"):
        verify(Form({"x": X}, {Y: "y"}, {}))


def test_the_verifier_infers_shapes_anew() -> None:
    wrong = Map(sympy.sinh(a), X)
    right_shape = wrong.shape
    try:
        wrong.shape = (n + 1,)
        with pytest.raises(IllFormed, match=r"follows as float \[n\]"):
            verify(Form.of({"y": wrong}))
    finally:
        wrong.shape = right_shape


def test_the_verifier_looks_at_the_indices_of_a_contraction() -> None:
    tuples = [sympy.Tuple(*t) for t in ((0,), (n,), (sympy.Tuple(0),))]
    verify(Form.of({"y": Contraction(sympy.S(2), *tuples, X)}))
    beyond = sympy.Tuple(sympy.Tuple(1))
    with pytest.raises(IllFormed, match="an index without a size"):
        verify(Form.of({"y": Contraction(sympy.S(2), tuples[0], tuples[1], beyond, X)}))
