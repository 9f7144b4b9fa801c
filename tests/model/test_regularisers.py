"""Penalties on chosen parameters: their values and gradients, and what they are chosen from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from messages import message_of

import symgrad as sg
from symgrad import nn

rng = np.random.default_rng(17)
W = rng.normal(size=(4, 3))
W[1, 2] = 0.0
W[:, 1] = 0.0  # a group of zeros
V = np.array([0.5, -2.0, 0.0])


def by_group(w: Any, axis: int | None) -> tuple[float, Any]:
    """The penalty sum sqrt(size) ||w_g|| and its gradient, 0 for a group of zeros."""
    size = np.sqrt(w.size if axis is None else w.shape[axis])
    lengths = np.sqrt((w**2).sum(axis=axis, keepdims=True))
    slopes = np.divide(w, lengths, out=np.zeros_like(w), where=lengths > 0)
    return size * lengths.sum(), size * slopes


Penalty = Callable[[Any], tuple[float, Any]]
CASES: list[tuple[str, dict[str, Any], Penalty]] = [
    ("l1", {"strength": 0.3}, lambda w: (0.3 * np.abs(w).sum(), 0.3 * np.sign(w))),
    ("l1", {}, lambda w: (np.abs(w).sum(), np.sign(w))),
    ("l2", {"strength": 0.3}, lambda w: (0.15 * (w**2).sum(), 0.3 * w)),
    ("elastic_net", {"strength": 0.5, "l1_ratio": 0.2},
     lambda w: (0.1 * np.abs(w).sum() + 0.2 * (w**2).sum(), 0.1 * np.sign(w) + 0.4 * w)),
    ("group_lasso", {}, lambda w: by_group(w, None)),
    ("group_lasso", {"axis": 0}, lambda w: by_group(w, 0)),
    ("group_lasso", {"axis": -1}, lambda w: by_group(w, -1)),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments, expected", CASES)
def test_values_and_gradients(name: str, arguments: dict[str, Any], expected: Penalty) -> None:
    leaves = [sg.parameter("w", W.shape), sg.parameter("v", V.shape)]
    loss = getattr(sg, name)(leaves, **arguments)
    net = sg.compile(sg.Model("penalty", loss=loss)).load()
    with np.errstate(all="raise"):
        value, grads = net.value_and_grad({"w": W, "v": V})
    assert value == pytest.approx(expected(W)[0] + expected(V)[0], rel=1e-14)
    for key, array in (("w", W), ("v", V)):
        np.testing.assert_allclose(grads[key], expected(array)[1], rtol=1e-14)


def test_what_is_chosen() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    weights = [net[0].weight, net[2].weight]
    every = sg.l2([*weights, net[0].bias, net[2].bias])
    assert {*sg.l2(net).operands} == {*sg.l2(net.parameters()).operands}
    assert sg.l2(weights) is sg.l2([*weights, weights[0]])  # tied weights count once
    assert sg.l2(weights) is not every
    assert sg.l2(net[0]) is sg.l2([net[0].weight, net[0].bias])


def test_the_strength_may_be_an_input() -> None:
    w, strength = sg.parameter("w", (3,)), sg.input("strength", ())
    net = sg.compile(sg.Model("decay", loss=sg.l2(w, strength))).load()
    value, grads = net.value_and_grad({"w": V}, strength=np.array(0.5))
    assert value == pytest.approx(0.25 * (V**2).sum())
    np.testing.assert_allclose(grads["w"], 0.5 * V)


def test_wrong_use() -> None:
    w = sg.parameter("w", (3,))
    assert message_of(lambda: sg.l1([])) == (
        "DefinitionError: l1: there is no parameter to penalise\n  at  HERE"
    )
    assert message_of(lambda: sg.l2(nn.ReLU())) == (
        "DefinitionError: l2: there is no parameter to penalise\n  at  HERE"
    )
    assert message_of(lambda: sg.elastic_net(w, 1.0, l1_ratio=1.5)) == (
        "DefinitionError: elastic_net: l1_ratio must lie between 0 and 1, not 1.5\n"
        "  at  HERE\n"
        "  w   [3]"
    )
    assert message_of(lambda: sg.group_lasso(w, axis=1)).startswith("ShapeError: group_lasso: ")
