"""The slopes of emitted code exactly on each kink of the table; PyTorch's at the same points."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest

import symgrad as sg
from symgrad.expr.kinks import KINKS
from symgrad.expr.map import Map

NAMES = "abc"


def of_arity(count):
    return [sg.parameter(name, (sg.dim("n"),)) for name in NAMES[:count]]


def slopes_on(kink, dtype):
    """The emitted slopes at the kink, between two ordinary points."""
    leaves = of_arity(len(kink.point))
    weights = sg.input("weights", (sg.dim("n"),))
    loss = sg.sum(weights * Map(kink.formula, *leaves))
    module = sg.compile(sg.Model("kink", loss=loss, parameters=leaves)).load()
    params = {
        name: np.array([0.7 + 0.1 * i, float(number), -0.4 + 0.2 * i], dtype)
        for i, (name, number) in enumerate(zip(NAMES, kink.point, strict=False))
    }
    inputs = {"weights": np.array([0, 2, 0], dtype)}
    taken = signature(module.value_and_grad).parameters
    _, slopes = module.value_and_grad(params, **{k: v for k, v in inputs.items() if k in taken})
    return [slopes[name][1] / 2 for name in params]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kink", KINKS, ids=lambda k: f"{k.formula} at {k.point}")
def test_emitted_slopes_are_those_of_the_table(kink, dtype):
    got = slopes_on(kink, dtype)
    np.testing.assert_allclose(got, [float(slope) for slope in kink.slopes], rtol=1e-6)


def torch_functions(torch):
    """PyTorch's own function for each formula of the table that it has, by the formula's text."""
    return {
        "relu(_0)": torch.relu,
        "absolute(_0)": torch.abs,
        "sign(_0)": torch.sign,
        "maximum(_0, _1)": torch.maximum,
        "minimum(_0, _1)": torch.minimum,
        "clip(_0, -1, 1)": lambda a: torch.clamp(a, -1, 1),
        "clip(_0, _1, _2)": torch.clamp,
        "power(_0, _1)": torch.pow,
        "floor(_0)": torch.floor,
        "ceil(_0)": torch.ceil,
        "trunc(_0)": torch.trunc,
        "rint(_0)": torch.round,
        "mod(_0, _1)": torch.remainder,
        "fmod(_0, _1)": torch.fmod,
        "where(less(0, _0), _0, 3*_0)": lambda a: torch.where(a > 0, a, 3 * a),
        "sine_quotient(_0, 0)": lambda a: torch.sinc(a / torch.pi),
    }


# Where the table says why it does not follow PyTorch, or where PyTorch has no such derivative.
ON_OUR_OWN = {"fmax", "fmin", "hypot", "root", "raised", "floor_divide", "heaviside", "less"}


def test_every_kink_is_compared_or_excused():
    torch = pytest.importorskip("torch")
    known = torch_functions(torch)
    for kink in KINKS:
        name = type(kink.formula).__name__
        assert (str(kink.formula) in known) != (name in ON_OUR_OWN), kink.formula


@pytest.mark.parametrize(
    "kink",
    [kink for kink in KINKS if type(kink.formula).__name__ not in ON_OUR_OWN],
    ids=lambda k: f"{k.formula} at {k.point}",
)
def test_pytorch_says_the_same(kink):
    torch = pytest.importorskip("torch")
    function = torch_functions(torch)[str(kink.formula)]
    at = [torch.tensor(float(x), dtype=torch.float64, requires_grad=True) for x in kink.point]
    theirs = torch.autograd.grad(function(*at), at, allow_unused=True)
    numbers = [0.0 if slope is None else slope.item() for slope in theirs]
    np.testing.assert_allclose(slopes_on(kink, np.float64), numbers, rtol=1e-12)


AXIS_TEXTS = {
    "max(x, axis=1)": lambda x: x.max(dim=1).values,
    "min(x, axis=1)": lambda x: x.min(dim=1).values,
}


@pytest.mark.parametrize("text", AXIS_TEXTS)
def test_along_an_axis_the_first_of_equals_takes_all(text):
    x = np.array([[1.0, 3.0, 3.0, 1.0], [2.0, 2.0, 2.0, 2.0], [0.0, -0.0, -1.0, -1.0]])
    value = sg.formula(text, shapes={"x": "n m"}, parameters=["x"])
    weights = sg.input("weights", value.shape)
    module = sg.compile(sg.Model("extremes", loss=sg.sum(weights * value))).load()
    scale = np.array([2.0, -1.0, 0.5])
    _, slopes = module.value_and_grad({"x": x}, weights=scale)
    pick = np.argmax if "max" in text else np.argmin
    expected = np.zeros_like(x)
    expected[np.arange(3), pick(x, axis=1)] = scale
    np.testing.assert_array_equal(slopes["x"], expected)
    torch = pytest.importorskip("torch")
    theirs = torch.tensor(x, requires_grad=True)
    (AXIS_TEXTS[text](theirs) * torch.tensor(scale)).sum().backward()
    np.testing.assert_array_equal(slopes["x"], theirs.grad.numpy())


@pytest.mark.parametrize("text", ["norm(x)", "sum(hypot(x, 0*x))", "sum(abs(x))"])
def test_a_norm_at_the_origin_has_slope_zero(text):
    loss = sg.formula(text, shapes={"x": "n"}, parameters=["x"])
    module = sg.compile(sg.Model("norm", loss=loss)).load()
    _, slopes = module.value_and_grad({"x": np.zeros(3)})
    np.testing.assert_array_equal(slopes["x"], np.zeros(3))
