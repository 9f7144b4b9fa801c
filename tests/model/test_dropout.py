"""Dropout and RReLU: PyTorch's formulas for the mask that was drawn, and the law of the mask."""

from __future__ import annotations

import inspect
import re
import types
from typing import Any

import numpy as np
import pytest
from numpy_evaluator import evaluate
from trained_layer_catalogue import DROPOUTS, TrainedEntry

import symgrad as sg
from symgrad import nn
from symgrad.errors import SymgradError
from symgrad.expr.node import Node

torch = pytest.importorskip("torch")
rng = np.random.default_rng(23)

CASES = [
    pytest.param(entry, construction, id=f"{entry.name}-{k}")
    for entry in DROPOUTS
    for k, construction in enumerate(entry.constructions)
]
ALPHA = 1.7580993408473766


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected.detach(), rtol=1e-10, atol=1e-12)


def mask_of(made: types.ModuleType, seed: int, dtype: Any = np.float64) -> Any:
    """The numbers that a module draws for its only random tensor, and whether they are kept."""
    ((shape, law),) = made.DRAWS.values()
    chance = float(law.removeprefix("bernoulli(").removesuffix(")"))
    return (np.random.default_rng(seed).random(shape, dtype=dtype) < chance).astype(dtype)


def expected_of(name: str, x: Any, keep: Any, p: float) -> Any:
    """PyTorch's own lines, with the mask given (aten/src/ATen/native/Dropout.cpp)."""
    if "Alpha" not in name:
        return x * (keep / (1 - p))
    a = 1 / ((ALPHA**2 * p + 1) * (1 - p)) ** 0.5
    return x * (keep * a) + ((keep - 1) * (ALPHA * a) + ALPHA * a * p)


@pytest.mark.filterwarnings("ignore:dropout2d. Received a 3D input:UserWarning")  # of PyTorch
@pytest.mark.parametrize("entry, construction", CASES)
def test_training_with_the_same_mask(entry: TrainedEntry, construction: dict[str, Any]) -> None:
    """Values, gradients and second derivatives; the masks have the shapes of PyTorch's."""
    for (x,) in entry.data:
        compare(entry.name, construction, x)


def compare(name: str, construction: dict[str, Any], array: Any) -> None:
    p = float(construction.get("p", 0.5))
    is_random = 0 < p < 1
    x, c = sg.parameter("x", array.shape), sg.input("c", array.shape)
    y = getattr(nn, name)(**construction)(x)
    model = sg.Model("m", loss=sg.sum(c * y**3) + 0 * sg.sum(x), outputs={"y": y})
    made = sg.compile(model, ["forward", "value_and_grad", "hvp"]).load()
    assert hasattr(made, "DRAWS") == is_random
    weights, direction = rng.normal(size=array.shape), rng.normal(size=array.shape)

    def called(function: str, *more: Any) -> Any:
        asked = inspect.signature(getattr(made, function)).parameters
        given = {"c": weights, "rng": np.random.default_rng(4)}
        params = {"x": array}
        return getattr(made, function)(
            params, *more, **{k: v for k, v in given.items() if k in asked}
        )

    x_t = torch.tensor(array, requires_grad=True)
    if is_random:
        keep = mask_of(made, 4)
        assert keep.shape == mask_shape(name, array.shape)
        y_t = expected_of(name, x_t, torch.tensor(keep), p)
    else:
        y_t = getattr(torch.nn, name)(**construction)(x_t * 1)
    loss_t = (torch.tensor(weights) * y_t**3).sum()
    (slope,) = torch.autograd.grad(loss_t, x_t, create_graph=True)
    (product,) = torch.autograd.grad((slope * torch.tensor(direction)).sum(), x_t)
    close(called("forward"), y_t)
    value, grads = called("value_and_grad")
    close(value, loss_t)
    close(grads["x"], slope)
    close(called("hvp", {"x": direction})["x"], product)


