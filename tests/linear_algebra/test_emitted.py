"""What is emitted: one factorisation for all of its parts, and every kind of derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgrad as sg

n = sg.dim("n")


def compiled(loss: Any, functions: list[str], **outputs: Any) -> Any:
    return sg.compile(sg.Model("case", loss=loss, outputs=outputs or None), functions)


def body(source: str, function: str) -> str:
    """The lines of one function of a module."""
    return source.split(f"\ndef {function}(")[1].split("\n\n\n")[0]


def test_eigenvalues_and_eigenvectors_come_of_one_call() -> None:
    a = sg.parameter("A", (3, 3))
    w, v = sg.linalg.eigh(a + a.T)
    made = compiled(sg.sum(sg.sin(w)) + sg.sum(v**4), ["value_and_grad", "hvp"])
    for function in ("value_and_grad", "hvp"):
        text = body(made.source, function)
        assert text.count("_eigh(") == 1
        assert text.count(".eigenvalues") == text.count(".eigenvectors") == 1
        assert "_eigvalsh(" not in text


def test_eigenvalues_alone_do_not_compute_vectors() -> None:
    a = sg.parameter("A", (3, 3))
    made = compiled(sg.sum(sg.linalg.eigvalsh(a)), ["loss", "value_and_grad"])
    assert "_eigvalsh(" in body(made.source, "loss")
    assert "_eigh(" not in body(made.source, "loss")
    assert body(made.source, "value_and_grad").count("_eigh(") == 1


def test_singular_values_and_vectors_come_of_one_call() -> None:
    u, s, vh = sg.linalg.svd(sg.parameter("A", (3, 3)))
    made = compiled(sg.sum(u**4) + sg.sum(s**2) + sg.sum(vh**4), ["value_and_grad", "hvp"])
    for function in ("value_and_grad", "hvp"):
        assert body(made.source, function).count("_svd(") == 1


def test_sign_and_logarithm_come_of_one_call() -> None:
    sign, log = sg.linalg.slogdet(sg.parameter("A", (3, 3)))
    made = compiled(sign * log**2, ["loss"])
    assert body(made.source, "loss").count("np.linalg.slogdet(") == 1


def test_one_factor_serves_the_solution_and_the_determinant() -> None:
    """Cholesky, two triangular solves and the log-determinant, with their gradients."""
    x, y = sg.parameter("x", (n, 2)), sg.input("y", (n,))
    factor = sg.linalg.cholesky((x @ x.T + sg.eye(n)).named("K")).named("L")
    z = sg.linalg.solve_triangular(factor, y, lower=True)
    loss = sg.sum(z**2) + 2 * sg.sum(sg.log(sg.diag(factor)))
    made = compiled(loss, ["value_and_grad"])
    text = body(made.source, "value_and_grad")
    assert text.count("_cholesky(") == 1
    assert "_solve(" not in text and "_inv(" not in text
    assert "L = _cholesky(" in text
    net = made.load()
    rng = np.random.default_rng(0)
    point, targets = rng.normal(size=(5, 2)), rng.normal(size=5)
    found, grads = net.value_and_grad({"x": point}, y=targets)
    kernel = point @ point.T + np.eye(5)
    alpha = np.linalg.solve(kernel, targets)
    assert np.isclose(found, targets @ alpha + np.linalg.slogdet(kernel)[1], rtol=1e-12)
    slope = 2 * (np.linalg.inv(kernel) - np.outer(alpha, alpha)) @ point
    np.testing.assert_allclose(grads["x"], slope, rtol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocked_substitution_of_many_rows(dtype: Any) -> None:
    """200 rows are four blocks; only the triangle is read, whatever lies in the other."""
    rng = np.random.default_rng(0)
    a, b = sg.input("a", (n, n)), sg.parameter("b", (n, 3))
    outputs = {
        "lower": sg.linalg.solve_triangular(a, b, lower=True),
        "upper": sg.linalg.solve_triangular(a, b),
        "transposed": sg.linalg.solve_triangular(a, b, "T", lower=True),
        "unit": sg.linalg.solve_triangular(a, b, unit_diagonal=True),
    }
    matrix = rng.uniform(-1, 1, (200, 200)).astype(dtype) / 20 + 2 * np.eye(200, dtype=dtype)
    right = rng.normal(size=(200, 3)).astype(dtype)
    for name, triangle in {
        "lower": np.tril(matrix), "upper": np.triu(matrix), "transposed": np.tril(matrix).T,
        "unit": np.triu(matrix, 1) + np.eye(200),
    }.items():  # fmt: skip
        given = matrix.copy()
        unread = np.tri(200, k=-1, dtype=bool)
        given[unread.T if name in ("lower", "transposed") else unread] = 7
        if name == "unit":
            np.fill_diagonal(given, 7)
        model = sg.Model("case", outputs={name: outputs[name]})
        results = sg.compile(model, ["forward"]).load().forward({"b": right}, a=given)
        assert results.dtype == dtype
        exact = np.linalg.solve(triangle.astype(float), right.astype(float))
        np.testing.assert_allclose(results, exact, rtol=0, atol=200 * np.finfo(dtype).eps)


def test_every_derivative_of_a_system() -> None:
    """jvp, vjp, hessian, jacobian and the gradient of each example agree with each other."""
    x = sg.input("x", (n, 3))
    a, b = sg.parameter("A", (3, 3)), sg.parameter("b", (3,))
    matrix = a @ a.T + sg.eye(3)
    scores = sg.linalg.solve(matrix, x.T).T @ b
    loss = sg.mean(sg.tanh(scores) ** 2) + sg.linalg.slogdet(matrix).logabsdet / 10
    functions = ["value_and_grad", "hvp", "hessian", "jvp", "vjp", "jacobian", "per_example_grad"]
    net = compiled(loss, functions, scores=scores).load()
    assert net.check()
    rng = np.random.default_rng(0)
    params = {"A": rng.normal(size=(3, 3)), "b": rng.normal(size=3)}
    inputs = {"x": rng.normal(size=(4, 3))}
    _, grads = net.value_and_grad(params, **inputs)
    each = net.per_example_grad(params, **inputs)
    for name, grad in grads.items():
        np.testing.assert_allclose(each[name].mean(axis=0), grad, rtol=1e-10, atol=1e-12)


def test_per_example_gradients_of_a_matrix_for_each_example() -> None:
    x = sg.input("x", (n, 2, 2))
    scale = sg.parameter("scale", (2, 2))
    matrices = x * scale + 3 * sg.eye(2)
    w, _ = sg.linalg.eigh(matrices @ sg.swapaxes(matrices, 1, 2))
    loss = sg.mean(sg.log(sg.linalg.det(matrices))) + sg.mean(w[:, 0])
    net = compiled(loss, ["value_and_grad", "per_example_grad", "hvp"]).load()
    assert net.check()


def test_triple_derivatives_follow() -> None:
    """The third derivative along one direction, by differences of the second."""
    a = sg.input("A", (3, 3))
    v = sg.input("v", (3, 3))
    w = sg.linalg.eigvalsh(a + a.T)
    loss = sg.linalg.slogdet(a).logabsdet + sg.linalg.det(a) + sg.sum(w**3)
    first = sg.sum(sg.grad(loss, a) * v)
    second = sg.sum(sg.grad(first, a) * v)
    third = sg.sum(sg.grad(second, a) * v)
    outputs = {"second": second, "third": third}
    net = sg.compile(sg.Model("case", outputs=outputs), ["forward"]).load()
    rng = np.random.default_rng(0)
    point, direction = rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.normal(size=(3, 3))
    h = 1e-5
    up, down = (net.forward(A=point + s * h * direction, v=direction)["second"] for s in (1, -1))
    found = net.forward(A=point, v=direction)["third"]
    assert np.isclose(found, (up - down) / (2 * h), rtol=1e-6)
