"""Health of models: recursions of the literature, what is not followed, symbols, verdicts."""

from __future__ import annotations

from itertools import pairwise

import pytest
import sympy
from sympy import Rational

import symgrad as sg
from symgrad import nn
from symgrad.errors import DefinitionError
from symgrad.health import health, moments
from tests.health.nets import deep, residual

F = nn.functional
n = sg.dim("n")


def test_he_initialisation_keeps_relu_exactly() -> None:
    found = health(deep(F.relu, 30, 64, sg.he_normal()))
    inner = found.layers[1:-1]
    assert {layer.backward_factor for layer in inner} == {1}
    assert {layer.gradient for layer in found.layers[:-1]} == {Rational(10, 64) / 6 * 1}
    assert all(layer.weight_variance == Rational(2, 64) for layer in inner)
    assert found.verdict == "healthy"


def test_the_recursion_of_poole_et_al() -> None:
    """q' = sigma_w^2 E[f(z)^2] + sigma_b^2, layer after layer, for a formula of the user's own."""
    own = "z * sigmoid(1.5 * z)"
    found = health(deep(lambda x: x * sg.sigmoid(1.5 * x), 8, 96, sg.init.normal(0, 0.15)))
    q = 96 * 0.15**2 + 1 / (3 * 96)
    for before, layer in pairwise(found.layers):
        assert float(before.second_moment) == pytest.approx(q, rel=1e-9)
        assert layer.activation == "z * sigmoid(3 * z / 2)"
        variance = float(layer.weight_variance)
        kept = variance * layer.fan_out * float(moments(own).slope_square.at(q))
        assert float(layer.backward_factor) == pytest.approx(float(kept), rel=1e-9)
        q = 96 * variance * float(moments(own).square.at(q)) + 1 / (3 * 96)


def test_sigmoid_vanishes_and_large_weights_explode() -> None:
    sigmoid = health(deep(F.sigmoid, 12, 64))
    assert (sigmoid.verdict, sigmoid.vanishes_at) == ("vanishing", "l8")
    assert sigmoid.depth_scale < 1
    assert "4 layers back, at l8" in sigmoid.summary()
    large = health(deep(F.relu, 12, 64, sg.init.normal(0, 1)))
    assert large.verdict == "exploding"
    assert large.explodes_at is not None and large.vanishes_at is None


def test_weights_kept_by_keep_the_gradient() -> None:
    found = health(deep(F.tanh, 3, 64))
    layer = found.layers[2]
    again = health(deep(F.tanh, 3, 64, sg.init.normal(0, sympy.sqrt(layer.kept_by))))
    # the variance of the signal is another one then, so that only the first order agrees
    assert float(layer.backward_factor) < 0.4 < 0.6 < float(again.layers[2].backward_factor) < 1


def test_a_batch_size_stays_a_symbol_and_cancels() -> None:
    found = health(deep(F.relu, 2, 16))
    assert all(not layer.gradient.free_symbols for layer in found.layers)


def test_symbolic_widths_stay_in_the_answer() -> None:
    d, h = sg.dim("d"), sg.dim("h")
    x, t = sg.input("x", (n, d)), sg.input("t", (n, h))
    w1 = sg.parameter("w1", (d, h), init=sg.init.normal(0, 1 / sympy.sqrt(d)))
    w2 = sg.parameter("w2", (h, h), init=sg.init.normal(0, sympy.sqrt(2 / h)))
    model = sg.Model("symbols", loss=sg.mean((sg.maximum(x @ w1, 0) @ w2 - t) ** 2))
    found = health(model)
    assert [layer.second_moment for layer in found.layers] == [1, 1]
    assert found.layers[0].gradient == 1
    assert found.layers[1].fan_in == h
    assert health(model, {"h": 7}).layers[1].fan_in == 7
    with pytest.raises(DefinitionError, match="no dimension 'k'"):
        health(model, {"k": 3})


def test_residual_sums_add() -> None:
    """h + W relu(h) with He's weights: the second moment doubles, and so does the gradient."""
    found = health(residual(F.relu, 6, 64, sg.he_normal()))
    gradients = [layer.gradient for layer in found.layers[:-1]]
    assert [a / b for a, b in pairwise(gradients)] == [2] * 5


def test_dropout_scales_by_its_rate() -> None:
    found = health(deep(F.relu, 3, 64, sg.he_normal(), nn.Dropout(0.2)))
    assert float(found.layers[1].backward_factor) == pytest.approx(1 / 0.8)
    assert "keep" in found.layers[1].activation


def test_gated_units_are_products_of_independent_signals() -> None:
    x, y = sg.input("x", (n, 64)), sg.input("y", (n,), dtype="int")
    a, b = (
        nn.Linear(64, 64, bias=False, name=k, weight_init=sg.init.normal(0, 1 / 8))(x) for k in "ab"
    )
    logits = nn.Linear(64, 10, name="out")(a * sg.sigmoid(b))
    found = health(sg.Model("glu", loss=F.cross_entropy(logits, y)))
    gate = moments(F.sigmoid)
    at_a, at_b, _ = (layer.gradient for layer in found.layers)
    assert float(at_a / at_b) == pytest.approx(float(gate.square.at(1) / gate.slope_square.at(1)))


def test_convolutions_count_their_windows() -> None:
    x, y = sg.input("x", (n, 3, 12, 12)), sg.input("y", (n,), dtype="int")
    init = sg.he_normal(fan_in=27)
    h = F.relu(nn.Conv2d(3, 8, 3, name="c1", weight_init=init)(x))
    h = F.relu(nn.Conv2d(8, 16, 3, name="c2", weight_init=sg.he_normal(), stride=2)(h))
    logits = nn.Linear(16 * 4 * 4, 10, name="out")(sg.reshape(h, (n, 256)))
    first, second, _ = health(sg.Model("conv", loss=F.cross_entropy(logits, y))).layers
    assert (first.fan_in, second.fan_in, second.fan_out) == (27, 72, 16)
    # 16 places of 9 entries, on a field of 10 x 10
    assert second.backward_factor == 16 * Rational(2, 72) / 2 * Rational(16 * 9, 100)


