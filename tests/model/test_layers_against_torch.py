"""Layers and losses give what PyTorch gives, with its parameter names, shapes and defaults."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad import nn
from symgrad.expr.node import Node

torch = pytest.importorskip("torch")
tnn = torch.nn

KINDS = {"f": "float", "i": "int"}
rng = np.random.default_rng(3)
WIDE = rng.normal(scale=4, size=(5, 3))


def value_of(node: Node, values: dict[str, Any]) -> Any:
    return evaluate([node], values)[0]


def inputs(**arrays: Any) -> list[Node]:
    return [sg.input(name, a.shape, KINDS[a.dtype.kind]) for name, a in arrays.items()]


ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("ReLU", {}),
    ("Tanh", {}),
    ("Sigmoid", {}),
    ("Softplus", {}),
    ("Softplus", {"beta": 2.5}),
    ("Softplus", {"beta": 0.5, "threshold": 1.0}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("SiLU", {}),
    ("Softmax", {"dim": -1}),
    ("Softmax", {"dim": 0}),
    ("LogSoftmax", {"dim": 1}),
    ("Identity", {}),
    ("Flatten", {}),
]
FUNCTIONS = {"SiLU": "silu", "LogSoftmax": "log_softmax"}


@pytest.mark.parametrize("name, arguments", ACTIVATIONS, ids=str)
def test_activations(name: str, arguments: dict[str, Any]) -> None:
    for array in (WIDE, 10 * WIDE, WIDE[:0], rng.normal(size=(2, 3, 4, 2))):
        expected = getattr(tnn, name)(**arguments)(torch.tensor(array)).numpy()
        (x,) = inputs(x=array)
        made = getattr(nn, name)(**arguments)(x)
        np.testing.assert_allclose(value_of(made, {"x": array}), expected, rtol=1e-9, atol=3e-9)
        function = FUNCTIONS.get(name, name.lower())
        if name not in ("Identity", "Flatten"):
            assert getattr(nn.functional, function)(x, **arguments) is made


def test_gelu_is_accurate_where_pytorchs_cancels() -> None:
    (x,) = inputs(x=np.array([-12.0]))
    exact = -12 * 1.776482112077679e-33  # x Phi(x), by mpmath
    assert value_of(nn.GELU()(x), {"x": [-12.0]}) == pytest.approx(exact, rel=1e-12, abs=0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)], ids=str)
def test_linear(bias: bool, shape: tuple[int, ...]) -> None:
    x = rng.normal(size=shape)
    theirs = tnn.Linear(3, 4, bias).double()
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    ours = nn.Linear(3, 4, bias)
    result = ours(*inputs(x=x))
    assert [(p.name, p.shape) for p in ours.parameters()] == [
        (k, v.shape) for k, v in state.items()
    ]
    expected = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(value_of(result, {"x": x, **state}), expected, rtol=1e-12)


def test_names_are_those_of_a_state_dict() -> None:
    def build(m: Any) -> Any:
        class Net(m.Module):
            def __init__(self) -> None:
                super().__init__()
                self.encoder = m.Sequential(m.Linear(3, 4), m.ReLU(), m.Linear(4, 2, bias=False))
                self.head = m.Linear(2, 1)

            def forward(self, x: Any) -> Any:
                return self.head(self.encoder(x))

        return Net()

    theirs = {name: tuple(p.shape) for name, p in build(tnn).state_dict().items()}
    assert {p.name: p.shape for p in build(nn).parameters()} == theirs
    assert list(theirs) == ["encoder.0.weight", "encoder.0.bias", "encoder.2.weight",
                            "head.weight", "head.bias"]  # fmt: skip


LOSSES: list[tuple[str, str, dict[str, Any]]] = [
    ("MSELoss", "mse_loss", {}),
    ("L1Loss", "l1_loss", {}),
    ("HuberLoss", "huber_loss", {}),
    ("HuberLoss", "huber_loss", {"delta": 2.5}),
    ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", {}),
    ("CrossEntropyLoss", "cross_entropy", {}),
    ("CrossEntropyLoss", "cross_entropy", {"label_smoothing": 0.25}),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name, function, arguments", LOSSES, ids=str)
def test_losses_of_two_tensors(
    name: str, function: str, arguments: dict[str, Any], reduction: str
) -> None:
    for shape in ((5, 3), (3,), (2, 3, 4)):
        x, t = rng.normal(scale=3, size=shape), rng.uniform(size=shape)
        t /= t.sum(axis=min(1, len(shape) - 1), keepdims=True)
        expected = getattr(tnn, name)(reduction=reduction, **arguments)(
            torch.tensor(x), torch.tensor(t)
        ).numpy()
        ours = getattr(nn, name)(reduction=reduction, **arguments)(*inputs(x=x, t=t))
        value = value_of(ours, {"x": x, "t": t})
        assert value.shape == expected.shape
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        direct = getattr(nn.functional, function)
        assert direct(*inputs(x=x, t=t), reduction=reduction, **arguments) is ours


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    "name, function, arguments",
    [
        ("CrossEntropyLoss", "cross_entropy", {}),
        ("CrossEntropyLoss", "cross_entropy", {"label_smoothing": 0.1}),
        ("NLLLoss", "nll_loss", {}),
    ],
    ids=str,
)
def test_losses_of_class_indices(
    name: str, function: str, arguments: dict[str, Any], reduction: str
) -> None:
    for shape in ((5, 3), (3,), (2, 3, 4), (2, 3, 4, 2)):
        x = rng.normal(scale=30, size=shape)
        classes = rng.integers(0, 3, (shape[:1] + shape[2:]) if len(shape) > 1 else ())
        expected = getattr(tnn, name)(reduction=reduction, **arguments)(
            torch.tensor(x), torch.tensor(classes)
        ).numpy()
        ours = getattr(nn, name)(reduction=reduction, **arguments)(*inputs(x=x, y=classes))
        value = value_of(ours, {"x": x, "y": classes})
        assert value.shape == expected.shape
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
        direct = getattr(nn.functional, function)
        assert direct(*inputs(x=x, y=classes), reduction=reduction, **arguments) is ours


def test_bce_weights() -> None:
    x, t = rng.normal(scale=30, size=(5, 3)), rng.uniform(size=(5, 3))
    weight, positive = rng.uniform(size=3), rng.uniform(size=3) + 1
    expected = tnn.BCEWithLogitsLoss(torch.tensor(weight), pos_weight=torch.tensor(positive))(
        torch.tensor(x), torch.tensor(t)
    )
    ours = nn.BCEWithLogitsLoss(weight, pos_weight=positive)(*inputs(x=x, t=t))
    np.testing.assert_allclose(value_of(ours, {"x": x, "t": t}), expected.numpy(), rtol=1e-12)


# What we add to PyTorch's arguments: names, and how a layer is initialised.
OURS = {"name", "weight_init", "bias_init"}
WITHOUT_ARGUMENTS = ("Tanh", "Sigmoid", "Identity", "LogSigmoid", "Tanhshrink", "Softsign", "Softmax2d")


@pytest.mark.parametrize("name", sorted(set(nn.__all__) - {"Buffer", "Module", "Parameter", "functional"}))
def test_arguments_are_pytorchs(name: str) -> None:
    if name in (*WITHOUT_ARGUMENTS, "Sequential"):
        return
    theirs = inspect.signature(getattr(tnn, name).__init__).parameters
    ours = inspect.signature(getattr(nn, name).__init__).parameters
    if list(theirs) == ["self", "args", "kwargs"]:
        return  # PyTorch does not tell
    assert [p for p in ours if p not in OURS] == list(theirs)
    for p in theirs:
        default, wanted = ours[p].default, theirs[p].default
        assert default == wanted or default is getattr(nn.functional, wanted.__name__)


# Functions written in C++ whose docstring does not begin with all their arguments.
UNTOLD = {"tanh": ["input"], "sigmoid": ["input"]}


def told_arguments(name: str) -> list[str]:
    """The arguments of PyTorch's function, by its signature or by its docstring's first line."""
    places = ((tnn.functional, f"{name}_with_indices"), (tnn.functional, name), (torch, name))
    function = next(getattr(home, key) for home, key in places if hasattr(home, key))
    try:
        return list(inspect.signature(function).parameters)
    except ValueError:  # written in C++
        pass
    told = re.match(rf"\s*{name}\((.*?)\) *->", function.__doc__ or "", re.DOTALL)
    written = told[1].split(",") if told else []
    names = [argument.split("=")[0].strip() for argument in written]
    return UNTOLD.get(name, [each for each in names if each != "*"])


@pytest.mark.parametrize("name", sorted(nn.functional.__all__))
def test_arguments_of_functions_are_pytorchs(name: str) -> None:
    ours = list(inspect.signature(getattr(nn.functional, name)).parameters)
    assert ours == told_arguments(name)


def test_initial_values_are_drawn_as_pytorch_draws_them() -> None:
    layer = nn.Linear(64, 10)
    bound = 0.125  # 1 / sqrt(64)
    for leaf in layer.parameters():
        kind, lo, hi = leaf.initialiser
        assert (kind, float(lo), float(hi)) == ("uniform", -bound, bound)
    theirs = tnn.Linear(64, 10)
    assert max(p.abs().max().item() for p in theirs.parameters()) <= bound
