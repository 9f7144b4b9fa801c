"""Where a matrix has no result, or its vectors no slope: one clear error, never a silent NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgrad as sg

Build = Callable[[Any, Any], Any]


def emitted(loss: Any, *functions: str) -> Any:
    return sg.compile(sg.Model("case", loss=loss), list(functions) or ["value_and_grad"]).load()


def of_matrix(build: Callable[[Any], Any], shape: tuple[Any, ...] = (3, 3), *functions: str) -> Any:
    return emitted(sg.sum(build(sg.parameter("A", shape))), *functions)


SINGULAR = np.array([[1.0, 2, 3], [0, 0, 0], [4, 5, 7]])  # LAPACK meets an exact 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda a: sg.linalg.solve(a, np.ones(3)), "the matrix A is singular"),
        (sg.linalg.inv, "the matrix A is singular; it has no inverse"),
        (lambda a: sg.linalg.slogdet(a).logabsdet, "the matrix A is singular"),
        (sg.linalg.cholesky, "the matrix A is not positive definite"),
        (
            lambda a: sg.linalg.solve_triangular(a, np.ones(3)),
            "the matrix A is singular; a number on its diagonal is 0",
        ),
    ],
)
def test_a_matrix_without_a_result(build: Any, message: str, dtype: Any) -> None:
    net = of_matrix(build)
    with pytest.raises(np.linalg.LinAlgError, match=f"^value_and_grad: {message}") as raised:
        net.value_and_grad({"A": SINGULAR.astype(dtype)})
    assert raised.value.__suppress_context__


def test_the_name_is_that_of_the_definition() -> None:
    a = sg.parameter("A", (2, 2))
    kernel = (a @ a.T).named("kernel")
    net = emitted(sg.sum(sg.linalg.inv(kernel)))
    with pytest.raises(np.linalg.LinAlgError, match="the matrix kernel is singular"):
        net.value_and_grad({"A": np.zeros((2, 2))})


def test_log_determinant_of_a_singular_matrix_is_minus_infinity_as_in_numpy() -> None:
    net = of_matrix(lambda a: sg.linalg.slogdet(a).logabsdet, (3, 3), "loss", "value_and_grad")
    with np.errstate(divide="ignore"):
        assert net.loss({"A": SINGULAR}) == -np.inf
    sign = of_matrix(lambda a: sg.linalg.slogdet(a).sign, (3, 3), "loss")
    assert sign.loss({"A": SINGULAR}) == 0


EQUAL = np.diag([1.0, 2.0, 2.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda a: sg.linalg.eigh(a).eigenvectors ** 2,
            "eigenvalues 1 and 2 of A coincide: 2 and 2; eigenvectors have no derivative there",
        ),
        (
            lambda a: sg.linalg.svd(a).U ** 2,
            "singular values 0 and 1 of A coincide: 2 and 2; singular vectors have no derivative",
        ),
    ],
)
@pytest.mark.parametrize("is_turned", [False, True])
def test_vectors_of_coinciding_values(build: Any, message: str, dtype: Any, is_turned: bool):
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    matrix = turn @ EQUAL @ turn.T if is_turned else EQUAL  # there they coincide up to rounding
    net = of_matrix(build, (3, 3), "loss", "value_and_grad")
    params = {"A": matrix.astype(dtype)}
    assert np.isfinite(net.loss(params))
    with pytest.raises(np.linalg.LinAlgError) as raised:
        net.value_and_grad(params)
    assert str(raised.value).startswith(f"value_and_grad: {message.split(':')[0]}")
    if not is_turned:
        assert message in str(raised.value)


def test_which_matrix_of_a_batch() -> None:
    net = of_matrix(lambda a: sg.linalg.eigh(a).eigenvectors ** 2, (2, 3, 3))
    good = np.diag([1.0, 2.0, 3.0])
    with pytest.raises(np.linalg.LinAlgError, match=r"of A coincide \(matrix \[1\] of the batch\)"):
        net.value_and_grad({"A": np.stack([good, EQUAL])})


def test_a_singular_value_of_0_of_an_oblong_matrix() -> None:
    net = of_matrix(lambda a: sg.linalg.svd(a, full_matrices=False).U ** 2, (3, 2))
    with pytest.raises(
        np.linalg.LinAlgError, match="singular value 1 of A, which is not square, is 0"
    ):
        net.value_and_grad({"A": np.array([[1.0, 0], [0, 0], [0, 0]])})


@pytest.mark.parametrize("values", [sg.linalg.eigvalsh, sg.linalg.svdvals,
                                    lambda a: sg.linalg.eigh(a).eigenvalues])  # fmt: skip
def test_values_alone_have_a_gradient_where_they_coincide(values: Any) -> None:
    net = of_matrix(values)  # the sum of the eigenvalues is the trace
    _, grads = net.value_and_grad({"A": EQUAL})
    np.testing.assert_allclose(grads["A"], np.eye(3), atol=1e-15)


@pytest.mark.parametrize("build", [sg.linalg.eigvalsh, sg.linalg.svdvals, sg.linalg.pinv,
                                   lambda a: sg.linalg.eigh(a).eigenvectors ** 2,
                                   lambda a: sg.linalg.svd(a).U ** 2])  # fmt: skip
def test_entries_that_are_no_numbers(build: Any) -> None:
    net = of_matrix(build)
    wrong = np.eye(3)
    wrong[0, 0] = np.nan
    try:
        loss, grads = net.value_and_grad({"A": wrong})
    except np.linalg.LinAlgError as error:
        assert "the matrix A is no input of" in str(error)
    else:
        assert np.isnan(loss) or np.isnan(grads["A"]).all()


RANK_2 = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
RANK_1 = np.outer([1.0, 2, 3], [1.0, -1, 2])


@pytest.mark.parametrize("matrix", [RANK_2, RANK_1, np.zeros((3, 3)), np.eye(3)])
def test_two_derivatives_of_the_determinant_of_any_matrix(matrix: np.ndarray) -> None:
    """The determinant is a polynomial, so differences of whole numbers are exact."""
    a = sg.parameter("A", (3, 3))
    net = emitted(sg.linalg.det(a), "value_and_grad", "hvp")
    _, grads = net.value_and_grad({"A": matrix})
    rng = np.random.default_rng(1)
    v = rng.normal(size=(3, 3))

    def cofactors(m: np.ndarray) -> np.ndarray:
        crosses = [np.cross(m[i - 2], m[i - 1]) for i in range(3)]
        return np.stack(crosses)

    np.testing.assert_allclose(grads["A"], cofactors(matrix), atol=2e-13)
    change = (cofactors(matrix + v) - cofactors(matrix - v)) / 2  # exact: the cofactors are squares
    np.testing.assert_allclose(net.hvp({"A": matrix}, {"A": v})["A"], change, atol=2e-13)


def test_a_third_derivative_of_the_determinant_needs_an_inverse() -> None:
    a, v = sg.input("A", (3, 3)), sg.input("v", (3, 3))
    derivative = sg.linalg.det(a)
    for _ in range(3):
        derivative = sg.sum(sg.grad(derivative, a) * v)
    forward = (
        sg.compile(sg.Model("case", outputs={"third": derivative}), ["forward"]).load().forward
    )
    direction = np.random.default_rng(0).normal(size=(3, 3))
    third = forward(A=np.eye(3), v=direction)  # of a polynomial of degree 3: 3! det(v)
    assert np.isclose(third, 6 * np.linalg.det(direction), rtol=1e-12)
    with pytest.raises(np.linalg.LinAlgError, match="forward: the matrix A is singular"):
        forward(A=np.zeros((3, 3)), v=direction)
