"""`sg.linalg` at definition: NumPy's names and conventions, wrong use, formulas as text."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from numpy_evaluator import evaluate

import symgrad as sg
import symgrad.linalg
from symgrad.errors import DefinitionError, ShapeError, SymgradError, UnsupportedError

n = sg.dim("n")
RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3), RNG.normal(size=(3, 2))
OWN = {"solve_triangular", "logdet"}


def values(result: Any, **given: Any) -> list[np.ndarray]:
    nodes = list(result) if isinstance(result, tuple) else [result]
    return evaluate(nodes, given)


def test_names_and_arguments_are_those_of_numpy() -> None:
    for name in set(symgrad.linalg.__all__) - OWN:
        theirs = getattr(np.linalg, name, None)
        if theirs is None:  # a named result
            theirs = getattr(np.linalg._linalg, name)
            assert getattr(sg.linalg, name)._fields == theirs._fields
            continue
        ours = inspect.signature(getattr(sg.linalg, name)).parameters
        assert list(ours) == list(inspect.signature(theirs).parameters), name


@pytest.mark.parametrize(
    "apply",
    [
        lambda xp, a: xp.linalg.inv(a),
        lambda xp, a: xp.linalg.det(a),
        lambda xp, a: xp.linalg.slogdet(-a),
        lambda xp, a: xp.linalg.matrix_power(a, 3),
        lambda xp, a: xp.linalg.matrix_power(a, -3),
        lambda xp, a: xp.linalg.matrix_power(a, 0),
        lambda xp, a: xp.linalg.eigh(a),
        lambda xp, a: xp.linalg.eigh(a, UPLO="U")[1] ** 2,  # up to the signs
        lambda xp, a: xp.linalg.eigvalsh(a, "U"),
        lambda xp, a: xp.linalg.svd(a),
        lambda xp, a: xp.linalg.svd(a[:, :2], full_matrices=False),
        lambda xp, a: xp.linalg.svd(a, compute_uv=False),
        lambda xp, a: xp.linalg.svdvals(a),
        lambda xp, a: xp.linalg.pinv(a[:, :2]),
        lambda xp, a: xp.linalg.pinv(a, rcond=0.5),
        lambda xp, a: xp.linalg.pinv(a, rtol=0.5),
        lambda xp, a: xp.linalg.cholesky(a @ a.swapaxes(1, 2) if xp is np else a @ _mt(a)),
        lambda xp, a: xp.linalg.cholesky(
            a @ a.swapaxes(1, 2) if xp is np else a @ _mt(a), upper=True
        ),
        lambda xp, a: xp.linalg.solve(a, B),
        lambda xp, a: xp.linalg.solve(a, B[:, 0]),
        lambda xp, a: xp.linalg.solve(a[0], B[:, 0]),
    ],
)
def test_values_are_those_of_numpy(apply: Any) -> None:
    found = values(apply(sg, sg.input("a", A.shape)), a=A)
    expected = apply(np, A)
    expected = list(expected) if isinstance(expected, tuple) else [expected]
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


def _mt(a: Any) -> Any:
    return sg.swapaxes(a, 1, 2)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("trans", [0, 1, "N", "T"])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("right", [B, B[:, 0]], ids=["matrix", "vector"])
def test_triangular_systems_are_those_of_scipy(lower: bool, trans: Any, unit: bool, right: Any):
    scipy = pytest.importorskip("scipy.linalg")
    options = {"lower": lower, "trans": trans, "unit_diagonal": unit}
    (found,) = values(sg.linalg.solve_triangular(sg.input("a", (3, 3)), right, **options), a=A[0])
    np.testing.assert_allclose(found, scipy.solve_triangular(A[0], right, **options), rtol=1e-12)


def test_whole_numbers_count_as_floats() -> None:
    k = sg.input("k", (2, 2), dtype="int")
    given = np.array([[2, 1], [1, 3]])
    np.testing.assert_allclose(values(sg.linalg.inv(k), k=given)[0], np.linalg.inv(given))
    assert sg.linalg.solve(k, [1, 2]).dtype == "float"


def test_log_determinant() -> None:
    a = sg.input("a", (2, 2))
    for diagonal, expected in [((2, 3), np.log(6)), ((-2, 3), np.nan), ((0, 1), -np.inf)]:
        (found,) = values(sg.linalg.logdet(a), a=np.diag(diagonal))
        np.testing.assert_allclose(found, expected, rtol=1e-14)


a, oblong, vector = sg.input("a", (n, n)), sg.input("oblong", (n, 3)), sg.input("v", (4,))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: sg.linalg.inv(oblong), ShapeError, "inv: the matrix must be square"),
        (lambda: sg.linalg.det(vector), ShapeError, "det: a matrix is expected, not a vector"),
        (lambda: sg.linalg.cholesky(2.0), ShapeError, "cholesky: a matrix is expected"),
        (lambda: sg.linalg.solve(sg.input("a", (3, 3)), vector), ShapeError, "and b has 4"),
        (lambda: sg.linalg.solve(a, 1.0), ShapeError, "b must be a vector or a matrix"),
        (
            lambda: sg.linalg.solve(sg.input("a", (4, 3, 3)), sg.input("b", (4, 3))),
            ShapeError,
            "as matrices of one column",
        ),
        (
            lambda: sg.linalg.solve(sg.input("a", (4, 3, 3)), sg.input("b", (5, 3, 1))),
            ShapeError,
            "solve: ",
        ),
        (lambda: sg.linalg.svd(sg.input("a", (4, 3))), UnsupportedError, "full_matrices=False"),
        (lambda: sg.linalg.svdvals(oblong), ShapeError, "the smaller of n and 3"),
        (lambda: sg.linalg.svd(a, hermitian=True), UnsupportedError, "hermitian"),
        (lambda: sg.linalg.eigh(a, "X"), DefinitionError, "UPLO must be 'L' or 'U', not 'X'"),
        (lambda: sg.linalg.matrix_power(a, 0.5), DefinitionError, "n must be a whole number"),
        (lambda: sg.linalg.pinv(a, rcond=a), UnsupportedError, "rcond must be a number known now"),
        (lambda: sg.linalg.pinv(a, 1e-3, rtol=1e-3), DefinitionError, "rcond and rtol"),
        (lambda: sg.linalg.solve_triangular(a, a, 2), DefinitionError, "trans must be 0 or 'N'"),
        (lambda: sg.linalg.solve_triangular(sg.input("a", (4, 4)), vector, left=False),
         ShapeError, "needs a matrix b"),
    ],
)  # fmt: skip
def test_wrong_use(build: Any, error: type[SymgradError], message: str) -> None:
    with pytest.raises(error) as raised:
        build()
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("logdet(S) + trace(inv(S))", lambda s, b: np.log(np.linalg.det(s)) + np.trace(np.linalg.inv(s))),
        ("b @ solve(S, b)", lambda s, b: b @ np.linalg.solve(s, b)),
        ("det(S) * sum(pinv(S) @ b)", lambda s, b: np.linalg.det(s) * (np.linalg.pinv(s) @ b).sum()),
        ("np.linalg.slogdet(S).logabsdet", lambda s, b: np.linalg.slogdet(s)[1]),
        ("sum(log(diag(cholesky(S))))", lambda s, b: np.log(np.linalg.det(s)) / 2),
        ("eigvalsh(S)[0] + svdvals(S)[1]", lambda s, b: np.linalg.eigvalsh(s)[0] + np.linalg.svdvals(s)[1]),
        ("sum(eigh(S)[1]**2)", lambda s, b: 3.0),
        ("sum(matrix_power(S + eye(n), -2) @ b)",
         lambda s, b: (np.linalg.matrix_power(s + np.eye(3), -2) @ b).sum()),
    ],
)  # fmt: skip
def test_formulas_as_text(text: str, expected: Any) -> None:
    shapes = {"S": "n n", "b": "n"} if " b" in text or "b " in text else {"S": "n n"}
    node = sg.formula(text, shapes=shapes)
    matrix, right = A[0] @ A[0].T, B[:, 0]
    (found,) = values(node, **{"S": matrix, "b": right})
    np.testing.assert_allclose(found, expected(matrix, right), rtol=1e-12)
