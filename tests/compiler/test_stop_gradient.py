"""What `sg.stop_gradient` holds fixed: in every emitted derivative, and in the checks of a module."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import nn
from symgrad.check.evidence import check_module

rng = np.random.default_rng(5)
n = sg.dim("n")
ALL = ["forward", "value_and_grad", "input_grad", "jvp", "vjp", "hvp", "hessian", "jacobian",
       "per_example_grad"]  # fmt: skip


def model() -> sg.Model:
    """sum of (w x)^2 held(tanh(w x)) + held(v) v, of which a half is held."""
    x, w, v = sg.input("x", (n, 3)), sg.parameter("w", (3,)), sg.parameter("v", (2,))
    z = x * w
    y = sg.sum(z**2 * sg.stop_gradient(sg.tanh(z)), axis=1)
    loss = sg.mean(y) + sg.sum(sg.stop_gradient(v) * v)
    return sg.Model("held", loss=loss, outputs={"y": y})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_derivative_against_its_formula(dtype: Any) -> None:
    net = sg.compile(model(), ALL).load()
    x, w, v, t = (rng.normal(size=s).astype(dtype) for s in ((5, 3), 3, 2, 3))
    params, moves = {"w": w, "v": v}, {"w": t, "v": v}
    z, held = x * w, np.tanh(x * w)
    slope, curve = 2 * z * x * held, 2 * x**2 * held  # the derivatives of z**2 * held in w
    close = lambda got, want: np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-6)  # noqa: E731
    _, grads = net.value_and_grad(params, x=x)
    close(grads["w"], slope.mean(0))
    close(grads["v"], v)
    close(net.input_grad(params, x=x)["x"], 2 * z * w * held / 5)
    close(net.jvp(params, moves, x=x)[1], slope @ t)
    close(net.vjp(params, np.ones(5, dtype), x=x)[1]["w"], slope.sum(0))
    close(net.jacobian(params, x=x)["w"], slope)
    close(net.hvp(params, moves, x=x)["w"], curve.mean(0) * t)
    close(net.hvp(params, moves, x=x)["v"], np.zeros(2))
    close(net.hessian(params, x=x)["w"]["w"], np.diag(curve.mean(0)))
    close(net.per_example_grad(params, x=x)["w"], slope)


def test_nothing_is_computed_for_it() -> None:
    w = sg.parameter("w", (3,))
    plain = sg.compile(sg.Model("m", loss=sg.sum(sg.tanh(w) * w)), ["loss"]).source
    held = sg.compile(sg.Model("m", loss=sg.sum(sg.stop_gradient(sg.tanh(w)) * w)), ["loss"]).source
    assert "HELD" in held and "HELD" not in plain
    body = "def loss("
    assert held.split(body)[1].split("return")[0] == plain.split(body)[1].split("return")[0]
    assert sg.stop_gradient(2).dtype == "int" and sg.stop_gradient(w).dtype == "float"


def test_checks_leave_out_what_is_held(capsys: Any) -> None:
    """Differences cannot hold a part of what they move; all else is compared, and judged."""
    net = sg.compile(model(), ALL).load()
    assert net.HELD == ("w", "v", "x")
    x, w, v = sg.input("x", (n, 3)), sg.parameter("w", (3,)), sg.parameter("v", (3,))
    loss = sg.sum(sg.sin(x * w)) + sg.sum(w * v * sg.stop_gradient(v))
    source = sg.compile(sg.Model("m", loss=loss), ["value_and_grad", "hvp"])
    net = source.load()
    assert net.HELD == ("v",) and net.check(0)
    assert "behind a stop_gradient, so not compared: v" in capsys.readouterr().out
    findings = check_module(net)
    assert findings and all(finding.agrees for finding in findings)
    assert not any("along v" in finding.subject for finding in findings)
    wrong: dict[str, Any] = {"__name__": "wrong"}
    assert "np.cos" in source.source
    exec(source.source.replace("np.cos", "np.sin"), wrong)
    assert not wrong["check"](0)


def test_a_row_for_padding_keeps_its_values() -> None:
    layer = nn.Embedding(4, 2, padding_idx=1)
    loss = sg.sum(layer(sg.input("i", (n,), dtype="int")) ** 2)
    net = sg.compile(sg.Model("m", loss=loss), ["value_and_grad"]).load()
    table = rng.normal(size=(4, 2))
    value, grads = net.value_and_grad({"weight": table}, i=np.array([1, 1, 2]))
    assert value == pytest.approx(np.sum(table[[1, 1, 2]] ** 2))
    np.testing.assert_allclose(grads["weight"], [[0, 0], [0, 0], 2 * table[2], [0, 0]])
    assert net.HELD == ("weight",)


def test_what_a_step_holds_fixed() -> None:
    """h' = h + a held(h): a gradient flows through h alone, and `a` is not compared."""
    a, b = sg.parameter("a", ()), sg.parameter("b", ())
    step = lambda h, x: (h + a * sg.stop_gradient(h) + x, None)  # noqa: E731
    last, _ = sg.scan(step, sg.input("h", ()), sg.input("x", (4,)))
    net = sg.compile(sg.Model("m", loss=last * b), ["value_and_grad"]).load()
    params = {"a": np.array(0.5), "b": np.array(2.0)}
    value, grads = net.value_and_grad(params, h=np.array(1.0), x=np.ones(4))
    states = [1.0]
    for _ in range(4):
        states.append(1.5 * states[-1] + 1)
    assert value == pytest.approx(2 * states[-1])
    assert grads["a"] == pytest.approx(2 * sum(states[:-1])) and grads["b"] == states[-1]
    assert "a" in net.HELD and "b" not in net.HELD and net.check(0)
