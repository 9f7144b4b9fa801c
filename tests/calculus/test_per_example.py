"""Per-example gradients against one example at a time, and the resizing that they rest on."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from numpy_evaluator import evaluate

from symgrad.calculus.derivatives import grad, hvp, per_example_gradients
from symgrad.calculus.journal import Journal
from symgrad.calculus.resize import resize
from symgrad.errors import DefinitionError
from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, sum_over
from symgrad.expr.dimension import dim
from symgrad.expr.leaf import Arange, Constant, Input, Parameter, Tangent
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.operators import elementwise
from symgrad.expr.reduction import CumSum, LogSumExp, Max, Prod
from symgrad.expr.reindex import Concat, Embed, Reshape, Slice, Take, TakeAlong
from symgrad.expr.slots import slot
from symgrad.expr.walk import postorder

n, m = dim("n"), dim("m")
x, target = Input("x", (n, 3)), Input("target", (n,), "int")
W, b = Parameter("W", (4, 3)), Parameter("b", (4,))
rng = np.random.default_rng(2)
COUNT = 5
VALUES = {
    x: rng.normal(size=(COUNT, 3)),
    target: rng.integers(0, 4, COUNT),
    W: rng.normal(size=(4, 3)),
    b: rng.normal(size=4),
}


def cross_entropy() -> Node:
    z = x @ W.T + b
    picked = TakeAlong(z, Reshape(target, (n, 1)), 1)
    return sum_over(LogSumExp(z, 1), [0], 1 / n) - sum_over(picked, [0, 1], 1 / n)


def every_family() -> Node:
    z = elementwise(sympy.tanh, x @ W.T + b)
    parts = Concat(1, CumSum(z, 1), Slice(z, [(n - 1, n, -1), (1, 2, 1)])[::-1])
    padded = Embed(parts, [(0, n + 1, 1), (0, 6, 1)])
    best = Max(Reshape(parts, (n, 2, 3)), 2)
    table = Take(W, target, 0)
    per = sum_over(elementwise(lambda p, q: p * q, best, best), [1]) + Prod(table * x, 1)
    weighted = elementwise(lambda a, i: a / (1 + 0 * i) / n, per, Arange(n))
    return sum_over(weighted, [0]) + sum_over(padded, [0, 1], 1 / n)


@pytest.mark.parametrize("build", [cross_entropy, every_family])
def test_against_one_example_at_a_time(build):
    loss = build()
    wrt = {"W": W, "b": b}
    together = per_example_gradients(loss, wrt, n)
    found = evaluate(list(together.values()), VALUES)
    slopes = grad(loss, wrt)
    for k in range(COUNT):
        one = VALUES | {x: VALUES[x][k : k + 1], target: VALUES[target][k : k + 1]}
        for mine, alone in zip(found, evaluate(list(slopes.values()), one), strict=True):
            np.testing.assert_allclose(mine[k], alone, rtol=1e-12, atol=1e-13)


def test_shapes_and_the_mean():
    together = per_example_gradients(cross_entropy(), W, n)
    assert together.shape == (n, 4, 3)
    found, mean = evaluate([together, grad(cross_entropy(), W)], VALUES)
    np.testing.assert_allclose(found.mean(0), mean, rtol=1e-12)


def test_examples_along_another_axis():
    columns = Input("columns", (3, n))
    loss = sum_over(elementwise(sympy.tanh, W @ columns), [0, 1], 1 / n)
    together = per_example_gradients(loss, W, n, inputs=[columns])
    values = VALUES | {columns: rng.normal(size=(3, COUNT))}
    (found,) = evaluate([together], values)
    for k in range(COUNT):
        one = values | {columns: values[columns][:, k : k + 1]}
        np.testing.assert_allclose(found[k], evaluate([grad(loss, W)], one)[0], rtol=1e-12)


def test_a_parameter_that_the_loss_does_not_use():
    together = per_example_gradients(cross_entropy(), Parameter("unused", (2,)), n)
    assert isinstance(together, Constant) and together.shape == (n, 2)


def test_a_parameter_that_the_examples_do_not_reach_is_repeated():
    loss = cross_entropy() + sum_over(elementwise(lambda a: a**2, b), [0])
    found = evaluate([per_example_gradients(loss, b, n)], VALUES)[0]
    assert found.shape == (COUNT, 4)


@pytest.mark.parametrize(
    "build, message",
    [
        (
            lambda: sum_over(Parameter("P", (n, 3)) * x, [0, 1]),
            "the parameter P depends on the number of examples n\n"
            "  P    [n, 3]\n"
            "  fix  per-example gradients need parameters that all examples share",
        ),
        (
            lambda: sum_over(Input("K", (n, n)) @ x @ W.T, [0, 1]),
            "K does not hold one example per entry of one axis\n"
            "  K         [n, n]\n"
            "  expected  exactly one axis of size n\n"
            "  fix       per-example gradients need inputs whose examples can be told apart",
        ),
    ],
)
def test_what_is_not_one_example_per_entry_is_refused(build, message):
    with pytest.raises(DefinitionError) as caught:
        per_example_gradients(build(), W, n)
    assert without_place(caught.value) == message


def test_an_input_that_was_left_out_is_refused():
    with pytest.raises(DefinitionError) as caught:
        per_example_gradients(cross_entropy(), W, n, inputs=[x])
    assert without_place(caught.value) == (
        "target has an axis of size n but is not among the inputs that hold one example per entry\n"
        "  fix  add target to inputs, or give its axis another dimension"
    )


def without_place(error: DefinitionError) -> str:
    return DefinitionError(error.what, facts=error.facts, fix=error.fix).message


def test_resize_replaces_a_dimension_everywhere():
    y = every_family()
    became = resize([y], {n: sympy.Integer(COUNT)})
    sizes = [size for node in became.values() for size in node.shape]
    assert not any(size.has(n) for size in sizes)
    fixed = {became[leaf]: VALUES[leaf] for leaf in (x, target, W, b)}
    np.testing.assert_allclose(
        evaluate([became[y]], fixed)[0], evaluate([y], VALUES)[0], rtol=1e-14
    )


def test_resize_to_a_composite_size():
    z = Map(slot(0) * n / 2, contract("ij", [(x, "ij")], 1 / n))
    became = resize([z], {n: 2 * m + 1})
    assert became[x].shape == (2 * m + 1, 3) and became[x].name == "x"
    assert became[z].formula == slot(0) * (2 * m + 1) / 2


def test_resize_keeps_names_and_leaves_the_rest():
    h = elementwise(f.relu, x @ W.T).named("h")
    became = resize([h], {n: sympy.S.One})
    assert became[h].label == "h" and became[W] is W


def test_second_order_per_example():
    v = Tangent("v", W.shape)
    product = hvp(cross_entropy(), W, v)
    along = sum_over(product, [0, 1])
    together = per_example_gradients(along, b, n)
    values = VALUES | {v: rng.normal(size=(4, 3))}
    (found,) = evaluate([together], values)
    one = values | {x: VALUES[x][:1], target: VALUES[target][:1]}
    np.testing.assert_allclose(found[0], evaluate([grad(along, b)], one)[0], rtol=1e-11)


def test_the_journal_knows_what_each_rebuilt_tensor_stands_for():
    hidden = elementwise(sympy.tanh, x @ W.T + b).named("hidden")
    loss = sum_over(LogSumExp(hidden, 1), [0], 1 / n)
    journal = Journal()
    (slope,) = per_example_gradients(loss, [W], n, journal=journal)
    copies = [node for node in postorder([slope]) if journal.copies.get(node) is hidden]
    assert [node.shape for node in copies] == [(n, 1, 4)]
    owners = {journal.copies.get(owner, owner) for owner in journal.provenance.values()}
    assert {hidden, W, loss} <= owners
    assert not set(journal.copies) & {hidden, W, loss}, "what stayed is no copy"


def test_of_tensors_that_become_one_the_named_one_is_remembered():
    plain, named = elementwise(sympy.sin, b), elementwise(sympy.cos, b).named("c")
    one = elementwise(sympy.tanh, b)
    for order in ([plain, named], [named, plain]):
        journal = Journal()
        journal.copied(dict.fromkeys(order, one))
        assert journal.copies == {one: named}
