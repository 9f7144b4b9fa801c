"""Selections that guard a branch: finite values, finite slopes, at every order."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.passes.branches import join_branches
from symgrad.passes.form import Form

POINTS = np.array([-1.0, 0.0, 1e4, 2.0])
x = Input("x", (4,))


def guarded(name: str, t: Node) -> Node:
    return {
        "log": sg.where(t > 0, sg.log(t), 0),
        "sqrt": sg.where(t > 0, sg.sqrt(t), 0),
        "exp": sg.where(t < 80, sg.exp(t), 1 + t),
        "ratio": sg.where(sg.equal(t, 0), 1, sg.sin(t) / t),
        "nested": sg.where(t > 0, sg.where(t < 9, sg.log(t), 1), 0),
    }[name]


NAMES = ("log", "sqrt", "exp", "ratio", "nested")


def test_example_of_the_docstring() -> None:
    after = join_branches(Form.of({"": guarded("log", x)})).outputs[""]
    assert isinstance(after, Map) and after.formula.has(sympy.log)


@pytest.mark.parametrize("name", NAMES)
def test_same_values(name: str) -> None:
    before = guarded(name, x)
    after = join_branches(Form.of({"": before})).outputs[""]
    values = [evaluate([node], {"x": POINTS})[0] for node in (before, after)]
    assert np.array_equal(*values, equal_nan=True)
    assert join_branches(Form.of({"": after})).outputs[""] is after


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_finite_to_second_order(name: str) -> None:
    w = sg.parameter("w", (4,))
    model = sg.Model("guarded", loss=sg.sum(guarded(name, w)))
    module = sg.compile(model, emit=["value_and_grad", "hvp"]).load()
    with np.errstate(all="raise"):
        loss, grads = module.value_and_grad({"w": POINTS})
        curved = module.hvp({"w": POINTS}, {"w": np.ones(4)})
    assert np.isfinite(loss) and np.isfinite(grads["w"]).all() and np.isfinite(curved["w"]).all()
