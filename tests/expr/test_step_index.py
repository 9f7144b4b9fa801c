"""The index that a state bears is the one of the tensor that it is the derivative of."""

from __future__ import annotations

import numpy as np
import pytest
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.calculus.forward import directional
from symgrad.calculus.reverse import gradients
from symgrad.expr.leaf import Tangent
from symgrad.expr.node import Node
from symgrad.expr.scan import Bound, Scan, Stacked
from symgrad.expr.step_index import first_index, given_at, last_index, made_at
from symgrad.expr.walk import postorder

T = 5
rng = np.random.default_rng(11)
h0, p = sg.input("h0", (2,)), sg.input("p", (T, 2))
VALUES = {"h0": rng.normal(size=2), "p": rng.normal(size=(T, 2))}


def squeezed(reverse: bool) -> Node:
    """A loss of the last of h[t] = tanh(h[t-1])**2 + p[t], so that dL/dp[t] is dL/dh[t]."""
    last, _ = sg.scan(lambda h, p: (sg.tanh(h) ** 2 + p, None), h0, p, reverse=reverse)
    return sg.sum(last * last * last)


def scans(*roots: Node) -> list[Scan]:
    return [node for node in postorder(roots) if isinstance(node, Scan)]


@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
def test_what_a_backward_step_is_given_is_the_derivative_by_that_step(reverse: bool) -> None:
    loss = squeezed(reverse)
    (slope,) = gradients(loss, [p])
    _, back = scans(slope)
    (state,) = back.step.carried
    assert given_at(back, state) == 0
    assert made_at(back, state) == (1 if reverse else -1)
    assert first_index(back, state) == (0 if reverse else T - 1)
    arrived, by_p = evaluate([Stacked(back, state), slope], VALUES)
    np.testing.assert_array_equal(arrived, by_p)


@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
def test_a_state_is_given_as_the_step_before_made_it(reverse: bool) -> None:
    (scan,) = scans(squeezed(reverse))
    (state,) = scan.step.carried
    assert (given_at(scan, state), made_at(scan, state)) == (1 if reverse else -1, 0)
    assert first_index(scan, state) == (T if reverse else -1)
    assert last_index(scan, state) == (0 if reverse else T - 1)


def test_the_derivative_by_a_derivative_is_indexed_as_that_one() -> None:
    (slope,) = gradients(squeezed(reverse=False), [h0])
    (again,) = gradients(sg.sum(slope * slope), [h0])
    by_derivative = [
        (scan, state)
        for scan in scans(again)
        for state in scan.step.carried
        if isinstance(state, Bound) and state.role[0] == "d" and not scan.is_reversed
    ]
    assert by_derivative, "the derivative of the backward loop is a loop forwards"
    for scan, state in by_derivative:
        assert (given_at(scan, state), made_at(scan, state)) == (-1, 0)


def test_a_change_is_indexed_as_what_changes() -> None:
    (slope,) = gradients(squeezed(reverse=False), [h0])
    (moved,) = directional([slope], {h0: Tangent("h0", (2,))})
    for scan in scans(moved):
        offsets = {given_at(scan, state) for state in scan.step.carried}
        assert offsets == ({0} if scan.is_reversed else {-1})