def test_padding_thins_the_signal() -> None:
    x, y = sg.input("x", (n, 3, 6, 6)), sg.input("y", (n,), dtype="int")
    h = nn.Conv2d(3, 8, 3, padding=1, name="c1", bias=False, weight_init=sg.init.normal(0, 1))(x)
    logits = nn.Linear(288, 10, name="out")(sg.reshape(h, (n, 288)))
    layer = health(sg.Model("padded", loss=F.cross_entropy(logits, y))).layers[0]
    # along each axis 16 of the 18 places in windows hold an entry
    assert layer.second_moment == 27 * Rational(16, 18) ** 2


@pytest.mark.parametrize(
    ("between", "word"),
    [
        (lambda h: nn.LayerNorm(16)(h), "adds up entries"),
        (lambda h: F.softmax(h, -1), "exponentials"),
        (lambda h: h * h.T if False else sg.max(h, 1, keepdims=True) + h, "maximum"),
        (lambda h: sg.concatenate([h, h[:, :0]], 1), "joins"),
    ],
)
def test_what_is_not_followed_is_said(between: object, word: str) -> None:
    x, y = sg.input("x", (n, 16)), sg.input("y", (n,), dtype="int")
    h = between(nn.Linear(16, 16, name="first")(x))  # type: ignore[operator]
    logits = nn.Linear(16, 10, name="out")(h)
    found = health(sg.Model("barrier", loss=F.cross_entropy(logits, y)))
    first, last = found.layers
    assert first.gradient is None and first.second_moment is not None
    assert word in first.reason
    assert last.gradient == 1 and last.second_moment is None
    assert found.verdict == "unknown"
    assert len(found.notes) == 1 and "not followed" in found.notes[0]


def test_relu_is_known_behind_what_is_not_followed() -> None:
    """Its factors do not depend on the size of the signal."""
    x, y = sg.input("x", (n, 16)), sg.input("y", (n,), dtype="int")
    h = F.softmax(nn.Linear(16, 16, name="first")(x), -1)
    no_bias = {"bias": False, "weight_init": sg.he_normal()}
    h = F.relu(nn.Linear(16, 16, name="a", **no_bias)(h))
    h = F.relu(nn.Linear(16, 16, name="b", **no_bias)(h))
    logits = nn.Linear(16, 10, name="out", **no_bias)(h)
    _, a, b, out = health(sg.Model("behind", loss=F.cross_entropy(logits, y))).layers
    assert (b.forward_factor, b.backward_factor, a.gradient) == (1, 1, Rational(10, 16))
    assert out.second_moment is None


def test_weights_used_twice_are_told() -> None:
    x, y = sg.input("x", (n, 16)), sg.input("y", (n,), dtype="int")
    same = nn.Linear(16, 16, name="same")
    logits = nn.Linear(16, 10, name="out")(F.tanh(same(F.tanh(same(x)))))
    found = health(sg.Model("tied", loss=F.cross_entropy(logits, y)))
    assert any("same.weight is used more than once" in note for note in found.notes)


def test_weights_of_zero_carry_nothing() -> None:
    x, y = sg.input("x", (n, 16)), sg.input("y", (n,), dtype="int")
    h = F.tanh(nn.Linear(16, 16, name="first")(x))
    logits = nn.Linear(16, 10, name="out", weight_init=sg.zeros)(h)
    found = health(sg.Model("zero", loss=F.cross_entropy(logits, y)))
    assert found.layers[0].gradient == 0
    assert found.verdict == "vanishing"


@pytest.mark.parametrize(
    ("nonlinearity", "rate"), [("tanh", 0.2770), ("relu", 1 / 6)], ids=["tanh", "relu"]
)
def test_a_recurrence_is_followed_to_its_steady_state(nonlinearity: str, rate: float) -> None:
    """tanh: the rate measured in NumPy over 4 draws of width 256 is 0.2770, to a percent."""
    x, y = sg.input("x", (n, 20, 64)), sg.input("y", (n,), dtype="int")
    out, _ = nn.RNN(64, 256, batch_first=True, nonlinearity=nonlinearity)(x)
    logits = nn.Linear(256, 3, name="out")(out[:, -1])
    (steps,) = health(sg.Model("rnn", loss=F.cross_entropy(logits, y))).recurrences
    assert float(steps.step_factor) == pytest.approx(rate, rel=0.01)
    assert (steps.length, steps.verdict) == (20, "vanishing")
    assert steps.activation == f"{nonlinearity}(z)"
    assert "20 steps by" in steps.summary()


def test_a_recurrence_of_several_states_is_not_followed() -> None:
    x, y = sg.input("x", (n, 20, 8)), sg.input("y", (n,), dtype="int")
    out, _ = nn.LSTM(8, 16, batch_first=True)(x)
    logits = nn.Linear(16, 3, name="out")(out[:, -1])
    found = health(sg.Model("lstm", loss=F.cross_entropy(logits, y)))
    assert found.recurrences == ()
    assert any("a recurrence of several states" in note for note in found.notes)


def test_a_signal_that_is_not_steady_is_told() -> None:
    unsteady = health(deep(F.gelu, 20, 64, sg.he_normal()))
    (note,) = unsteady.notes
    assert "not steady" in note and "l0" in note
    assert health(deep(F.tanh, 20, 64)).notes == ()
    assert health(deep(F.relu, 20, 64, sg.he_normal())).notes == ()