def mask_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Entries have masks of their own, or share one with the rest of their channel."""
    if name in ("Dropout", "AlphaDropout"):
        return shape
    spatial = {"Dropout1d": 1, "Dropout3d": 3}.get(name, len(shape) - 2)
    return shape[: len(shape) - spatial] + (1,) * spatial


@pytest.mark.parametrize("entry, construction", CASES)
def test_use_gives_the_input_back(entry: TrainedEntry, construction: dict[str, Any]) -> None:
    x = sg.input("x", entry.data[0][0].shape)
    assert getattr(nn, entry.name)(**construction).eval()(x) is x


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_law_of_the_mask(p: float) -> None:
    """Each entry is kept with probability 1 - p, apart from its neighbours and from other draws."""
    shape = (300, 200)
    x = sg.input("x", shape)
    made = sg.compile(sg.Model("m", outputs={"a": nn.Dropout(p)(x), "b": nn.Dropout(p)(x)})).load()
    ones = np.ones(shape)
    drawn = made.forward(x=ones, rng=np.random.default_rng(0))
    a, b = ((y > 0).astype(float) for y in drawn.values())
    np.testing.assert_allclose(np.unique(drawn["a"]), [0, 1 / (1 - p)])
    spread = (p * (1 - p)) ** 0.5
    for keep in (a, b):
        assert abs(keep.mean() - (1 - p)) < 5 * spread / ones.size**0.5
    centred = a - a.mean()
    for other in (b, np.roll(a, 1, 0), np.roll(a, 1, 1)):
        correlation = (centred * (other - other.mean())).mean() / spread**2
        assert abs(correlation) < 5 / ones.size**0.5
    again = made.forward(x=ones, rng=np.random.default_rng(0))
    others = made.forward(x=ones, rng=np.random.default_rng(1))
    assert all(np.array_equal(drawn[k], again[k]) for k in drawn)
    assert not np.array_equal(drawn["a"], others["a"])


def test_channels_are_dropped_whole() -> None:
    x = sg.input("x", (50, 40, 3, 2))
    made = sg.compile(sg.Model("m", outputs={"y": nn.Dropout2d(0.3)(x)})).load()
    y = made.forward(x=np.ones((50, 40, 3, 2)), rng=np.random.default_rng(0))
    assert np.all((y == 0).all((2, 3)) | (y > 0).all((2, 3)))
    assert abs((y[..., 0, 0] > 0).mean() - 0.7) < 0.05


@pytest.mark.parametrize("name", ["AlphaDropout", "FeatureAlphaDropout"])
@pytest.mark.parametrize("p", [0.05, 0.5])
def test_alpha_dropout_keeps_mean_and_variance(name: str, p: float) -> None:
    x = sg.input("x", (1000, 500))
    made = sg.compile(sg.Model("m", outputs={"y": getattr(nn, name)(p)(x)})).load()
    y = made.forward(x=rng.normal(size=(1000, 500)), rng=np.random.default_rng(0))
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02


def test_rrelu_in_training() -> None:
    """Below 0 the slope is drawn from lower to upper; the same draw serves all derivatives."""
    x = sg.parameter("x", (6, 5))
    y = nn.RReLU(0.1, 0.4)(x)
    made = sg.compile(sg.Model("m", loss=sg.sum(y**3), outputs={"y": y})).load()
    x_ = rng.normal(size=(6, 5))
    drawn = np.random.default_rng(3).random((6, 5))
    slopes = np.where(x_ > 0, 1, 0.1 + 0.3 * drawn)
    y_ = made.forward({"x": x_}, rng=np.random.default_rng(3))
    np.testing.assert_allclose(y_, slopes * x_, rtol=1e-14)
    _, grads = made.value_and_grad({"x": x_}, rng=np.random.default_rng(3))
    np.testing.assert_allclose(grads["x"], 3 * y_**2 * slopes, rtol=1e-13)
    on_the_kink, _ = made.value_and_grad({"x": 0 * x_}, rng=np.random.default_rng(3))
    assert on_the_kink == 0


def test_functional_forms_are_the_layers() -> None:
    x = sg.input("x", (4, 3, 5))
    for name, default in (("dropout", True), ("dropout1d", True), ("dropout2d", True),
                          ("alpha_dropout", False), ("feature_alpha_dropout", False),
                          ("rrelu", False)):  # fmt: skip
        function = getattr(nn.functional, name)
        assert (function(x) is not function(x)) == default, name
        assert function(x, training=True) is not function(x, training=True)
    assert nn.functional.dropout(x, training=False) is x


def test_the_evaluator_reads_a_draw_like_a_leaf() -> None:
    keep = sg.random.bernoulli(0.5, (3,))
    x = sg.input("x", (3,))
    (y,) = evaluate([x * keep], {"x": np.arange(3.0), keep: np.array([1.0, 0.0, 1.0])})
    assert y.tolist() == [0, 0, 2]


RANGE = "the probability p of dropping must be a number from 0 to 1"
WRONG: list[tuple[Any, str]] = [
    (lambda x: nn.Dropout(1.5), f"Dropout: {RANGE}, not 1.5\n  at  {{here}}"),
    (lambda x: nn.functional.dropout(x, -0.1),
     f"dropout: {RANGE}, not -0.1\n  at  {{here}}\n  x   [4, 3]"),
    (lambda x: nn.Dropout1d()(sg.input("z", (4,))),
     "dropout1d: the input must have 2 or 3 axes, not 1\n  at  {here}, layer dropout1d\n  z   [4]"),
    (lambda x: nn.Dropout3d()(x),
     "dropout3d: the input must have 4 or 5 axes, not 2\n  at  {here}, layer dropout3d\n"
     "  x   [4, 3]"),
    (lambda x: nn.FeatureAlphaDropout()(sg.input("z", (4,))),
     "feature_alpha_dropout: the input must be [n, channels, ...]\n"
     "  at  {here}, layer featurealphadropout\n  z   [4]"),
    (lambda x: sg.random.bernoulli(2, (3,)),
     "a probability must be a number from 0 to 1, not 2\n  at  {here}"),
    (lambda x: nn.RReLU(0.5, 0.2)(x),
     "rrelu: lower=0.5 is larger than upper=0.2\n  at  {here}, layer rrelu\n  x   [4, 3]"),
]  # fmt: skip


@pytest.mark.parametrize("define, message", WRONG, ids=[message[:40] for _, message in WRONG])
def test_what_is_refused(define: Any, message: str) -> None:
    x: Node = sg.input("x", (4, 3))
    with pytest.raises(SymgradError) as raised:
        define(x)
    assert re.sub(r"\S+\.py:\d+", "{here}", str(raised.value)) == message
