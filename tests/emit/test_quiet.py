"""Emitted functions warn of nothing but their results."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

import symgrad as sg

RANGE = np.concatenate([10.0 ** np.linspace(-37, 4, 60), [0.0], -(10.0 ** np.linspace(-37, 4, 60))])


def module_of(text):
    loss = sg.formula(f"sum(w * ({text}))", shapes={"x": "n", "w": "n"}, parameters=["x"])
    return sg.compile(sg.Model("quiet", loss=loss), emit=["loss", "value_and_grad", "hvp"]).load()


def is_quiet(function):
    return hasattr(function, "__wrapped__")


# finite for every number in the range, though not so the branch that is left out
WHERE = [
    "where(x > 0.5, log(x), x)",
    "where(abs(x) < 1, x, 1/x)",
    "where(x > 1, sqrt(x), sin(x))",
    "where(x < 80, exp(x), 1 + x)",
]
ALWAYS = ["1/(1 + exp(-x))", "log(1 + exp(x))", "x/(1 + exp(-x))", "tanh(x)", "sqrt(1 + x**2)"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("text", ALWAYS)
def test_no_warning_where_all_results_are_finite(text, dtype):
    module = module_of(text)
    x, w = RANGE.astype(dtype), np.ones(len(RANGE), dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, slopes = module.value_and_grad({"x": x}, w=w)
        curves = module.hvp({"x": x}, {"x": w}, w=w)
    assert np.isfinite(value)
    assert np.isfinite(slopes["x"]).all() and np.isfinite(curves["x"]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("text", WHERE)
def test_no_warning_of_the_branch_that_is_left_out(text, dtype):
    x = RANGE.astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(module_of(text).loss({"x": x}, w=np.ones(len(x), dtype)))


@pytest.mark.parametrize("text", WHERE)
def test_a_branch_that_may_warn_is_kept_quiet(text):
    function = module_of(text).value_and_grad
    assert is_quiet(function)
    assert "w" in inspect.signature(function).parameters and function.__doc__


@pytest.mark.parametrize("text", [*ALWAYS, "where(x > 0, x, -x)", "where(x > 0, x, sin(x))"])
def test_others_keep_their_warnings(text):
    assert not is_quiet(module_of(text).value_and_grad)


def test_a_result_outside_of_the_domain_is_warned_of():
    module = module_of("log(x)")
    with pytest.warns(RuntimeWarning):
        module.loss({"x": np.array([-1.0])}, w=np.ones(1))
