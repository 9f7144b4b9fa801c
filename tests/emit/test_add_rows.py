"""Rows added at repeated indices, as they are emitted: entry by entry, where memory allows."""

from __future__ import annotations

import numpy as np
import pytest
from test_helpers import helper

import symgrad as sg

rng = np.random.default_rng(9)


@pytest.mark.parametrize("shape", [(7,), (2, 3), (0,), ()], ids=str)
@pytest.mark.parametrize("rest", [(4,), (2, 3), (0,)], ids=str)
@pytest.mark.parametrize("order", ["C", "F"])
def test_against_adding_rows(shape: tuple[int, ...], rest: tuple[int, ...], order: str) -> None:
    indices, rows = rng.integers(-5, 5, shape), rng.normal(size=(*shape, *rest))
    target = np.asarray(rng.normal(size=(5, *rest)), order=order)
    expected = target.copy()
    np.add.at(expected, indices, rows)
    helper("add_rows")(target, indices, rows)
    np.testing.assert_allclose(target, expected, rtol=1e-13)


def test_emitted_for_both_signs_and_refused_outside() -> None:
    n = sg.dim("n")
    w, x, i = sg.parameter("w", (5, 2)), sg.input("x", (n, 2)), sg.input("i", (n,), dtype="int")
    loss = sg.sum(w**2) - sg.sum(sg.take(w, i, axis=0) * sg.sin(x))
    compiled = sg.compile(sg.Model("m", loss=loss), ["value_and_grad"])
    assert "_add_rows(" in compiled.source
    table, rows, index = rng.normal(size=(5, 2)), rng.normal(size=(4, 2)), np.array([1, 4, 1, -1])
    net = compiled.load()
    _, grads = net.value_and_grad({"w": table}, x=rows, i=index)
    expected = 2 * table
    np.subtract.at(expected, index, np.sin(rows))
    np.testing.assert_allclose(grads["w"], expected, rtol=1e-12)
    with pytest.raises(IndexError, match="whole numbers from -5 to 4"):
        net.value_and_grad({"w": table}, x=rows, i=index + 4)
