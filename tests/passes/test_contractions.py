"""Products: the examples of the passes, what is merged and what is left, costs and orders."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from laws import check_laws
from numpy_evaluator import evaluate

from symgrad.calculus.derivatives import hessian
from symgrad.expr.contraction import Contraction, contract, spread, sum_over, transpose
from symgrad.expr.dimension import dim
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Identity, Input, Parameter
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import Reshape
from symgrad.expr.walk import postorder
from symgrad.passes.contractions import merge_contractions
from symgrad.passes.fold import fold
from symgrad.passes.form import Form
from symgrad.passes.paths import best_path, pair_cost

n, d, k = dim("n"), dim("d"), dim("k")
a, b = slot(0), slot(1)
A, B = Input("A", (n, d)), Input("B", (d, k))
W = Parameter("W", (n, d))
V = Input("v", (k,))


def merged(*nodes: Node) -> Node:
    form = Form.of({f"y{i}": node for i, node in enumerate(nodes)})
    return merge_contractions(fold(form)).outputs["y0"]


def test_the_examples_of_the_pass() -> None:
    product = contract("ik", [(A, "ij"), (B, "jk")])
    sums = sum_over(A, [0])
    assert merged(sum_over(product, [0])) is contract("k", [(sums, "j"), (B, "jk")])
    squares = Map(a**2, W)
    assert merged(sum_over(squares, [0, 1])) is contract((), [(W, "ij"), (W, "ij")])
    chain = contract("i", [(product, "ik"), (V, "k")])
    assert merged(chain) is contract("i", [(A, "ij"), (contract("j", [(B, "jk"), (V, "k")]), "j")])


def test_what_others_use_is_not_merged() -> None:
    product = contract("ik", [(A, "ij"), (B, "jk")])
    chain = contract("i", [(product, "ik"), (V, "k")])
    assert merged(chain, product) is chain


def test_the_order_of_the_definition_stays_where_it_is_as_good() -> None:
    square = Input("S", (d, d))
    first = contract("ik", [(square, "ij"), (square, "jk")])
    left = contract("il", [(first, "ik"), (square, "kl")])
    right = contract("il", [(square, "ij"), (first, "jl")])
    assert merged(left) is left and merged(right) is right


def test_many_operands_become_pairs() -> None:
    x, y = Input("x", (n,)), Input("y", (d,))
    form = Form.of({"y": contract((), [(x, "i"), (A, "ij"), (y, "j")])})
    pairs = merge_contractions(fold(form))
    products = [p for p in postorder(pairs.outputs.values()) if isinstance(p, Contraction)]
    assert all(len(p.operands) == 2 for p in products) and len(products) == 2


def test_a_transpose_moves_into_the_product_or_under_the_map() -> None:
    product = contract("ik", [(A, "ij"), (B, "jk")])
    assert merged(transpose(product)) is contract("ki", [(A, "ij"), (B, "jk")])
    square = Input("S", (d, d))
    both = Map(a + b, square, transpose(square))
    assert merged(transpose(both)) is Map(a + b, transpose(square), square)
    assert merged(transpose(Map(sympy.exp(a), A))) is transpose(Map(sympy.exp(a), A))


def test_scales_of_what_nobody_else_reads_are_one_number() -> None:
    third = Map(a / 3, A)
    product = contract("ik", [(third, "ij"), (B, "jk")], 2)
    two_thirds = sympy.Rational(2, 3)
    assert merged(product) is contract("ik", [(A, "ij"), (B, "jk")], two_thirds)
    assert merged(Map(5 * a, product)) is contract("ik", [(A, "ij"), (B, "jk")], 5 * two_thirds)
    assert merged(product, third) is product


def test_column_sums_of_products_stay_two_steps() -> None:
    """np.vecdot along an axis that is not the last would be slower than a product with ones."""
    product = Map(a * b, A, W)
    assert merged(sum_over(product, [0])) is sum_over(product, [0])
    assert merged(sum_over(product, [1])) is contract("i", [(A, "ij"), (W, "ij")])


def test_factors_that_are_formulas_become_operands() -> None:
    slope = Map(a * (1 - sympy.tanh(b) ** 2), A, W)
    tanh_part = Map(1 - sympy.tanh(a) ** 2, W)
    assert merged(sum_over(slope, [0, 1])) is contract((), [(A, "ij"), (tanh_part, "ij")])


def test_the_hessian_of_a_quadratic_form_is_a_sum_of_two_matrices() -> None:
    x, S = Parameter("x", (d,)), Parameter("S", (d, d))
    loss = contract((), [(x, "i"), (S, "ij"), (x, "j")])
    form = Form.of({"hessian": hessian(loss, x)})
    for each in (fold, merge_contractions):
        form = each(form)
    assert form.outputs["hessian"] is Map(a + b, S, transpose(S))


def test_an_elementwise_hessian_is_a_diagonal() -> None:
    x = Parameter("x", (d,))
    loss = sum_over(Map(sympy.sin(a), x), [0])
    form = merge_contractions(fold(Form.of({"hessian": hessian(loss, x)})))
    second = Map(-sympy.sin(a), x)
    assert form.outputs["hessian"] is contract("ij", [(Identity(d), "ji"), (second, "i")])


def test_no_hessian_holds_more_than_its_own_entries() -> None:
    """Kronecker deltas of shape [d, k, d, k] are gone before anything is multiplied with them."""
    X, M = Input("X", (n, d)), Parameter("M", (d, k))
    loss = sum_over(Map(a**2, contract("ik", [(X, "ij"), (M, "jk")])), [0, 1])
    form = merge_contractions(fold(Form.of({"hessian": hessian(loss, M)})))
    gram = contract("ab", [(X, "ia"), (X, "ib")])
    expected = contract("ajbl", [(Identity(k), "lj"), (gram, "ba")], 2)
    assert form.outputs["hessian"] is expected
    assert {x.ndim for x in postorder(form.outputs.values())} == {2, 4}


def test_long_products_are_cut_into_short_searches() -> None:
    size = sympy.Integer(2)
    factors = [Input(f"M{i}", (size, size)) for i in range(30)]
    chain = factors[0]
    for factor in factors[1:]:
        chain = contract("ik", [(chain, "ij"), (factor, "jk")])
    vector = contract("i", [(chain, "ij"), (Input("u", (size,)), "j")])
    rng = np.random.default_rng(0)
    values = {f: rng.normal(size=(2, 2)) for f in factors} | {"u": rng.normal(size=2)}
    check_laws(Form.of({"y": vector}), [fold, merge_contractions], values)


def test_the_cheapest_order_of_a_bilinear_form() -> None:
    sizes = ((0, 100), (1, 200))
    cost, path = best_path(((0,), (0, 1), (1,)), (), sizes)
    assert len(path) == 2 and cost < 2 * 100 * 200
    assert best_path(((0, 1), (0, 1)), (), sizes)[1] == ((0, 1),)


@pytest.mark.parametrize(
    ("first", "second", "out", "cost"),
    [
        ((0, 1), (1, 2), (0, 2), 20 + 50 + 40 + 4 * 5 * 10 / 16),  # a matrix product
        ((0, 1), (0, 1), (0, 1), 3 * 20),  # entry by entry
        ((0, 1), (0, 1), (0,), 20 + 20 + 4),  # row by row
        ((0, 1), (0, 1), (1,), 6 * (20 + 20 + 5)),  # column by column
        ((0, 1), (2,), (0, 2), 20 + 4 + 3 * 40),  # what only one carries is summed first
    ],
)
def test_costs_of_pairs(
    first: tuple[int, ...], second: tuple[int, ...], out: tuple[int, ...], cost: float
) -> None:
    assert pair_cost(first, second, out, {0: 4, 1: 5, 2: 10}) == cost


def test_a_repeated_operand_counts_each_time() -> None:
    w, v = Parameter("w", ()), Input("v", (n,))
    repeated = Reshape(spread(v, {1: 2}), (2 * n,))
    product = merged(contract((), [(w, ""), (repeated, "i")]))
    values = {"w": np.array(1.0), "v": np.array([1.0, 2.0, 4.0])}
    assert evaluate([product], values)[0] == 14.0
    square = sum_over(Map(a**2 / 2, repeated), [0])
    assert evaluate([merged(square)], values)[0] == 21.0
