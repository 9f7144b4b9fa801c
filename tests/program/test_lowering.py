"""Emitted code computes what each node means: every family, its gradient, on every shape."""

from __future__ import annotations

import numpy as np
import pytest
from catalogue import CASES, Case
from numpy_evaluator import evaluate
from program.executing import execute

from symgrad.calculus.reverse import gradients
from symgrad.expr.contraction import sum_over
from symgrad.expr.leaf import Constant
from symgrad.expr.map import Map
from symgrad.expr.slots import slot


def close(actual: object, expected: object) -> bool:
    """Equal shapes, and values to a few roundings; NaN stands only where NaN is expected."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    return actual.shape == expected.shape and np.allclose(
        actual, expected, rtol=1e-12, atol=1e-12, equal_nan=True
    )


def run(case: Case, outputs: dict, leaves: list, seed: int = 0) -> None:
    values = {
        leaf.name: v
        for leaf, v in zip(leaves, case.values(np.random.default_rng(seed)), strict=True)
    }
    before = {name: v.copy() for name, v in values.items()}
    expected = evaluate(list(outputs.values()), values, case.sizes)
    actual = execute(outputs, values, case.sizes)
    for (name, result), wanted in zip(actual.items(), expected, strict=True):
        assert close(result, wanted), (name, result, wanted)
    for name, value in values.items():
        assert np.array_equal(value, before[name]), f"{name} was written to"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_node_alone(case: Case) -> None:
    leaves = case.leaves()
    run(case, {"result": case.build(*leaves)}, leaves)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_with_its_gradient(case: Case) -> None:
    leaves = case.leaves()
    node = case.build(*leaves)
    if node.dtype != "float":
        pytest.skip("no gradient")
    loss = sum_over(Map(slot(0) ** 2, node), range(node.ndim))
    floats = [leaf for leaf in leaves if leaf.dtype == "float"]
    slopes = gradients(loss, floats)
    outputs = {"loss": loss, "node": node} | {f"d{k}": g for k, g in enumerate(slopes)}
    run(case, outputs, leaves)


def test_a_constant_result_is_written_out() -> None:
    assert execute({"c": Constant(2, (3, 2))}, {})["c"].tolist() == [[2.0, 2.0]] * 3


def test_close_sees_a_wrong_value() -> None:
    assert not close([1.0, 2.0], [1.0, 2.001])
    assert not close([np.nan], [1.0])
    assert not close([1.0], 1.0)
