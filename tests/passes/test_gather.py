"""Picking before computing: same values, fewer entries."""

from __future__ import annotations

import numpy as np
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import Take, TakeAlong
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form
from symgrad.passes.gather import gather_first

n = sg.dim("n")


def run(node: Node) -> Node:
    return gather_first(Form.of({"": node})).outputs[""]


def same(before: Node, after: Node, values: dict[str, np.ndarray]) -> bool:
    return np.allclose(*(evaluate([node], values)[0] for node in (before, after)), rtol=1e-13)


def test_example_of_the_docstring() -> None:
    z, y = Input("z", (n, 4)), Input("y", (n, 1), "int")
    lse = sg.logsumexp(z, axis=1, keepdims=True)
    before = sg.take_along_axis(z - lse, y, axis=1)
    after = run(before)
    assert isinstance(after, Map)
    assert isinstance(after.operands[0], TakeAlong) and after.operands[0].source is z
    values = {"z": np.random.default_rng(0).standard_normal((3, 4)), "y": np.array([[0], [3], [1]])}
    assert same(before, after, values)


def test_a_dropped_axis_is_dropped_first() -> None:
    z, y = Input("z", (n, 4)), Input("y", (n,), "int")
    loss = sg.nn.functional.nll_loss(sg.log_softmax(z, axis=1), y, reduction="none")
    after = run(loss)
    assert all(node.shape in ((n,), (n, 1), (n, 4), ()) for node in postorder([after]))
    values = {"z": np.random.default_rng(0).standard_normal((3, 4)), "y": np.array([0, 3, 1])}
    assert same(loss, after, values)


def test_picking_more_than_there_is_stays() -> None:
    x, rows = Input("x", (3, 2)), Input("rows", (n,), "int")
    before = sg.take(sg.exp(x), rows, axis=0)
    assert run(before) is before and isinstance(before, Take)


def test_idempotent() -> None:
    z, y = Input("z", (n, 4)), Input("y", (n,), "int")
    once = run(sg.nn.functional.cross_entropy(z, y))
    assert run(once) is once
