"""Costs of linear algebra in closed form: operations of known cases, memory as measured."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import numpy as np
import pytest
import sympy

import symgrad as sg
from symgrad.expr.decompositions import ReciprocalGaps
from symgrad.expr.linear_algebra import Cofactor, SecondCofactor
from symgrad.program.cost import cost
from symgrad.program.lower import lower
from symgrad.program.schedule import Schedule, schedule

n, k, m = sg.dim("n"), sg.dim("k"), sg.dim("m")
A, B, V = sg.input("A", (n, n)), sg.input("B", (n, k)), sg.input("v", (n,))
MANY = sg.input("many", (m, n, n))


def plan_of(*outputs: Any) -> Schedule:
    return schedule(lower({f"r{i}": output for i, output in enumerate(outputs)}))


@pytest.mark.parametrize(
    ("outputs", "flops"),
    [
        ([sg.linalg.solve(A, B)], 2 * n**3 / 3 + 2 * n**2 * k),
        ([sg.linalg.solve(A, V)], 2 * n**3 / 3 + 2 * n**2),
        ([sg.linalg.solve(MANY, B)], m * (2 * n**3 / 3 + 2 * n**2 * k)),
        ([sg.linalg.solve_triangular(A, B)], n**2 * k),
        ([sg.linalg.inv(A)], 2 * n**3),
        ([sg.linalg.det(MANY)], 2 * m * n**3 / 3),
        (list(sg.linalg.slogdet(A)), 2 * n**3 / 3),
        ([sg.linalg.cholesky(A)], n**3 / 3),
        ([sg.linalg.eigvalsh(A)], 4 * n**3 / 3),
        (list(sg.linalg.eigh(A)), 9 * n**3),
        (list(sg.linalg.svd(A)), 26 * n**3),
        ([sg.linalg.svdvals(sg.input("tall", (100, 10)))], 4 * 100 * 100 - sympy.Rational(4000, 3)),
    ],
    ids=str,
)
def test_operations(outputs: list[Any], flops: sympy.Expr) -> None:
    assert sympy.expand(cost(plan_of(*outputs)).flops - flops) == 0


SIZE = 300


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "outputs",
    [
        [sg.linalg.solve(A, A)],
        [sg.linalg.inv(A)],
        [sg.linalg.solve_triangular(A + 30 * sg.eye(n), A)],
        [sg.linalg.cholesky(A @ A.T + sg.eye(n))],
        [sg.linalg.eigh(A).eigenvectors],
        list(sg.linalg.eigh(A)),
        [sg.linalg.svd(A).U],
        list(sg.linalg.svd(A))[:2],
        [sg.linalg.pinv(A)],
        [Cofactor(A / 20)],
        [SecondCofactor(A / 20, A)],
        [ReciprocalGaps(V, "eigh")],
    ],
    ids=lambda outputs: " ".join(type(x).__name__ for x in outputs),
)
def test_peak_is_what_a_call_allocates(outputs: list[Any], dtype: type) -> None:
    named = {f"r{i}": x for i, x in enumerate(outputs)}
    module = sg.compile(sg.Model("measured", outputs=named), ["forward"])
    forward = module.load().forward
    rng = np.random.default_rng(0)
    given = {"A": rng.normal(size=(SIZE, SIZE)), "v": rng.normal(size=SIZE)}
    reads = {x.name for x in module.model.inputs}
    given = {name: array.astype(dtype) for name, array in given.items() if name in reads}
    forward(**given)
    gc.collect()
    tracemalloc.start()
    try:
        kept = forward(**given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kept is not None
    predicted = cost(module.plans[0]).at({"n": SIZE}, np.dtype(dtype).itemsize)[2]
    assert abs(peak - predicted) <= 0.03 * predicted + 2**14, (peak / SIZE**2, predicted / SIZE**2)
