"""Graphs around each node of linear algebra, for `catalogue.CASES`.

Matrices are built far from singular, and symmetric where their function asks for it, out of the
leaves: then any change of a leaf is one that the derivative knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sympy

from symgrad.expr import decompositions, linear_algebra
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Identity, Table
from symgrad.expr.linear_algebra import matrix_transpose
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.operators import matmul


def regular(x: Node) -> Node:
    """x / 3 with 2 added on the diagonal."""
    return Map(slot(0) / 3 + 2 * slot(1), x, Identity(x.shape[-1]))


def positive(x: Node) -> Node:
    """A positive definite matrix."""
    product = matmul(x, matrix_transpose(x))
    return Map(slot(0) / 4 + slot(1), product, Identity(x.shape[-2]))


def distinct(x: Node) -> Node:
    """A symmetric matrix with eigenvalues far apart."""
    size = int(x.shape[-1])
    apart = Table([4 * i if i == j else 0 for i in range(size) for j in range(size)], (size, size))
    return Map(slot(0) / 4 + slot(1) / 4 + slot(2), x, matrix_transpose(x), apart)


def oblong(x: Node) -> Node:
    """A matrix with singular values far apart."""
    rows, columns = (int(size) for size in x.shape[-2:])
    entries = [3 * (i + 1) if i == j else 0 for i in range(rows) for j in range(columns)]
    return Map(slot(0) / 4 + slot(1), x, Table(entries, (rows, columns)))


def cases(case: Callable[..., Any], n: sympy.Expr, m: sympy.Expr) -> Iterator[Any]:
    square = {"three": (3, 3), "one": (1, 1), "none": (0, 0), "batch": (2, 3, 3),
              "no_batch": (0, 3, 3), "symbolic": (m, n, n)}  # fmt: skip
    L, D = linear_algebra, decompositions
    for kind in (L.Inverse, L.Determinant, L.SignDeterminant, L.LogAbsDeterminant, L.Cofactor):
        for label, shape in square.items():
            yield case(kind, label, [shape], lambda x, k=kind: k(regular(x)))
    for label, shape in square.items():
        yield case(D.Cholesky, label, [shape], lambda x: D.Cholesky(positive(x)))
        yield case(L.SecondCofactor, label, [shape] * 2,
                   lambda x, h: L.SecondCofactor(regular(x), h))  # fmt: skip
    systems = {
        "columns": [(3, 3), (3, 2)], "symbolic": [(n, n), (n, m)], "one": [(1, 1), (1, 1)],
        "none": [(0, 0), (0, 2)], "no_columns": [(2, 2), (2, 0)],
        "batch": [(2, 3, 3), (2, 3, 1)], "one_matrix": [(3, 3), (2, 3, 2)],
        "vector": [(3, 3), (3,)], "vector_of_one": [(1, 1), (1,)], "symbolic_vector": [(n, n), (n,)],
        "one_right_side": [(2, 2, 2), (2, 1)], "stretched": [(2, 1, 2, 2), (3, 2, 1)],
    }  # fmt: skip
    for label, shapes in systems.items():
        yield case(L.Solve, label, shapes, lambda x, b: L.Solve(regular(x), b))
        for lower, unit in [(True, False), (False, True)]:
            yield case(
                L.TriangularSolve,
                f"{label}_{'lower' if lower else 'upper'}",
                shapes,
                lambda x, b, f=(lower, unit): L.TriangularSolve(regular(x), b, *f),
            )
    numbered = {"three": (3, 3), "one": (1, 1), "none": (0, 0), "batch": (2, 3, 3)}
    for kind in (D.Eigenvalues, D.Eigenvectors):
        for label, shape in numbered.items():
            yield case(kind, label, [shape], lambda x, k=kind: k(distinct(x)))
    flat = numbered | {"tall": (4, 2), "wide": (2, 3), "no_rows": (0, 2), "wide_batch": (2, 1, 3)}
    for kind in (D.SingularValues, D.LeftSingularVectors, D.RightSingularVectors, L.PseudoInverse):
        for label, shape in flat.items():
            yield case(kind, label, [shape], lambda x, k=kind: k(oblong(x)))
    for label, shape in {"three": (3,), "one": (1,), "none": (0,), "batch": (2, 3)}.items():
        yield case(D.ReciprocalGaps, label, [shape], lambda w: D.ReciprocalGaps(
            Map(slot(0) / 4 + 2 * slot(1), w, Table(range(int(w.shape[-1])), w.shape[-1:])), "eigh"
        ))  # fmt: skip
