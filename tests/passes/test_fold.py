"""Folding: the example of the pass, then each rule on the smallest graph that needs it."""

from __future__ import annotations

import numpy as np
import sympy
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.calculus.reverse import gradients
from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, spread, sum_over, transpose
from symgrad.expr.dimension import dim
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Constant, Identity, Input, Named
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import Max
from symgrad.expr.reindex import (
    Concat,
    Embed,
    Reshape,
    ScatterAdd,
    ScatterAlong,
    Slice,
    Take,
    TakeAlong,
)
from symgrad.passes.fold import fold
from symgrad.passes.form import Form
from symgrad.passes.verify import verify

n, d = dim("n"), dim("d")
a, b, c = slot(0), slot(1), slot(2)
X = Input("x", (n, 4))
V = Input("v", (4,))
LABELS = Input("labels", (n, 1), "int")
ROWS = Input("rows", (n,), "int")
ONE = Constant(1, (n, 1), "float")


def folded(node: Node) -> Node:
    form = fold(Form.of({"y": node}))
    verify(form)
    return form.outputs["y"]


def test_the_example_of_the_pass() -> None:
    spread_constant = spread(Constant(1 / n), {0: n, 1: sympy.Integer(4)})
    assert folded(Map(a * b, spread_constant, X)) is Map(a / n, X)
    hits = ScatterAlong(ONE, LABELS, 1, sympy.Integer(4))
    scaled = ScatterAlong(Constant(-1 / n, (n, 1)), LABELS, 1, sympy.Integer(4))
    assert folded(scaled) is Map(-a / n, hits)
    A = Input("A", (d, d))
    assert folded(contract("ik", [(A, "ij"), (Identity(d), "jk")])) is A
    delta = Map(a * sympy.sin(b), Identity(d), Input("u", (d,)))
    sine = Map(sympy.sin(a), Input("u", (d,)))
    assert folded(delta) is contract("ij", [(Identity(d), "ij"), (sine, "j")])


def test_constants_enter_formulas() -> None:
    assert folded(Map(a + b, X, Constant(0))) is X
    assert folded(Map(a * b, X, Constant(1, (n, 4), "float"))) is X
    assert folded(Map(a * b, X, Constant(0, (n, 4), "float"))) is Constant(0, (n, 4), "float")
    assert folded(Map(sympy.exp(a), Constant(0, (3,), "float"))) is Constant(1, (3,), "float")


def test_a_constant_that_is_larger_than_the_rest_leaves_its_shape() -> None:
    grown = folded(Map(a + b, V, Constant(2, (n, 4))))
    assert grown is contract((0, 1), [(Map(a + 2, V), (1,))], sizes={0: n})


def test_what_has_no_finite_value_stays() -> None:
    infinite = Constant(sympy.oo)
    assert folded(Map(a - b, X, infinite)) is Map(a - b, X, infinite)
    zero = Constant(0, (), "float")
    assert folded(Map(sympy.log(a) + b, zero, X)) is Map(sympy.log(a) + b, zero, X)


def test_equal_operands_share_a_slot_and_unused_ones_vanish() -> None:
    assert folded(Map(a * b, X, X)) is Map(a**2, X)
    assert folded(Map(a + 0 * b, X, V)) is X


def test_repetitions_are_left_to_broadcasting_or_made_last() -> None:
    column = Input("u", (n,))
    wide = spread(column, {1: sympy.Integer(4)})
    assert folded(Map(a - b, X, wide)) is Map(a - b, X, spread(column, {1: sympy.S.One}))
    assert folded(Map(sympy.exp(a), wide)) is spread(
        Map(sympy.exp(a), column), {1: sympy.Integer(4)}
    )


def test_views_of_views_are_one_view() -> None:
    assert folded(transpose(transpose(X))) is X
    assert folded(Reshape(Reshape(X, (4 * n,)), (n, 4))) is X
    assert folded(Reshape(spread(V, {0: sympy.S.One}), (4,))) is V
    rows = Slice(X, [(2, n - 2, 1), (0, 4, 1)])
    twice = Slice(rows, [(1, n - 3, 1), (3, 2, -2)])
    assert folded(twice) is Slice(X, [(3, n - 3, 1), (3, 2, -2)])
    padded = Embed(Embed(V, [(1, 6, 1)]), [(0, 12, 2)])
    assert folded(padded) is Embed(V, [(2, 12, 2)])
    assert folded(Slice(Embed(V, [(1, 6, 1)]), [(1, 4, 1)])) is V


def test_what_a_slice_takes_out_of_a_concatenation() -> None:
    both = Concat(0, V, Input("w", (3,)))
    assert folded(Slice(both, [(0, 4, 1)])) is V
    assert folded(Slice(both, [(1, 4, 1)])) is Slice(both, [(1, 4, 1)])
    assert folded(Concat(0, Concat(0, V, V), V)) is Concat(0, V, V, V)


