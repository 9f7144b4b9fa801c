"""A result in one formula: everything put in, products joined, and the same value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sympy
from numpy_evaluator import evaluate

from symgrad.expr.contraction import contract, spread, sum_over, transpose
from symgrad.expr.dimension import dim
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.passes.one_formula import MOST_TERMS, in_one_formula

n, d = dim("n"), dim("d")
a, b, c = slot(0), slot(1), slot(2)
X, W = Input("X", (n, d)), Input("W", (d, n))
p, y, v = Input("p", (n,)), Input("y", (n,)), Input("v", (d,))


def test_the_examples_of_the_pass() -> None:
    gradient = contract("i", [(X, "ki"), (Map((a - b) / n, p, y), "k")])
    assert in_one_formula(gradient, [X, p, y]) is contract(
        "i", [(X, "ki"), (Map(a - b, p, y), "k")], 1 / n
    )
    rows = Map(a * b * (1 - b), transpose(X), p)
    hessian = contract("ij", [(X, "ki"), (rows, "jk")])
    assert in_one_formula(hessian, [X, p]) is contract(
        "ij", [(X, "ki"), (X, "kj"), (Map(a * (1 - a), p), "k")]
    )


def test_what_is_given_is_not_opened() -> None:
    difference = Map(a - b, p, y)
    gradient = contract("i", [(X, "ki"), (difference, "k")])
    assert in_one_formula(gradient, [X, difference]) is gradient
    assert in_one_formula(gradient, [X, gradient]) is gradient


def test_a_product_of_many_stays_in_parts() -> None:
    whole: Node = contract("ik", [(X, "ij"), (W, "jk")])
    for _ in range(6):
        whole = contract("ik", [(whole, "ij"), (whole, "jk")])
    found = in_one_formula(whole, [X, W])
    assert all(len(node.operands) <= MOST_TERMS for node in postorder([found]))


def of_a_row() -> Node:
    """A sum over rows inside of a map, read by a product twice."""
    weighted = Map(a * b, X, spread(v, {0: n}))
    centred = Map(a - b, weighted, spread(sum_over(weighted, [0], 1 / n), {0: n}))
    return contract("ij", [(centred, "ki"), (Map(sympy.exp(a) * b / 3, p, y), "k"), (X, "kj")])


def of_maps() -> Node:
    inner = Map(sympy.tanh(a) * b, p, y)
    return Map(a * b * c, Map(a + 1, inner), Map(2 * a, y), contract("i", [(X, "ij"), (v, "j")]))


@pytest.mark.parametrize("build", [of_a_row, of_maps])
@pytest.mark.parametrize("sizes", [(3, 2), (1, 1), (1, 4), (0, 2)])
def test_values_stay(build: Callable[[], Node], sizes: tuple[int, int]) -> None:
    if build is of_a_row and not sizes[0]:
        pytest.skip("a mean over nothing")
    node = build()
    draw = np.random.default_rng(0).normal
    by_name = dict(zip("nd", sizes, strict=True))
    values = {x.name: draw(size=[by_name[str(s)] for s in x.shape])
              for x in (X, W, p, y, v)}  # fmt: skip
    found = in_one_formula(node, [X, W, p, y, v])
    old, new = evaluate([node, found], values, by_name)
    np.testing.assert_allclose(new, old, rtol=1e-12, atol=1e-12)
    assert found is in_one_formula(found, [X, W, p, y, v])
