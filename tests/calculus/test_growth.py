"""Deep and wide graphs: linear size, linear time, no recursion limit."""

from __future__ import annotations

import time

import pytest
import sympy

from symgrad.calculus.batching import batch
from symgrad.calculus.derivatives import grad, hvp
from symgrad.calculus.forward import directional
from symgrad.calculus.resize import resize
from symgrad.calculus.reverse import gradients
from symgrad.expr.contraction import sum_over
from symgrad.expr.dimension import dim
from symgrad.expr.leaf import Input, Parameter, Tangent
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.operators import elementwise
from symgrad.expr.slots import slot
from symgrad.expr.walk import postorder

n = dim("n")


def chain(layers: int) -> tuple[Node, list[Node]]:
    """The sum of tanh(... tanh(x @ W0) ... @ W_k)."""
    h: Node = Input("x", (n, 16))
    weights = [Parameter(f"W{k}", (16, 16)) for k in range(layers)]
    for w in weights:
        h = elementwise(sympy.tanh, h @ w)
    return sum_over(h, [0, 1]), weights


def size(*roots: Node) -> int:
    return len(postorder(roots))


def test_three_thousand_layers_take_about_a_second():
    loss, weights = chain(3000)
    start = time.perf_counter()
    slopes = gradients(loss, weights)
    took = time.perf_counter() - start
    assert len(slopes) == 3000
    assert took < 5, f"{took:.2f} s (0.5 s on the machine it was written on)"


def test_ten_thousand_layers_meet_no_recursion_limit():
    loss, weights = chain(10_000)
    slopes = gradients(loss, [weights[0]])
    assert size(*slopes) > 20_000


@pytest.mark.parametrize("layers", [2500])
def test_every_mode_is_iterative(layers):
    loss, weights = chain(layers)
    t = Tangent("t", (16, 16))
    (change,) = directional([loss], {weights[0]: t})
    product = hvp(loss, weights[0], t)
    (together,) = batch([change], {t: Tangent("ts", (5, 16, 16))}, sympy.Integer(5))
    assert together.shape == (5,)
    assert size(product) < 30 * layers
    assert resize([product], {n: sympy.S.One})[product].shape == (16, 16)


def test_gradient_grows_linearly():
    sizes = [size(*grad(*chain(layers))) for layers in (50, 100, 150)]
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] == 6 * 50


def test_shared_nodes_are_visited_once():
    """h = h @ h, k times: a tree of 2**k, a graph of k."""
    h: Node = Parameter("W", (4, 4))
    w = h
    for _ in range(200):
        h = h @ h
    slope = grad(sum_over(h, [0, 1]), w)
    assert size(slope) < 4 * 200 + 10


def test_a_sum_of_many_terms_grows_linearly():
    leaves = [Parameter(f"p{k}", ()) for k in range(3000)]
    loss = Map(sympy.Add(*(slot(k) ** 2 for k in range(3000))), *leaves)
    start = time.perf_counter()
    slopes = gradients(loss, leaves)
    assert time.perf_counter() - start < 10
    assert size(*slopes) <= 3 * 3000 + 10


def test_a_parameter_used_many_times_is_accumulated_by_one_node():
    x = Parameter("x", (3,))
    total: Node = x
    for k in range(2000):
        total = elementwise(lambda a, b, k=k: a + sympy.sin(b) / (k + 1), total, x)
    slope = grad(sum_over(total, [0]), x)
    assert isinstance(slope, Map) and len(slope.operands) == 2001
    again = grad(sum_over(slope, [0]), x)
    assert size(again) < 6 * 2000
