"""What the user's step calls its tensors is what the emitted loop and the pages call them."""

from __future__ import annotations

import contextlib
import functools
import sys

import numpy as np

import symgrad as sg
from symgrad import nn
from symgrad.expr.scan import Scan
from symgrad.expr.walk import postorder

T = sg.dim("T")


def inner_names(loss: object) -> set[str]:
    (scan,) = [node for node in postorder([loss]) if isinstance(node, Scan)]
    return {node.label for node in postorder(scan.step.following) if node.label is not None}


def model() -> tuple[object, dict[str, np.ndarray]]:
    x, h0 = sg.input("x", (T, 3)), sg.input("h0", (4,))
    V, W, b = sg.parameter("V", (4, 3)), sg.parameter("W", (4, 4)), sg.parameter("b", (4,))

    def step(h, x):
        a = V @ x + W @ h + b
        h = sg.tanh(a)
        return h, None

    last, _ = sg.scan(step, h0, x)
    return sg.sum(last * last), {"V": V, "W": W, "b": b}


def test_variables_of_a_step_name_its_tensors() -> None:
    loss, _ = model()
    assert inner_names(loss) == {"a"}, "h is the state"


def test_names_reach_the_emitted_loops() -> None:
    loss, _ = model()
    text = sg.compile(sg.Model("named", loss=loss), emit=["value_and_grad"]).source
    told = [line.strip() for line in text.splitlines() if line.strip().startswith("# (")]
    formulas = [line.split(") ", 1)[1].split("   [")[0] for line in told]
    assert formulas == [
        "a_given = x @ V.T + b",
        "for t = 0, ..., T - 1, from h[-1] = h0",
        "a = W @ h[t-1] + a_given[t]",
        "h[t] = tanh(a)",
        "loss = h_last @ h_last",
        "product = 2 * h_last",
        "slope_a = 1 - h_all[1:]**2",
        "for t = T - 1, ..., 0, from d_h[T - 1] = product",
        "d_a = d_h[t] * slope_a[t]",
        "d_h[t-1] = d_a @ W",
        "d_b = sum(d_a_all, axis=0)",
        "d_W = d_a_all.T @ h_all[:-1]",
        "d_V = d_a_all.T @ x",
    ]


def test_a_state_that_is_read_twice_tells_the_part_from_the_whole() -> None:
    x = sg.input("x", (T, 4))
    w = sg.parameter("w", (4,))

    def step(h, x):
        h = sg.tanh(h * w + x)
        return h, h

    _, every = sg.scan(step, x[0], x)
    text = sg.compile(sg.Model("read_twice", loss=sg.sum(every**3))).source
    assert "d_h_later[t]" in text and "d_h_later[t-1] =" in text
    assert "d_h[" not in text, "what the later steps send is not the whole derivative"


def test_steps_that_are_no_plain_functions() -> None:
    x = sg.input("x", (T, 4))

    class Step:
        def __call__(self, h, x):
            z = h * 2 + x
            return sg.tanh(z), None

        def method(self, h, x):
            z = h * 3 + x
            return sg.tanh(z), None

    def scaled(factor, h, x):
        z = h * factor + x
        return sg.tanh(z), None

    for step in (Step(), Step().method, functools.partial(scaled, 5)):
        last, _ = sg.scan(step, x[0], x)
        assert inner_names(sg.sum(last)) == {"z"}
    last, _ = sg.scan(lambda h, x: (sg.tanh(h + x), None), x[0], x)
    assert inner_names(sg.sum(last)) == set()


def test_a_profiler_of_the_users_goes_on() -> None:
    seen: list[str] = []

    def profiler(frame, event, _):
        seen.append(event)

    x = sg.input("x", (T, 4))

    def failing(h, x):
        raise ValueError("the user's own")

    sys.setprofile(profiler)
    try:
        sg.scan(lambda h, x: (h + x, None), x[0], x)
        assert sys.getprofile() is profiler
        with contextlib.suppress(ValueError):
            sg.scan(failing, x[0], x)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert seen


def test_what_bears_a_name_keeps_it() -> None:
    x = sg.input("x", (T, 4))

    def step(h, x):
        z = (h + x).named("sum_of_both")
        return sg.tanh(z), None

    last, _ = sg.scan(step, x[0], x)
    assert inner_names(sg.sum(last)) == {"sum_of_both"}


def test_gates_of_an_lstm_name_their_slopes() -> None:
    x = sg.input("x", (T, 2, 3))
    text = sg.compile(sg.Model("lstm", loss=sg.sum(nn.LSTM(3, 4)(x)[0] ** 2))).source
    for gate in "ifgo":
        assert f"d_z_{gate} = " in text and f"slope_z_{gate} = " in text
