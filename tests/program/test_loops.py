"""Scans as loops: the values of the plain evaluator, memory of one's own, nothing done twice."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import sympy
from executing import emitted_source, execute
from loop_cases import CASES, given_to, values_for
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.program.cost import cost
from symgrad.program.cost_bounds import ITEM
from symgrad.program.lower import lower
from symgrad.program.schedule import schedule

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", [0, 1, 5])
@pytest.mark.parametrize("case", CASES)
def test_a_loop_computes_what_the_scan_means(case: str, length: int, dtype: type) -> None:
    outputs = CASES[case]()
    given = given_to(outputs, values_for(length, dtype))
    sizes = {"T": length, "n": 2}
    expected = evaluate(list(outputs.values()), given, sizes, dtype)
    found = execute(outputs, given, sizes, dtype)
    for (name, node), wanted in zip(outputs.items(), expected, strict=True):
        got = found[name]
        assert got.shape == wanted.shape, name
        kind = {"float": dtype, "int": np.integer, "bool": np.bool_}[node.dtype]
        assert np.issubdtype(got.dtype, kind), name
        assert np.allclose(got, wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]), name


@pytest.mark.parametrize("length", [0, 1, 5])
@pytest.mark.parametrize("case", CASES)
def test_results_own_their_memory_and_arguments_are_left_alone(case: str, length: int) -> None:
    outputs = CASES[case]()
    given = given_to(outputs, values_for(length, np.float64))
    copies = {name: array.copy() for name, array in given.items()}
    results = list(execute(outputs, given, {"T": length, "n": 2}).values())
    for name, array in given.items():
        assert np.array_equal(array, copies[name])
        assert not any(np.shares_memory(array, result) for result in results), name
    for k, result in enumerate(results):
        assert not any(np.shares_memory(result, other) for other in results[:k])


@pytest.mark.parametrize("case", CASES)
def test_the_text_does_not_depend_on_the_length(case: str) -> None:
    source, *_ = emitted_source(CASES[case]())
    assert source.count("for t") <= 3 * len(CASES)
    assert re.search(r"for t\w* in (reversed\()?range\(", source) or case == "known_without_running"


def body(case: str) -> str:
    source, *_ = emitted_source(CASES[case]())
    return source[source.index("def f(") :]


def in_loop(text: str) -> str:
    """The statements inside the loops of a function."""
    lines = [line for line in text.splitlines() if line.startswith(" " * 8)]
    return "\n".join(line for line in lines if not line.strip().startswith("#"))


@pytest.mark.parametrize("case", ["before_and_after", "product_of_both", "before_alone"])
def test_states_before_and_after_lie_in_one_array(case: str) -> None:
    text = body(case)
    assert text.count("np.empty(") == 1 and "np.empty((T + 1, n, 3), dtype)" in text
    assert re.search(r"out=h_all\w*\[t \+ 1\]\)", in_loop(text))


def test_what_is_the_same_at_every_step_is_made_before_the_loop() -> None:
    text = body("same_at_every_step")
    for made_once in (".T", "np.ones", "np.eye", "np.arange"):
        assert made_once not in in_loop(text), made_once
    assert text.count("in range(") == 2


def test_indices_of_all_steps_are_checked_once_before_the_loop() -> None:
    text = body("indices")
    assert text.count("_check_indices(") == 1 and "_check_indices" not in in_loop(text)
    outputs = CASES["indices"]()
    given: dict[str, Any] = given_to(outputs, values_for(5, np.float64))
    given["k"] = given["k"].copy()
    given["k"][4, 1] = 3
    with pytest.raises(IndexError, match="k"):
        execute(outputs, given, {"T": 5, "n": 2})


def test_nothing_is_stored_that_is_not_asked_for() -> None:
    assert "np.empty" not in body("last") and "np.empty" not in body("same_at_every_step")


def test_a_value_that_is_kept_is_computed_where_it_is_kept() -> None:
    assert "h = np.tanh(h_sum, out=h_all[t])" in body("every")


def test_costs_of_a_loop_are_those_of_its_steps() -> None:
    n, T = sg.dim("n"), sg.dim("T")
    total = cost(schedule(lower(CASES["every"]())))
    step = 2 * n * 3 * 3 + 3 * n + 3 * n  # the product, the sum, tanh
    assert sympy.expand(total.flops - T * step) == 0
    copied = 3 * 3  # the weights, transposed
    assert sympy.expand(total.peak - ITEM * (T * n * 3 + 2 * n * 3 + copied)) == 0
