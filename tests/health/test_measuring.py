"""Predicted against measured: the emitted code's gradients at wide layers.

Tolerance. A layer of width w multiplies a gradient's second moment by a sum of w independent
products: its relative variance is c/w with c <= 5 (relu: E[x^4]/E[x^2]^2 - 1 of a gated normal
weight; less for smooth activations). Over L layers and k draws a root mean square is off by
sqrt(5 L / (w k)) / 2 in the standard deviation; four of these are allowed, and 2% for what a
finite width does to the mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import sympy

import symgrad as sg
from symgrad import nn
from symgrad.errors import DefinitionError
from symgrad.health import Comparison, health
from symgrad.measuring import measure
from symgrad.model.model_file import load_model
from tests.health.nets import deep, residual
from tests.model.layer_catalogue import ACTIVATIONS

F = nn.functional
WIDTH, SEEDS = 512, range(4)


def allowed(depth: int, width: int = WIDTH, draws: int = len(SEEDS)) -> float:
    return 4 * math.sqrt(5 * depth / (width * draws)) / 2 + 0.02


def assert_close(comparison: Comparison, width: int = WIDTH, draws: int = len(SEEDS)) -> None:
    depth = len(comparison.rows)
    for i, row in enumerate(comparison.rows):
        assert row.predicted_gradient is not None and row.predicted_signal is not None
        back = allowed(depth - i, width, draws)
        ahead = allowed(i + 1, width, draws) + 4 / math.sqrt(2 * 10 * 16 * draws) * (i == depth - 1)
        assert row.measured_gradient == pytest.approx(row.predicted_gradient, rel=back), row
        assert row.measured_signal == pytest.approx(row.predicted_signal, rel=ahead), row


def own(x: Any) -> Any:
    """An activation that no library has."""
    return x * sg.exp(-(x**2) / 4) + 0.3 * sg.sin(2 * x)


NETS: dict[str, Callable[[], sg.Model]] = {
    "relu, He": lambda: deep(F.relu, 12, WIDTH, sg.he_normal()),
    "relu, PyTorch": lambda: deep(F.relu, 12, WIDTH),
    "tanh, PyTorch": lambda: deep(F.tanh, 12, WIDTH),
    "tanh, 1/fan": lambda: deep(F.tanh, 12, WIDTH, sg.init.normal(0, WIDTH**-0.5)),
    "sigmoid, PyTorch": lambda: deep(F.sigmoid, 12, WIDTH),
    "gelu, PyTorch": lambda: deep(F.gelu, 12, WIDTH),
    "a user's own": lambda: deep(own, 12, WIDTH, sg.init.normal(0, 1.2 * WIDTH**-0.5)),
    "dropout": lambda: deep(F.tanh, 6, WIDTH, sg.he_normal(), nn.Dropout(0.3)),
    "residual": lambda: residual(F.relu, 8, WIDTH, sg.he_normal()),
}


@pytest.mark.parametrize("name", NETS)
def test_predictions_hold_in_wide_nets(name: str) -> None:
    assert_close(measure(NETS[name](), {"n": 16}, SEEDS))


@pytest.mark.slow
@pytest.mark.parametrize("activation", [F.relu, F.tanh], ids=["relu", "tanh"])
def test_fifty_layers(activation: Callable[[Any], Any]) -> None:
    init = sg.init.normal(0, sympy.sqrt(2 if activation is F.relu else 1) / sympy.sqrt(1000))
    comparison = measure(deep(activation, 50, 1000, init), {"n": 8}, range(3))
    assert_close(comparison, 1000, 3)


def test_convolutions() -> None:
    """Smaller: a tenth is allowed, since neighbouring entries see the same weights."""
    n = sg.dim("n")
    x, y = sg.input("x", (n, 8, 10, 10)), sg.input("y", (n,), dtype="int")
    h, init = x, sg.init.normal(0, sympy.sqrt(sympy.Rational(2, 9 * 64)))
    for k in range(3):
        h = F.relu(
            nn.Conv2d(8 if k == 0 else 64, 64, 3, padding=k % 2, name=f"c{k}", weight_init=init)(h)
        )
    logits = nn.Linear(64 * 36, 10, name="out")(sg.reshape(h, (n, 64 * 36)))
    comparison = measure(sg.Model("conv", loss=F.cross_entropy(logits, y)), {"n": 4}, range(5))
    for row in comparison.rows:
        assert row.measured_gradient == pytest.approx(row.predicted_gradient, rel=0.1)


def test_a_wrong_prediction_is_seen() -> None:
    """The same comparison fails for the prediction of another activation."""
    wrong = health(deep(F.gelu, 12, WIDTH))
    with pytest.raises(AssertionError):
        assert_close(measure(deep(F.tanh, 12, WIDTH), {"n": 16}, SEEDS, wrong))


def test_what_is_not_predicted_is_still_measured() -> None:
    comparison = measure(load_model("examples/digits_cnn.py"), {"n": 4}, range(2))
    first, *_, last = comparison.rows
    assert first.predicted_gradient is None and first.measured_gradient > 0
    assert last.measured_gradient == 1
    assert first.lowest_gradient <= first.measured_gradient <= first.highest_gradient


def test_a_model_without_a_loss_has_no_gradient() -> None:
    x = sg.input("x", (sg.dim("n"), 4))
    model = sg.Model("plain", outputs={"y": nn.Linear(4, 2, name="l")(x)})
    assert health(model).layers[0].second_moment is not None
    with pytest.raises(DefinitionError, match="no loss"):
        measure(model)


def plain_activations() -> list[Any]:
    """Those of the layers' catalogue that are elementwise and hold no parameters."""
    others = ("PReLU", "RReLU", "Softmax", "LogSoftmax", "Softmin", "Softmax2d", "GLU")
    return [
        pytest.param(getattr(nn, entry.name)(**options), id=f"{entry.name}-{i}")
        for entry in ACTIVATIONS
        if entry.name not in others
        for i, options in enumerate(entry.constructions)
    ]


@pytest.mark.parametrize("activation", plain_activations())
def test_every_activation_is_predicted(activation: Any) -> None:
    model = deep(activation, 3, 128, sg.he_normal())
    found = health(model)
    assert all(layer.reason is None for layer in found.layers)
    comparison = measure(model, {"n": 16}, SEEDS, found)
    if not found.notes:  # where the signal is not steady, this width strays, and a note says so
        assert_close(comparison, 128)
