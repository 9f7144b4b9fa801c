"""What is written inside another statement is computed later: nothing it reads may change."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.program.verify import BrokenProgram, verify


def test_a_number_read_from_an_array_is_not_computed_after_the_array_is_written_over() -> None:
    m = sg.dim("m")
    a = sg.parameter("a", (m, 3))
    spread = sg.std(a, axis=1, keepdims=True)
    length = sg.norm(sg.sinh(spread), axis=0, keepdims=True)
    net = sg.compile(sg.Model("inlined", loss=sg.sum(sg.sin(length)))).load()
    point = np.random.default_rng(0).standard_normal((2, 3))
    _, grads = net.value_and_grad({"a": point})
    step = np.random.default_rng(1).standard_normal((2, 3))
    ahead, behind = (net.loss({"a": point + t * step}) for t in (1e-5, -1e-5))
    assert abs(np.sum(grads["a"] * step) - (ahead - behind) / 2e-5) < 1e-8


def test_the_verifier_sees_a_number_that_waits_too_long() -> None:
    m = sg.dim("m")
    a = sg.parameter("a", (m, 3))
    length = sg.norm(sg.sinh(sg.std(a, axis=1, keepdims=True)), axis=0, keepdims=True)
    (plan,) = sg.compile(sg.Model("late", loss=sg.sum(sg.sin(length))), ["value_and_grad"]).plans
    verify(plan)
    lines = plan.program.instructions
    cosine = next(line.result for line in lines if line.options.get("name") == "cos")
    with pytest.raises(BrokenProgram, match="written over"):
        verify(plan, {cosine})


def test_a_mask_negated_into_a_float_buffer_says_which_float() -> None:
    x = sg.parameter("x", (4,))
    loss = sg.sum(sg.exp(sg.tanh(x) * 2) - sg.clip(x, None, 0.3) * sg.exp(x))
    net = sg.compile(sg.Model("masked", loss=loss), emit=["value_and_grad", "hvp"]).load()
    for dtype in (np.float32, np.float64):
        params = {"x": np.linspace(-1, 1, 4).astype(dtype)}
        assert net.value_and_grad(params)[1]["x"].dtype == dtype
        assert net.hvp(params, params)["x"].dtype == dtype
