"""Determinants and inverses in the form that loses the fewest digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from laws import check_laws

import symgrad as sg
from symgrad.expr.linear_algebra import (
    Determinant,
    Inverse,
    LogAbsDeterminant,
    SignDeterminant,
    Solve,
)
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.passes.algebra import stabilise_algebra
from symgrad.passes.form import Form

n = sg.dim("n")
A, B, C, V = (
    sg.input("A", (n, n)), sg.input("B", (n, 2)), sg.input("C", (2, n)), sg.input("v", (n,)),
)  # fmt: skip
M, W = sg.input("M", (4, n, n)), sg.input("w", (4, n))
RNG = np.random.default_rng(0)
VALUES = {
    "A": RNG.normal(size=(3, 3)) + 3 * np.eye(3), "B": RNG.normal(size=(3, 2)),
    "C": RNG.normal(size=(2, 3)), "v": RNG.normal(size=3),
    "M": RNG.normal(size=(4, 3, 3)) + 3 * np.eye(3), "w": RNG.normal(size=(4, 3)),
}  # fmt: skip


def run(node: Node) -> set[type[Node]]:
    """The node classes left after the pass, which keeps its laws."""
    used = {x.name: VALUES[x.name] for x in postorder([node]) if hasattr(x, "name")}
    form = check_laws(Form.of({"": node}), [stabilise_algebra], used)
    return {type(x) for x in postorder(form.outputs.values())}


inv, det = sg.linalg.inv, sg.linalg.det


@pytest.mark.parametrize(
    "node",
    [
        inv(A) @ V, inv(A) @ B, V @ inv(A), C @ inv(A), V @ inv(A) @ V,
        inv(A) @ V + B @ np.ones(2), sg.einsum("ij,jk->ki", inv(A), B), inv(M) @ W[:, :, None],
        sg.einsum("bij,bj->bi", inv(M), W), sg.einsum("bij,bi->jb", inv(M), W), 3 * (inv(A) @ B),
    ],
    ids=str,
)  # fmt: skip
def test_products_with_an_inverse_are_solutions(node: Node) -> None:
    found = run(node)
    assert Solve in found and Inverse not in found


@pytest.mark.parametrize(
    "node",
    [
        inv(A), inv(A) @ V + sg.trace(inv(A)), inv(A) * A, sg.einsum("ij,ij->i", inv(A), A),
        sg.einsum("ij,kj->ijk", inv(A), C), sg.einsum("ii,i->i", inv(A), V), inv(A) @ inv(A),
        sum((inv(A) @ (k * V) for k in range(2, 6)), V),
    ],
    ids=str,
)  # fmt: skip
def test_an_inverse_that_is_needed_stays(node: Node) -> None:
    assert Solve not in run(node)


@pytest.mark.parametrize(
    ("node", "classes"),
    [
        (sg.log(det(A)), {LogAbsDeterminant, SignDeterminant}),
        (sg.log(abs(det(A))), {LogAbsDeterminant}),
        (sg.log(det(M)) * 2 + 1, {LogAbsDeterminant, SignDeterminant}),
        (sg.log(det(A)) + det(A), {LogAbsDeterminant, SignDeterminant, Determinant}),
        (det(A) ** 2, {Determinant}),
    ],
)
def test_logarithms_of_determinants(node: Node, classes: set[type[Node]]) -> None:
    known = {LogAbsDeterminant, SignDeterminant, Determinant}
    assert run(node) & known == classes


@pytest.mark.parametrize("a", [A, M], ids=["matrix", "batch"])
def test_the_determinant_of_a_product_of_factors(a: Node) -> None:
    transposed = sg.swapaxes(a, -1, -2)
    factor = sg.linalg.cholesky(a @ transposed)
    squared = factor @ sg.swapaxes(factor, -1, -2)
    assert LogAbsDeterminant not in run(sg.linalg.slogdet(squared).logabsdet)
    assert LogAbsDeterminant in run(sg.linalg.slogdet(a @ transposed).logabsdet)
    assert LogAbsDeterminant in run(
        sg.linalg.slogdet(sg.swapaxes(factor, -1, -2) @ factor).logabsdet
    )


def test_a_determinant_that_overflows_has_a_logarithm_and_a_slope() -> None:
    a = sg.parameter("a", (200, 200))
    loss = sg.log(sg.linalg.det(a))
    net: Any = sg.compile(sg.Model("case", loss=loss)).load()
    value, grads = net.value_and_grad({"a": np.diag(np.full(200, 1e3))})
    assert np.isclose(value, 200 * np.log(1e3), rtol=1e-14)
    np.testing.assert_allclose(grads["a"], np.eye(200) / 1e3)
