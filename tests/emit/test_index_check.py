"""An index out of range is refused in the user's words, and each index is read once."""

from __future__ import annotations

import types

import numpy as np
import pytest

import symgrad as sg

n, t = sg.dim("n"), sg.dim("t")
X = np.random.default_rng(0).normal(size=(2, 3, 4))


def module_of(loss: sg.Node) -> types.ModuleType:
    return sg.compile(sg.Model("net", loss=loss)).load()


def test_a_computed_index_is_told_as_a_formula() -> None:
    x, lengths = sg.input("x", (n, t, 4)), sg.input("lengths", (n,), dtype="int")
    last = sg.broadcast_to((lengths - 1)[:, None, None], (n, 1, 4))
    module = module_of(sg.sum(sg.take_along_axis(x, last, axis=1) ** 2))
    expected = X[0, 0] @ X[0, 0] + X[1, 2] @ X[1, 2]
    np.testing.assert_allclose(module.loss(x=X, lengths=np.array([1, 3])), expected)
    for wrong, got in (([0, 3], "-1 to 2"), ([1, 4], "0 to 3")):
        message = rf"loss: lengths - 1 must hold whole numbers from 0 to 2, got {got}"
        with pytest.raises(IndexError, match=message):
            module.loss(x=X, lengths=np.array(wrong))


def test_an_input_under_another_shape_is_told_by_its_name() -> None:
    table, k = sg.parameter("table", (5, 4)), sg.input("k", (n, t), dtype="int")
    module = module_of(sg.sum(sg.take(table, sg.transpose(k).reshape(-1), axis=0) ** 2))
    params = module.init_params()
    with pytest.raises(IndexError, match=r"loss: k must hold whole numbers from .*, got 0 to 5"):
        module.loss(params, k=np.array([[0, 5]]))


def test_a_long_formula_is_told_by_its_name_in_the_code() -> None:
    x = sg.input("x", (n, 4))
    k = sg.argmax(sg.tanh(x @ sg.eye(4) + 1) * sg.exp(x) - sg.log(1 + x**2), axis=1)
    module = module_of(sg.sum(sg.take(sg.parameter("w", (3, 2)), (k + 3).named("place"), axis=0)))
    with pytest.raises(IndexError, match="loss: place must hold whole numbers"):
        module.loss(module.init_params(), x=X[0])
    computed = sg.argmax(x @ sg.eye(4) * sg.exp(x) - sg.log(1 + x**2) / sg.cosh(3 * x), axis=1)
    module = module_of(sg.sum(sg.take(sg.parameter("w", (1, 2)), computed + 1, axis=0)))
    with pytest.raises(IndexError, match=r"loss: \w+ must hold whole numbers"):
        module.loss(module.init_params(), x=X[0])


def test_a_long_formula_says_which_inputs_it_is_made_of() -> None:
    x, start, k = (sg.input(c, (n,), dtype=d) for c, d in (("x", "float"), ("s", "int"), ("k", "int")))
    place = sg.where(x > 0, start + k, sg.where(x < -1, start * k, sg.maximum(start, k)))
    compiled = sg.compile(sg.Model("net", loss=sg.sum(sg.take(sg.parameter("w", (3,)), place) ** 2)))
    module, ones = compiled.load(), np.ones(2, np.int64)
    message = r"loss: \w+ \(made of s, k\) must hold whole numbers from -3 to 2, got 3 to 3"
    with pytest.raises(IndexError, match=message):
        module.loss(module.init_params(), x=np.ones(2), s=2 * ones, k=ones)
    # so the module's own check knows what to draw
    assert '_INDEX_LIMITS = {\n    "s": 3,\n    "k": 3,\n}' in compiled.source
    assert module.check()


def test_an_entry_of_a_slice_is_one_index() -> None:
    x = sg.input("x", (n, 4, 3))
    value = x[0] * x[n - 1] + x[:1, 1:2, 1][:, 0] + x[::-1][0]
    compiled = sg.compile(sg.Model("net", outputs={"value": value}))
    assert "][0" not in compiled.source.replace("[::-1][0", "")
    cube = np.random.default_rng(1).normal(size=(2, 4, 3))
    expected = cube[0] * cube[-1] + cube[:1, 1:2, 1][:, 0] + cube[::-1][0]
    np.testing.assert_allclose(compiled.load().forward(x=cube), expected, rtol=1e-14)
