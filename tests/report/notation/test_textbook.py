"""The classics come out as textbooks print them, from the derivation itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import symgrad as sg
from symgrad import nn
from symgrad.expr.leaf import Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.report.notation import Partial, equations_of, symbol, text

n, d, k, T, B = map(sg.dim, ["n", "d", "k", "T", "B"])
functional = nn.functional


def _linear_regression() -> Node:
    x, y, w = sg.input("X", (n, d)), sg.input("y", (n,)), sg.parameter("w", (d,))
    return sg.mean((x @ w - y) ** 2)


def _logistic_regression() -> Node:
    x, y, w = sg.input("X", (n, d)), sg.input("y", (n,)), sg.parameter("w", (d,))
    return functional.binary_cross_entropy_with_logits(x @ w, y)


def _softmax_regression() -> Node:
    x, y = sg.input("X", (n, d)), sg.input("y", (n,), dtype="int")
    return functional.cross_entropy(x @ sg.parameter("W", (d, 4)), y)


def _two_layers() -> Node:
    x, y = sg.input("X", (n, d)), sg.input("Y", (n, k))
    hidden = sg.tanh(x @ sg.parameter("W_1", (d, 4)))
    return sg.sum((hidden @ sg.parameter("W_2", (4, k)) - y) ** 2) / 2


def _log_determinant() -> Node:
    return sg.linalg.slogdet(sg.parameter("A", (4, 4)))[1]


def _principal_components() -> Node:
    s, v = sg.input("S", (d, d)), sg.parameter("V", (d, k))
    return -sg.trace(v.T @ s @ v)


def _quadratic_form() -> Node:
    u = sg.parameter("u", (d,))
    return u @ sg.input("M", (d, d)) @ u


def _attention() -> Node:
    q, key, v = (sg.parameter(name, (B, T, d)) for name in "QKV")
    weights = sg.softmax(q @ sg.swapaxes(key, 1, 2) / 2.0, axis=2)
    return sg.sum((weights @ v) ** 2) / 2


def _embedding() -> Node:
    table, labels = sg.parameter("E", (10, d)), sg.input("y", (n,), dtype="int")
    return sg.sum(sg.take(table, labels, axis=0) ** 2) / 2


FORMS: dict[Callable[[], Node], dict[str, str]] = {
    _linear_regression: {"loss": "L = ‖X w - y‖²/n", "w": "∂L/∂w = 2 Xᵀ (X w - y)/n"},
    _logistic_regression: {"w": "∂L/∂w = Xᵀ (σ(X w) - y)/n"},
    _softmax_regression: {"W": "∂L/∂W = Xᵀ (softmax(X W) - onehot(y))/n"},
    _two_layers: {
        "loss": "L = ‖tanh(X W_1) W_2 - Y‖²/2",
        "W_2": "∂L/∂W_2 = tanh(X W_1)ᵀ (tanh(X W_1) W_2 - Y)",
        "W_1": "∂L/∂W_1 = Xᵀ (((tanh(X W_1) W_2 - Y) W_2ᵀ) ⊙ (1 - tanh(X W_1)^⊙2))",
    },
    _log_determinant: {"loss": "L = log|det(A)|", "A": "∂L/∂A = A⁻ᵀ"},
    _principal_components: {"loss": "L = -tr(Vᵀ S V)", "V": "∂L/∂V = -Sᵀ V - S V"},
    _quadratic_form: {"loss": "L = uᵀ M u", "u": "∂L/∂u = Mᵀ u + M u"},
    _attention: {
        "loss": "L = (1/2) Σ_b ‖softmax(Q[b] K[b]ᵀ/2) V[b]‖²",
        "V": "∂L/∂V[b] = softmax(Q[b] K[b]ᵀ/2)ᵀ softmax(Q[b] K[b]ᵀ/2) V[b]",
    },
    _embedding: {"loss": "L = ‖onehot(y) E‖²/2", "E": "∂L/∂E = onehot(y)ᵀ onehot(y) E"},
}


@pytest.mark.parametrize("build", FORMS, ids=lambda build: build.__name__.strip("_"))
def test_in_matrices(build: Callable[[], Node]) -> None:
    model = sg.Model(build.__name__.strip("_"), loss=build())
    (derived,) = [f for f in sg.compile(model).derived if f.name == "value_and_grad"]
    outputs = derived.paper.outputs
    leaves = {x: symbol(x.name) for x in postorder(outputs.values()) if isinstance(x, Named)}
    for key, expected in FORMS[build].items():
        name = symbol("L") if key == "loss" else Partial(symbol(key))
        found = equations_of(outputs[key], {**leaves, outputs[key]: name}.get)
        assert found.matrix is not None
        assert text(found.matrix) == expected


def test_with_indices() -> None:
    x, g = sg.input("X", (n, d)), sg.input("G", (n, k))
    d_w = x.T @ g / n
    found = equations_of(d_w, {x: symbol("X"), g: symbol("G"), d_w: Partial(symbol("W"))}.get)
    assert text(found.indices) == "∂L/∂W[i, j] = (1/n) Σ_l X[l, i] G[l, j]"
    assert found.ranges_text() == "0 ≤ i < d, 0 ≤ j < k, 0 ≤ l < n"


def test_the_hessian_of_logistic_regression() -> None:
    (derived,) = sg.compile(sg.Model("logistic", loss=_logistic_regression()), ["hessian"]).derived
    ((_, hessian),) = derived.paper.outputs.items()
    leaves = {x: symbol(x.name) for x in postorder([hessian]) if isinstance(x, Named)}
    found = equations_of(hessian, {**leaves, hessian: symbol("H")}.get)
    assert found.matrix is not None
    assert text(found.matrix) == "H = Xᵀ diag(σ(X w) ⊙ (1 - σ(X w))) X/n"
