"""Reductions, softmax and norms give what NumPy and SciPy give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_reference import ALL, arrays_of, assert_same, nodes_of, reference_of, value_of

import symgrad as sg
from symgrad.model.operations import OPERATIONS

AXES: list[Any] = [None, 0, -1, 1, (0, 1), (-1, 0), ()]


def _fits(shape: tuple[int, ...], axis: Any) -> bool:
    axes = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
    return all(-len(shape) <= a < len(shape) for a in axes) and len(
        {a % len(shape) for a in axes}
    ) == len(axes)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "max", "min", "prod", "logsumexp"])
def test_reductions(name: str, axis: Any, keepdims: bool) -> None:
    tried = 0
    for shape in ALL:
        if not _fits(shape, axis) or (name in ("max", "min") and 0 in shape):
            continue
        for whole in (False, True):
            assert_same(
                lambda x: OPERATIONS[name](x, axis=axis, keepdims=keepdims),
                lambda x: reference_of(name)(x, axis=axis, keepdims=keepdims),
                arrays_of(shape, whole=whole),
            )
        tried += 1
    assert tried


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("ddof", [1, 2, 0.5, 3])
def test_ddof(name: str, ddof: Any) -> None:
    for shape in [(3,), (2, 3), (1,)]:
        for both in ({"ddof": ddof}, {"correction": ddof}):
            assert_same(
                lambda x, both=both: OPERATIONS[name](x, axis=-1, **both),
                lambda x, both=both: reference_of(name)(x, axis=-1, **both),
                arrays_of(shape),
                both=False,
            )


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_positions(name: str, axis: Any, keepdims: bool) -> None:
    for shape in [(3,), (2, 3), (2, 3, 4)]:
        for whole in (False, True):
            assert_same(
                lambda x: OPERATIONS[name](x, axis=axis, keepdims=keepdims),
                lambda x: reference_of(name)(x, axis=axis, keepdims=keepdims),
                arrays_of(shape, whole=whole),
            )


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_cumsum(axis: Any) -> None:
    for shape in [(3,), (0,), (1,), (2, 3), (2, 0)]:
        assert_same(lambda x: sg.cumsum(x, axis), lambda x: np.cumsum(x, axis), arrays_of(shape))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_softmax(name: str, axis: Any) -> None:
    for shape in [(2, 3), (1, 3), (2, 3, 4)]:
        assert_same(
            lambda x: OPERATIONS[name](x, axis=axis),
            lambda x: reference_of(name)(x, axis=axis),
            [100 * array for array in arrays_of(shape)],
        )


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("ord", [None, 2, 1, 0, 3, 0.5, -1, -2, np.inf, -np.inf])
def test_vector_norms(ord: Any, keepdims: bool) -> None:
    for shape, axis in [((3,), None), ((2, 3), 0), ((2, 3, 4), -1), ((1, 3), 0)]:
        assert_same(
            lambda x, axis=axis: sg.norm(x, ord, axis, keepdims),
            lambda x, axis=axis: np.linalg.norm(x, ord, axis, keepdims),
            arrays_of(shape),
        )


@pytest.mark.parametrize("ord", [None, "fro", 1, -1, np.inf, -np.inf])
def test_matrix_norms(ord: Any) -> None:
    for shape, axis in [((2, 3), None), ((2, 3), (1, 0)), ((2, 3, 4), (0, 2)), ((2, 3, 4), (2, 1))]:
        assert_same(
            lambda x, axis=axis: sg.norm(x, ord, axis),
            lambda x, axis=axis: np.linalg.norm(x, ord, axis),
            arrays_of(shape),
        )
    assert_same(lambda x: sg.norm(x), lambda x: np.linalg.norm(x), arrays_of((2, 3, 4)))


@pytest.mark.parametrize("name", ["sum", "mean", "var", "max", "prod", "cumsum", "argmax"])
def test_reductions_of_conditions(name: str) -> None:
    def build(x: Any) -> Any:
        condition = x > 0
        return (
            OPERATIONS[name](condition) if isinstance(x, sg.Node) else reference_of(name)(condition)
        )

    (x,) = arrays_of((2, 3))
    (node,) = nodes_of([x], symbolic=False)
    np.testing.assert_allclose(value_of(build(node), [x]), build(x))
