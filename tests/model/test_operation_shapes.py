"""Operations that move entries give what NumPy gives."""

# ruff: noqa: B023 - each lambda is called within its turn of the loop

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_reference import arrays_of, assert_same

import symgrad as sg


def test_shapes() -> None:
    arrays = arrays_of((2, 3, 4))
    for build in (
        lambda a, m: m.reshape(a, (6, 4)),
        lambda a, m: m.reshape(a, -1),
        lambda a, m: m.reshape(a, (2, -1, 2)),
        lambda a, m: m.ravel(a),
        lambda a, m: m.transpose(a),
        lambda a, m: m.transpose(a, (2, 0, -2)),
        lambda a, m: m.permute_dims(a, (1, 0, 2)),
        lambda a, m: a.T,
        lambda a, m: m.swapaxes(a, 0, -1),
        lambda a, m: m.moveaxis(a, 0, -1),
        lambda a, m: m.moveaxis(a, (0, 1), (2, 0)),
        lambda a, m: m.expand_dims(a, (0, -1)),
        lambda a, m: m.expand_dims(a, 1),
        lambda a, m: m.squeeze(m.expand_dims(a, (1, 3))),
        lambda a, m: m.squeeze(m.expand_dims(a, (1, 3)), 3),
        lambda a, m: m.broadcast_to(a, (5, 2, 3, 4)),
        lambda a, m: m.flip(a),
        lambda a, m: m.flip(a, (0, -1)),
        lambda a, m: m.tile(a, 2),
        lambda a, m: m.tile(a, (2, 1, 3)),
        lambda a, m: m.tile(a, (2, 3, 1, 1)),
        lambda a, m: m.repeat(a, 3),
        lambda a, m: m.repeat(a, 2, axis=1),
        lambda a, m: m.repeat(a, 0, axis=1),
        lambda a, m: m.roll(a, 3),
        lambda a, m: m.roll(a, (1, -7), (0, 2)),
        lambda a, m: m.roll(a, 1, (0, 1)),
    ):
        assert_same(lambda a: build(a, sg), lambda a: build(a, np), arrays, both=False)


def test_shapes_of_symbolic_sizes() -> None:
    for build in (
        lambda a, m: m.reshape(a, -1),
        lambda a, m: m.reshape(a, (-1, a.shape[2])),
        lambda a, m: m.flip(a, 1),
        lambda a, m: m.roll(a, 5, 0),
        lambda a, m: m.roll(a, -1, (0, 2)),
        lambda a, m: m.roll(a, 30),
        lambda a, m: m.tile(a, (2, 3)),
        lambda a, m: m.repeat(a, 2, 0),
        lambda a, m: m.split(m.repeat(a, 2, 1), 2, 1)[1],
        lambda a, m: m.stack([a, a], -1),
        lambda a, m: m.concat([a, a, a], 1),
        lambda a, m: m.pad(a, 1),
    ):
        for shape in ((2, 3, 4), (3, 5, 2)):
            assert_same(lambda a: build(a, sg), lambda a: build(a, np), arrays_of(shape))


def test_joining() -> None:
    arrays = arrays_of((2, 3), (2, 4), (2, 0))
    assert_same(lambda *a: sg.concat(a, axis=1), lambda *a: np.concat(a, axis=1), arrays)
    assert_same(lambda *a: sg.concatenate(a, -1), lambda *a: np.concatenate(a, -1), arrays)
    assert_same(lambda *a: sg.concat(a, None), lambda *a: np.concat(a, None), arrays)
    mixed = [*arrays_of((2, 3)), *arrays_of((4, 3), whole=True)]
    assert_same(lambda *a: sg.concat(a), lambda *a: np.concat(a), mixed)
    for axis in (0, 1, -1):
        assert_same(
            lambda *a: sg.stack(a, axis), lambda *a: np.stack(a, axis), arrays_of((2, 3), (2, 3))
        )
    for parts, axis in ((2, 0), (3, 1), ([1, 4], 1), ([], 0), ([2, 2, 9], 1), ([-1], 1)):
        assert_same(
            lambda a: sg.split(a, parts, axis),
            lambda a: np.split(a, parts, axis),
            arrays_of((4, 6)),
            both=False,
        )


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize(
    "width", [0, 1, (2, 0), ((1, 2), (0, 3)), ((7, 9), (4, 5)), {-1: (1, 2)}], ids=str
)
def test_pad(mode: str, width: Any) -> None:
    for shape in [(2, 3), (1, 4), (3, 1)]:
        for whole in (False, True):
            assert_same(
                lambda a: sg.pad(a, width, mode),
                lambda a: np.pad(a, width, mode),
                arrays_of(shape, whole=whole),
            )