def test_constants_pass_through_re_indexing() -> None:
    two = Constant(2, (n, 4), "float")
    assert folded(Reshape(two, (4 * n,))) is Constant(2, (4 * n,), "float")
    assert folded(Take(two, ROWS, 0)) is Constant(2, (n, 4), "float")
    assert folded(TakeAlong(two, LABELS, 1)) is Constant(2, (n, 1), "float")
    nothing = Constant(0, (n, 4), "float")
    assert folded(ScatterAdd(nothing, ROWS, 0, d)) is Constant(0, (d, 4), "float")
    assert folded(Max(Input("s", (n, 1)), 1)) is contract("i", [(Input("s", (n, 1)), "ij")])


def test_scales_pass_through_what_is_linear() -> None:
    half = Map(a / 2, X)
    assert folded(Reshape(half, (4 * n,))) is Map(a / 2, Reshape(X, (4 * n,)))
    assert folded(Concat(0, half, half)) is Map(a / 2, Concat(0, X, X))
    assert folded(Map(-a, half)) is Map(-a / 2, X)


def test_sums_of_constants_and_repetitions_are_counted() -> None:
    assert folded(sum_over(Constant(3, (n, 4)), [0, 1])) is Constant(12 * n)
    assert folded(sum_over(spread(V, {0: n}), [0, 1])) is contract((), [(V, "i")], n)
    assert folded(contract("i", [(V, "i"), (Constant(2, (n,)), "k")])) is Map(2 * n * a, V)


def test_a_sum_over_scattered_entries_is_that_of_the_entries() -> None:
    hits = ScatterAlong(TakeAlong(X, LABELS, 1), LABELS, 1, sympy.Integer(4))
    picked = TakeAlong(X, LABELS, 1)
    assert folded(sum_over(hits, [1])) is contract("i", [(picked, "ij")])
    added = ScatterAdd(X, ROWS, 0, d)
    assert folded(sum_over(added, [0])) is sum_over(X, [0])
    padded = Embed(X, [(1, n + 2, 1), (0, 8, 2)])
    assert folded(sum_over(padded, [1])) is sum_over(
        Embed(X, [(1, n + 2, 1), (0, 4, 1)]), [1]
    )
    assert folded(sum_over(Reshape(X, (2 * n, 2)), [0, 1])) is sum_over(X, [0, 1])


def test_a_distribution_sums_to_one() -> None:
    t = Input("t", (n, 4), "float", 1)
    assert folded(sum_over(t, [1])) is Constant(1, (n,), "float")
    assert folded(sum_over(Map(-a / n, t), [0, 1])) is Constant(-1, (), "float")
    assert folded(sum_over(t, [0])) is sum_over(t, [0])


def test_deltas_cancel() -> None:
    eye = Identity(d)
    W = Input("W", (d, n))
    assert folded(contract((), [(eye, "ij"), (eye, "ij")])) is Constant(d, (), "float")
    assert folded(sum_over(eye, [0])) is Constant(1, (d,), "float")
    inner = contract("ij", [(eye, "ij"), (Input("h", (d,)), "j")])
    scaled = contract("ik", [(inner, "ij"), (W, "jk")])
    assert folded(scaled) is Map(a * b, spread(Input("h", (d,)), {1: sympy.S.One}), W)


def test_entry_by_entry_products_are_maps_and_outer_products_are_not() -> None:
    u, w = Input("u", (n,)), Input("w", (n,))
    assert folded(contract("i", [(u, "i"), (w, "i")], 3)) is Map(3 * a * b, u, w)
    outer = contract("ij", [(u, "i"), (V, "j")])
    assert folded(outer) is outer


def test_kinds_are_kept() -> None:
    whole = Input("k", (n,), "int")
    assert folded(Map(a * b, whole, Constant(1, (), "float"))).dtype == "float"
    mask = Map(f.less(a, b), X, X)
    for node in (Reshape(mask, (n, 4, 1)), contract("ij", [(mask, "ij")])):
        assert folded(node).dtype == node.dtype


def test_the_label_of_an_output_stays_with_it() -> None:
    y = Map(a + b, X, Constant(0)).named("y")
    form = fold(Form.of({"z": Map(sympy.exp(a), y)}))
    assert form.names == {}, "x is the caller's and keeps its own name"
    named = fold(Form.of({"z": Map(2 * a, Map(a + b, X, Constant(1)).named("s"))}))
    assert list(named.names.values()) == ["s"]
    assert all(not isinstance(node, Named) for node in named.names)
    assert sg.input("x", (3,)).label is None


def test_slopes_of_repeated_entries_are_scaled_sums() -> None:
    y = sg.input("y", (3, n))
    (slope,) = gradients(sg.sum(sg.repeat(y, 2, axis=1) ** 2), [y])
    values = {"y": np.arange(6.0).reshape(3, 2)}
    assert np.array_equal(evaluate([folded(slope)], values)[0], 4 * values["y"])
