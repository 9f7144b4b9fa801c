"""Masks and whole numbers in float32 and float64: what is computed, and in which type."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.expr.node import Node

n = sg.dim("n")
x, y = sg.input("x", (n,)), sg.input("y", (3,))
k = sg.input("k", (n,), "int")
q = sg.input("q", (n,), "bool")
LEAVES = {"x": x, "y": y, "k": k, "q": q}
VALUES = {
    "x": np.array([0.5, -0.25, 0.0, 2.0]),
    "y": np.array([1.0, -2.0, 3.0]),
    "k": np.array([1, 0, 2, 2]),
    "q": np.array([True, False, True, True]),
}
EXPRESSIONS: dict[str, tuple[Callable[[Any], Node], Any]] = {
    "where of a float condition": (lambda v: sg.sum(sg.where(v["x"], 3, 0.5) * v["x"]),
                                   0.5 * 3 - 0.25 * 3 + 2 * 3),
    "slope of where": (lambda v: sg.sum(sg.where(v["x"], v["x"], v["x"]) ** 2), 4.3125),
    "product of whole numbers": (lambda v: v["k"] @ v["k"] - 1.5 + 0 * sg.sum(v["x"]), 7.5),
    "product of masks counts": (lambda v: sg.sum(v["x"]) * 0 + 1.0 * (v["q"] @ v["q"]), 3.0),
    "logic of numbers": (lambda v: sg.sum(sg.where(sg.logical_and(v["x"], v["k"]), v["x"], 1.0)),
                         0.5 + 1 + 1 + 2),
    "not of numbers": (lambda v: sg.sum(sg.where(sg.logical_not(v["k"]), v["x"], 0)), -0.25),
    "mask as index": (lambda v: sg.sum(sg.take(v["y"], v["q"] + 1, axis=0)), 3.0 + -2.0 + 6.0),
    "mask times size as index": (lambda v: sg.sum(sg.take(v["y"], (v["y"] > 0) * 2, axis=0)), 7.0),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_types(name: str, dtype: Any) -> None:
    build, expected = EXPRESSIONS[name]
    a = sg.parameter("a", ())
    loss = build(LEAVES) + a
    net = sg.compile(sg.Model("typed", loss=loss), ["loss", "value_and_grad", "input_grad"]).load()
    params = {"a": np.array(0, dtype)}
    for function in (net.loss, net.value_and_grad, net.input_grad):
        takes = inspect.signature(function).parameters
        given = {i: v for i, v in VALUES.items() if i in takes}
        given = {i: v.astype(dtype) if v.dtype.kind == "f" else v for i, v in given.items()}
        result = function(params, **given)
        if function is net.loss:
            assert result.dtype == dtype
            np.testing.assert_allclose(result, expected)
        elif function is net.value_and_grad:
            assert result[0].dtype == dtype and result[1]["a"].dtype == dtype
        else:
            assert all(g.dtype == dtype for g in result.values())


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda z: sg.softplus(z), np.log(2)),
        (lambda z: sg.maximum(z, np.pi), np.pi),
        (lambda z: sg.clip(z, None, 0.31), 0.0),
        (lambda z: sg.where(z > -0.1, z + 2, 1), 2.0),
        (lambda z: sg.logaddexp(z, 0.3), np.logaddexp(0, 0.3)),
        (lambda z: sg.arctan2(z, -0.3), np.pi),
        (lambda z: sg.maximum(z, n), 4.0),
        (lambda z: sg.sqrt(z + 6), np.sqrt(6)),
        (lambda z: sg.norm(z + 2.0, axis=0), 2 * np.sqrt(3)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_known_is_worked_out(build: Any, expected: float, dtype: Any) -> None:
    a = sg.parameter("a", ())
    known = build(y - y)
    model = sg.Model("known", loss=sg.sum(known) + a + sg.sum(x) * 0, outputs={"known": known})
    net = sg.compile(model, ["forward"]).load()
    takes = inspect.signature(net.forward).parameters
    given = {i: VALUES[i].astype(dtype) for i in ("x", "y") if i in takes}
    result = net.forward({"a": np.array(0, dtype)}, **given)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, np.full(np.shape(result), expected), rtol=1e-6)


def test_slopes_are_finite_where_a_selection_guards_a_pole() -> None:
    w = sg.parameter("w", (4,))
    for guarded in (sg.where(w > 0, sg.log(w), 0), sg.where(w > 0, sg.sqrt(w), w),
                    sg.where(w > 0, 1 / w, 0)):  # fmt: skip
        net = sg.compile(sg.Model("guarded", loss=sg.sum(guarded)), ["value_and_grad", "hessian"])
        module = net.load()
        params = {"w": np.array([-1.0, 0.0, -0.0, 2.0])}
        value, grads = module.value_and_grad(params)
        assert np.isfinite(value) and np.isfinite(grads["w"]).all()
        assert np.isfinite(module.hessian(params)["w"]["w"]).all()


def test_nan_in_the_data_reaches_the_loss_and_its_gradient() -> None:
    w = sg.parameter("w", (4,))
    net = sg.compile(sg.Model("spoilt", loss=sg.sum(sg.tanh(w * 2) * w)), ["value_and_grad"]).load()
    value, grads = net.value_and_grad({"w": np.array([np.nan, 1.0, 2.0, 3.0])})
    assert np.isnan(value) and np.isnan(grads["w"][0]) and np.isfinite(grads["w"][1:]).all()
