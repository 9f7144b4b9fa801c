"""The table of docs/stability.md, on fewer points: every text, value and two derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from benchmarks.accuracy import BOUND, DOCUMENT, ORDERS, error, measure, modules_of
from benchmarks.naive_texts import TEXTS
from symgrad.calculus import derivatives

COUNT = 30
BY_TEXT = {text.text: text for text in TEXTS}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.text)
def test_emitted_code_is_accurate_to_a_few_ulps(text):
    modules = modules_of(text)
    for dtype in (np.float32, np.float64):
        worst = measure(text, dtype, COUNT, seed=1, modules=modules)
        assert all(worst[order].ulps <= BOUND for order in ORDERS), (dtype, worst)


class _AsWritten:
    """NumPy itself, on the text as it stands; the derivatives are taken from a good module."""

    def __init__(self, module, value):
        self._module = module
        self._value = value

    def __getattr__(self, name):
        return self._value if name == "forward" else getattr(self._module, name)


NAIVE = {
    "log(1 + exp(x))": lambda params: np.log(1 + np.exp(params["x"])),
    "exp(x) - 1": lambda params: np.exp(params["x"]) - 1,
    "1 - cos(x)": lambda params: 1 - np.cos(params["x"]),
    "sqrt(x**2 + y**2)": lambda params: np.sqrt(params["x"] ** 2 + params["y"] ** 2),
}


@pytest.mark.parametrize("name", NAIVE)
def test_the_same_measure_refuses_the_text_as_numpy_computes_it(name):
    text = BY_TEXT[name]
    functions, expressions = modules_of(text)
    naive = _AsWritten(functions, NAIVE[name])
    worst = measure(text, np.float64, COUNT, seed=1, modules=(naive, expressions))
    assert worst["value"].ulps > 1e6


def test_the_same_measure_refuses_a_derivative_of_the_naive_form(monkeypatch):
    monkeypatch.setattr(sg, "grad", derivatives.grad)  # differentiates what was written
    with np.errstate(all="ignore"):
        worst = measure(BY_TEXT["sqrt(x + 1) - sqrt(x)"], np.float64, COUNT, seed=1)
    assert worst["first"].ulps > 1e6


def test_the_measure_sees_a_small_error_a_nan_and_a_wrong_infinity():
    assert error(np.float64(1 + 1e-14), 1, np.float64) > 20
    assert error(np.float64("nan"), 1, np.float64) == np.inf
    assert error(np.float32("inf"), -1e300, np.float32) == np.inf
    assert error(np.float32("inf"), 1e30, np.float32) == np.inf


def test_the_document_states_every_text_and_no_more_than_the_bound():
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [text.text for text in TEXTS]
    for row in rows:
        numbers = [float(cell) for cell in row.split(" | ")[1:7]]
        assert len(numbers) == 6 and max(numbers) <= BOUND
