"""Methods of tensors are the operations of their names; what is not there says what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.errors import DefinitionError
from symgrad.expr.node import Node
from symgrad.model.operations import OPERATIONS
from symgrad.model.operations.methods import BY_NAME, INSTEAD, WRITTEN_OUT

n = sg.dim("n")
x = sg.input("x", (n, 3))
ARRAY = np.random.default_rng(0).normal(size=(2, 3))

# What NumPy's arrays have as methods, called alike on both.
CALLS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda a: a.sum(axis=0, keepdims=True),
    "mean": lambda a: a.mean(1),
    "max": lambda a: a.max(-1),
    "min": lambda a: a.min(),
    "prod": lambda a: a.prod(0),
    "argmax": lambda a: a.argmax(1),
    "argmin": lambda a: a.argmin(),
    "cumsum": lambda a: a.cumsum(1),
    "squeeze": lambda a: a[:1].squeeze(0),
    "ravel": lambda a: a.ravel(),
    "swapaxes": lambda a: a.swapaxes(0, 1),
    "diagonal": lambda a: a[:2, :2].diagonal(),
    "trace": lambda a: a[:2, :2].trace(),
    "take": lambda a: a.take([2, 0], axis=1),
    "clip": lambda a: a.clip(-0.1, 0.2),
    "dot": lambda a: a.dot(a.T),
    "astype": lambda a: (a > 0).astype("int").astype(float),
    "reshape": lambda a: a.reshape(-1, 1) + a.reshape((-1, 1)),
    "transpose": lambda a: a.transpose() + a.transpose(1, 0) + a.transpose((1, 0)),
}


def value(node: Node) -> Any:
    return evaluate([node], {"x": ARRAY}, {"n": 2})[0]


@pytest.mark.parametrize("name", [*BY_NAME, *WRITTEN_OUT])
def test_a_method_is_numpys(name: str) -> None:
    np.testing.assert_allclose(value(CALLS[name](x)), CALLS[name](ARRAY), rtol=1e-14)


def test_what_means_two_things_is_no_method() -> None:
    with pytest.raises(DefinitionError, match=r"keeps the axes in NumPy.*PyTorch"):
        x.transpose(0, 1)
    for name in ("std", "var", "repeat"):
        with pytest.raises(AttributeError, match=rf"no '{name}'; write sg\.{name}\(x.*PyTorch"):
            getattr(x, name)


def test_every_advice_names_what_is_there() -> None:
    for name, text in INSTEAD.items():
        assert not hasattr(Node, name), name
        with pytest.raises(AttributeError, match=f"a tensor expression has no '{name}'; "):
            getattr(x, name)
        for written in text.split("sg.")[1:]:
            assert hasattr(sg, written.partition(" ")[0].partition("(")[0]), text
        for written in text.split("x.")[1:]:
            assert hasattr(x, written.partition("(")[0]) or written.startswith("T"), text


def test_functions_that_are_no_methods_are_named() -> None:
    for name, text in (("exp", r"write sg\.exp"), ("gelu", r"write nn\.functional\.gelu")):
        with pytest.raises(AttributeError, match=text):
            getattr(x, name)
    with pytest.raises(AttributeError, match="operations are functions"):
        x.nonsense  # noqa: B018
    assert not hasattr(x, "__len_hint__") and not hasattr(x, "_private")


def test_numpys_operators_ask_the_tensor() -> None:
    row = np.array([1.0, 2.0, 3.0])
    for build in (
        lambda a: row * a,
        lambda a: np.float64(2) ** a,
        lambda a: np.float32(0) < a,
        lambda a: row >= a,
        lambda a: row > a,
        lambda a: row @ a.T,
    ):
        np.testing.assert_allclose(value(build(x)), build(ARRAY), rtol=1e-14)


def test_numpys_functions_are_refused_by_name() -> None:
    for call, name in ((np.sin, "sin"), (np.sum, "sum"), (np.concatenate, "concatenate")):
        with pytest.raises(DefinitionError, match=rf"NumPy's {name} .*\n.*\n.*sg\.{name}"):
            call([x] if name == "concatenate" else x)
    with pytest.raises(DefinitionError, match="NumPy's equal"):
        np.ones(3) == x  # noqa: B015


def test_filled_tensors() -> None:
    k = sg.input("k", (n,), dtype="int")
    for node, kind, expected in (
        (sg.zeros((n, 2)), "float", np.zeros((2, 2))),
        (sg.ones(3), "float", np.ones(3)),
        (sg.full((2,), 7), "int", np.full(2, 7)),
        (sg.full((n,), 0.0), "float", np.full(2, 0.0)),
        (sg.zeros_like(k), "int", np.zeros(2, int)),
        (sg.ones_like(x > 0), "bool", np.ones((2, 3), bool)),
        (sg.full_like(x, 3), "float", np.full((2, 3), 3.0)),
        (sg.arange(n), "int", np.arange(2)),
        (sg.astype(np.array([True, False]), "float"), "float", np.array([1.0, 0.0])),
        (sg.astype(np.array([0.5, 0.0]), bool), "bool", np.array([True, False])),
        (sg.where(np.array([True, False, True]), x, 0.0), "float", ARRAY * [1, 0, 1]),
        (sg.broadcast_to(0.0, (n, 4)), "float", np.zeros((2, 4))),
        (sg.concat([np.zeros(2), [1.5]]), "float", np.array([0, 0, 1.5])),
    ):
        assert node.dtype == kind
        np.testing.assert_array_equal(value(node), expected)
    for wrong in (
        lambda: sg.astype(x, int),
        lambda: sg.astype(x, np.float32),
        lambda: sg.full_like(k, 0.5),
        lambda: sg.zeros_like(x, dtype=int),
    ):
        with pytest.raises(sg.SymgradError, match=r"\n  fix"):
            wrong()
    assert set(BY_NAME) | set(WRITTEN_OUT) <= set(OPERATIONS)
