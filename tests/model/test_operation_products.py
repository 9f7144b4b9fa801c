"""Products and diagonals give what NumPy gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_reference import arrays_of, assert_same

import symgrad as sg

PRODUCTS = [
    ((3,), (3,)),
    ((2, 3), (3, 4)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((1, 1), (1, 1)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)),
]


@pytest.mark.parametrize("shapes", PRODUCTS, ids=str)
def test_matmul(shapes: Any) -> None:
    assert_same(sg.matmul, np.matmul, arrays_of(*shapes))
    assert_same(lambda a, b: a @ b, np.matmul, arrays_of(*shapes))


@pytest.mark.parametrize(
    "shapes", [*PRODUCTS[:4], ((), (3,)), ((5, 2, 3), (4, 3, 2)), ((5, 2, 3), (3,))], ids=str
)
def test_dot(shapes: Any) -> None:
    assert_same(sg.dot, np.dot, arrays_of(*shapes))


@pytest.mark.parametrize("axes", [0, 1, 2, ([1, 2], [0, 1]), ((-1, 0), (1, -1)), (2, 1)], ids=str)
def test_tensordot(axes: Any) -> None:
    shapes = {0: ((2, 3), (4,)), 1: ((2, 3), (3, 4)), 2: ((2, 3, 4), (3, 4, 5))}
    pair = (
        shapes.get(axes, ((2, 3, 4), (3, 4, 2)))
        if isinstance(axes, int)
        else ((2, 3, 4), (3, 4, 2))
    )
    assert_same(
        lambda a, b: sg.tensordot(a, b, axes),
        lambda a, b: np.tensordot(a, b, axes),
        arrays_of(*pair),
    )


def test_outer() -> None:
    for shapes in [((3,), (4,)), ((2, 3), (2,)), ((), (3,)), ((0,), (3,))]:
        assert_same(sg.outer, np.outer, arrays_of(*shapes))


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ba,cb", (2, 3), (4, 2)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("...ii->...i", (2, 3, 3)),
    ("i,j->ij", (2,), (3,)),
    ("...j,...j->...", (2, 3), (2, 3)),
    ("...j,j", (4, 2, 3), (3,)),
    ("ij->ji", (2, 3)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("b...,b...->b...", (2, 1, 4), (2, 3, 1)),
    ("i,i,i->i", (3,), (3,), (3,)),
    (",", (), ()),
    ("i,->i", (3,), ()),
    ("ij,kj", (0, 3), (2, 3)),
    ("ij...->...ji", (2, 3, 4)),
    ("i ... -> ...", (2, 3)),
    ("...", (2, 3)),
]


@pytest.mark.parametrize("case", EINSUMS, ids=lambda c: c[0])
def test_einsum(case: Any) -> None:
    text, *shapes = case
    assert_same(lambda *a: sg.einsum(text, *a), lambda *a: np.einsum(text, *a), arrays_of(*shapes))


@pytest.mark.parametrize("offset", [0, 1, -1, 2, -5])
def test_diagonals(offset: int) -> None:
    for shape in [(3, 3), (2, 3), (3, 2), (0, 3)]:
        matrix = arrays_of(shape)
        square = shape[0] == shape[1]
        assert_same(
            lambda a: sg.diag(a, offset),
            lambda a: np.diag(a, offset),
            matrix,
            both=square and abs(offset) < 3,
        )
        assert_same(
            lambda a: sg.trace(a, offset),
            lambda a: np.trace(a, offset),
            matrix,
            both=square and abs(offset) < 3,
        )
        assert_same(lambda a: sg.tril(a, offset), lambda a: np.tril(a, offset), matrix)
        assert_same(lambda a: sg.triu(a, offset), lambda a: np.triu(a, offset), matrix)
    for size in (3, 1, 0):
        assert_same(lambda a: sg.diag(a, offset), lambda a: np.diag(a, offset), arrays_of((size,)))
    batch = arrays_of((4, 3, 3))
    assert_same(lambda a: sg.tril(a, offset), lambda a: np.tril(a, offset), batch)
    assert_same(
        lambda a: sg.trace(a, offset, 1, 2),
        lambda a: np.trace(a, offset, 1, 2),
        batch,
        both=abs(offset) < 3,
    )
    assert_same(
        lambda a: sg.diagonal(a, offset, 2, 1),
        lambda a: np.diagonal(a, offset, 2, 1),
        batch,
        both=abs(offset) < 3,
    )
