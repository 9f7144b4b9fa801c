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


@pytest.mark.parametrize("batch", [1, 4, 5])
def test_a_product_is_written_only_into_memory_in_c_order(batch: int) -> None:
    # with n equal to the state's width a turned array can take another shape without a copy
    n = sg.dim("n")
    x, y = sg.input("x", (n, 3, 12)), sg.input("y", (n,), dtype="int")
    front = sg.nn.functional.relu(sg.nn.Conv1d(3, 6, 3, padding=1, name="front")(x))
    states, _ = sg.nn.GRU(6, 5, batch_first=True, name="memory")(front.transpose(0, 2, 1))
    logits = sg.nn.Linear(5, 4)(states[:, -1])
    loss = sg.nn.functional.cross_entropy(logits, y)
    module = sg.compile(sg.Model("net", loss=loss), emit=["value_and_grad", "hessian"]).load()
    rng = np.random.default_rng(0)
    given = {"x": rng.normal(size=(batch, 3, 12)), "y": np.arange(batch) % 4}
    params = module.init_params(0)
    hessian = module.hessian(params, **given)
    step = rng.normal(size=(4, 5))
    after, before = (
        module.value_and_grad({**params, "weight": params["weight"] + h * step}, **given)[1]
        for h in (1e-5, -1e-5)
    )
    for name, block in hessian.items():
        measured = (after[name] - before[name]) / 2e-5
        claimed = np.tensordot(block["weight"], step, 2)
        np.testing.assert_allclose(claimed, measured, rtol=1e-5, atol=1e-9)
