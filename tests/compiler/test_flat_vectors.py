"""The flat view of the parameters, and what optimisers make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emitted_models import call_of, module_of

net = module_of("ridge", "loss", "value_and_grad", "hvp", "hessian")


def problem() -> tuple[Any, dict[str, Any]]:
    params, inputs = call_of("ridge", n=20)
    return net.ravel(params), inputs


def test_ravel_and_unravel_are_inverse() -> None:
    params, _ = call_of("classifier", dtype=np.float32)
    classifier = module_of("classifier")
    vector = classifier.ravel(params)
    assert vector.dtype == np.float32 and vector.shape == (26,)
    back = classifier.unravel(vector)
    assert list(back) == list(classifier.PARAMETERS)
    for name, array in back.items():
        assert np.array_equal(array, params[name]) and array.dtype == np.float32
        assert not np.shares_memory(array, vector)
    swapped = dict(reversed(params.items()))
    assert np.array_equal(classifier.ravel(swapped), vector)


WRONG: dict[str, tuple[Any, str]] = {
    "too short": (
        np.zeros(2), "unravel: expected a vector of 3 numbers, got an array of shape [2]",
    ),
    "too long": (
        np.zeros(4), "unravel: expected a vector of 3 numbers, got an array of shape [4]",
    ),
    "a matrix": (
        np.zeros((3, 1)), "unravel: expected a vector of 3 numbers, got an array of shape [3, 1]",
    ),
    "a list": ([1.0, 2.0, 3.0], "unravel: expected a vector of 3 numbers, got list"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_vector_that_does_not_fit(name: str) -> None:
    value, message = WRONG[name]
    with pytest.raises(ValueError) as caught:
        net.unravel(value)
    assert str(caught.value) == message


def test_parameters_that_do_not_fit() -> None:
    for value, message in (
        ({"w": np.zeros(2)}, "ravel: expected the keys of PARAMETERS, got the keys 'w'"),
        ({}, "ravel: expected the keys of PARAMETERS, got an empty dict"),
        ([1.0], "ravel: expected the keys of PARAMETERS, got list"),
        ({"w": np.zeros(3), "b": 0.0}, "ravel: 'w' must have shape [2], got [3]"),
    ):
        with pytest.raises(ValueError) as caught:
            net.ravel(value)
        assert str(caught.value) == message


def test_the_hessian_is_the_derivative_of_the_flat_gradient() -> None:
    vector, inputs = problem()
    matrix = net.ravel_hessian(
        net.hessian(net.unravel(vector), x=inputs["x"], penalty=inputs["penalty"])
    )
    assert matrix.shape == (3, 3)

    def gradient(v: Any) -> Any:
        return net.ravel(net.value_and_grad(net.unravel(v), **inputs)[1])

    for k, row in enumerate(np.eye(3)):
        numeric = (gradient(vector + 1e-5 * row) - gradient(vector - 1e-5 * row)) / 2e-5
        np.testing.assert_allclose(matrix[:, k], numeric, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("method", ["BFGS", "Newton-CG", "trust-exact", "L-BFGS-B"])
def test_scipy_finds_the_minimum(method: str) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    vector, inputs = problem()
    inputs["penalty"] = np.asarray(0.1)
    second = {"x": inputs["x"], "penalty": inputs["penalty"]}

    def value_and_gradient(v: Any) -> tuple[float, Any]:
        loss, grads = net.value_and_grad(net.unravel(v), **inputs)
        return float(loss), net.ravel(grads)

    def product(v: Any, direction: Any) -> Any:
        return net.ravel(net.hvp(net.unravel(v), net.unravel(direction), **second))

    def hessian(v: Any) -> Any:
        return net.ravel_hessian(net.hessian(net.unravel(v), **second))

    help_of = {"Newton-CG": {"hessp": product}, "trust-exact": {"hess": hessian}}
    found = optimize.minimize(
        value_and_gradient, vector, jac=True, method=method, **help_of.get(method, {})
    )
    x, t = inputs["x"], inputs["t"]
    full = np.column_stack([x, np.ones(len(x))])
    normal = full.T @ full / len(x) + 0.1 * np.diag([1, 1, 0])
    np.testing.assert_allclose(found.x, np.linalg.solve(normal, full.T @ t / len(x)), atol=1e-4)
