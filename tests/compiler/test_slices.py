"""Slices of symbolic sizes read what NumPy's read, for every size, forwards and backwards.

A bound that may be -1 for some sizes would count from the end in Python.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import symgrad as sg

n = sg.dim("n")
x, a = sg.input("x", (n,)), sg.parameter("a", ())
SLICES = (
    "x[::-1]", "x[::-2]", "x[::-1][:2]", "x[::-1][1:]", "x[::-1][1::2]", "x[::-3][::2]",
    "x[::2][::-1]", "x[1:][::-1]", "x[1::3]", "x[-2::-1]", "x[-1::-2]", "x[:-1][::-2]",
    "x[::-1][::-2]", "x[1:-1][::-1]", "x[2::-1]", "x[::-1][-2:]", "x[-1:0:-1]", "x[-1:1:-2]",
)  # fmt: skip


@pytest.mark.parametrize("text", SLICES)
def test_slices_and_their_gradients_for_every_size(text: str) -> None:
    part = eval(text, {"x": x})
    model = sg.Model("sliced", loss=sg.sum(part**3) + a, outputs={"part": part})
    net = sg.compile(model, ["forward", "input_grad"]).load()
    tried = 0
    for size in range(7):
        values = np.arange(1.0, size + 1)
        try:
            mine = net.forward({"a": np.array(1.0)}, x=values)
        except ValueError as error:  # the slice asks for more entries
            assert "expected" in str(error), error
            continue
        expected = eval(text, {"x": values})
        assert mine.shape == expected.shape and np.array_equal(mine, expected), size
        slopes = np.zeros(size)
        np.add.at(slopes, eval(text, {"x": np.arange(size)}), 3 * expected**2)
        mine = net.input_grad({"a": np.array(1.0)}, x=values)["x"]
        np.testing.assert_allclose(mine, slopes, err_msg=f"size {size}")
        tried += 1
    assert tried >= 4


def test_a_size_that_is_read_as_a_number_brings_the_other_sizes_of_its_input() -> None:
    m = sg.dim("m")
    image = sg.input("image", (n, m, 3))
    model = sg.Model("counted", loss=sg.sum(image) * a, outputs={"shifted": a + m})
    net = sg.compile(model, ["forward", "vjp"]).load()
    assert "image" in inspect.signature(net.forward).parameters
    assert net.forward({"a": np.array(1.0)}, image=np.zeros((4, 2, 3))) == 3.0