def test_pad_with_values() -> None:
    for values in (5, (1, 2.5), ((1, 2), (3, 4)), 0):
        assert_same(
            lambda a: sg.pad(a, ((1, 2), (0, 3)), constant_values=values),
            lambda a: np.pad(a, ((1, 2), (0, 3)), constant_values=values),
            arrays_of((2, 3)),
        )
    assert_same(
        lambda a: sg.pad(a, 2, constant_values=7),
        lambda a: np.pad(a, 2, constant_values=7),
        arrays_of((3,), whole=True),
    )
    assert_same(lambda a: sg.pad(a, 2), lambda a: np.pad(a, 2), arrays_of((0,)))


def test_indexing() -> None:
    indices = np.array([[0, 2], [1, -1]])
    for build in (
        lambda a: a[1],
        lambda a: a[-1, 2],
        lambda a: a[0, 1, 2],
        lambda a: a[...],
        lambda a: a[:, 1:],
        lambda a: a[::-1],
        lambda a: a[1:0:-1, ..., ::2],
        lambda a: a[..., None],
        lambda a: a[None, :, 0],
        lambda a: a[:, -2:],
        lambda a: a[5:],
        lambda a: a[-1::-1, 1],
        lambda a: a[:, indices],
        lambda a: a[:, :, [0, 0, 3]],
        lambda a: a[1, [0, 2]],
        lambda a: a[1, :, [0, 2]],
        lambda a: a[[0, 1], :, 2],
        lambda a: a[..., 1, [0, 2]],
        lambda a: a[indices[:, 0] % 2, 1, None],
        lambda a: a[()],
        lambda a: a[0, None, [1, 1]],
    ):
        assert_same(build, build, arrays_of((2, 3, 4)), both=False)


def test_indexing_of_symbolic_sizes() -> None:
    for build in (
        lambda a: a[0],
        lambda a: a[-1],
        lambda a: a[1:],
        lambda a: a[:-1],
        lambda a: a[1:-1, 0],
        lambda a: a[::-1],
        lambda a: a[::2],
        lambda a: a[1::2, ::-1],
        lambda a: a[1:3],
        lambda a: a[-2:],
        lambda a: a[3:0:-1],
        lambda a: a[::-2],
        lambda a: a[..., None, 1],
        lambda a: a[1:] - a[:-1],
        lambda a: a[:, [0, 1]],
    ):
        for shape in ((4, 3), (5, 2)):
            assert_same(build, build, arrays_of(shape))


def test_take() -> None:
    indices = np.array([[0, 2], [1, -1]])
    a = arrays_of((3, 4))
    for axis in (None, 0, -1):
        assert_same(lambda a: sg.take(a, indices, axis), lambda a: np.take(a, indices, axis), a)
        assert_same(lambda a: sg.take(a, 1, axis), lambda a: np.take(a, 1, axis), a)
        given = [*a, np.array([2, 0])]
        assert_same(lambda a, i: sg.take(a, i, axis), lambda a, i: np.take(a, i, axis), given)


def test_take_along_axis() -> None:
    a = np.random.default_rng(0).normal(size=(3, 4))
    for axis, shape in (
        (0, (2, 4)),
        (1, (3, 1)),
        (-1, (3, 5)),
        (1, (1, 2)),
        (0, (2, 1)),
        (None, (5,)),
    ):
        indices = np.random.default_rng(1).integers(0, 3, shape)
        assert_same(
            lambda a, i: sg.take_along_axis(a, i, axis),
            lambda a, i: np.take_along_axis(a, i, axis),
            [a, indices],
        )
