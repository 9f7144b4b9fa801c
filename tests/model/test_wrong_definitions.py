"""Wrong inputs, parameters, layers and products: the message at the user's line, compared whole."""

from __future__ import annotations

import pytest
from messages import message_of

import symgrad as sg
from symgrad import nn

n = sg.dim("n")


def define_x() -> sg.Node:
    return sg.input("x", (n, 3))


def test_declarations() -> None:
    assert message_of(lambda: sg.input(3, (n,))) == (
        "DefinitionError: the name of an input must be text, not 3\n  at  HERE"
    )
    assert message_of(lambda: sg.parameter("w", (3, -1))) == (
        "ShapeError: the shape of w cannot be (3, -1): a size cannot be negative: -1\n  at  HERE"
    )
    assert message_of(lambda: sg.input("w", (3,), dtype="float32")) == (
        "UnsupportedError: the dtype of w cannot be 'float32'\n"
        "  at        HERE\n"
        "  expected  float, int or bool\n"
        "  fix       whether floats are 32 or 64 bits wide is decided by the arrays passed later"
    )
    assert message_of(lambda: sg.input("p", (n, 3), sums_to_one=2)) == (
        "ShapeError: the axis sums_to_one of p 2 does not exist: the tensor has 2 axes\n  at  HERE"
    )
    assert sg.input("p", (n, 3), sums_to_one=-1) is sg.input("p", (n, 3), sums_to_one=1)


def test_products_and_broadcasts() -> None:
    assert message_of(lambda: define_x() @ sg.parameter("W", (4, 2))) == (
        "ShapeError: the inner sizes of a matrix product differ: 3 and 4\n"
        "  at   HERE\n"
        "  x    [n, 3]\n"
        "  W    [4, 2]\n"
        "  fix  transpose one of them (.T), or change the size of a layer"
    )
    assert message_of(lambda: define_x() + sg.input("z", (5, 4))) == (
        "ShapeError: shapes [n, 3] and [5, 4] do not broadcast: 3 against 4 on axis -1\n"
        "  at   HERE\n"
        "  x    [n, 3]\n"
        "  z    [5, 4]\n"
        "  fix  sizes must be equal, or one of them 1"
    )


def test_layers() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 2))
    assert message_of(lambda: net(define_x())) == (
        "ShapeError: linear_2 expects 5 features on the last axis of its input, which has 4\n"
        "  at      HERE, layer linear_2\n"
        "  relu_1  [n, 4]\n"
        "  weight  [2, 5]\n"
        "  fix     make it nn.Linear(4, 2), or change what comes before"
    )
    assert message_of(lambda: nn.Sequential(nn.ReLU)) == (
        "DefinitionError: layer 0 of a Sequential is <class "
        "'symgrad.model.layers.activations.ReLU'>, not a module\n"
        "  at   HERE\n"
        "  fix  pass layers such as nn.ReLU(), objects and not classes or functions"
    )
    assert message_of(lambda: nn.Linear(3, 4, device="cuda")) == (
        "UnsupportedError: Linear: the argument device is not supported\n  at  HERE"
    )
    assert message_of(lambda: nn.Linear(3, 4, name="a b")) == (
        "NamingError: a module cannot be named 'a b'\n  at   HERE\n  fix  use an identifier"
    )
    assert message_of(lambda: nn.Softmax()(define_x())) == (
        "UnsupportedError: softmax: without dim, PyTorch guesses the axis and warns\n"
        "  at   HERE, layer softmax\n"
        "  x    [n, 3]\n"
        "  fix  say dim=-1 for the last axis"
    )


def test_losses() -> None:
    y = sg.input("y", (n,))
    assert message_of(lambda: nn.functional.cross_entropy(define_x(), y)) == (
        "ShapeError: cross_entropy: probabilities must have the shape of the logits\n"
        "  at   HERE\n"
        "  x    [n, 3]\n"
        "  y    [n]\n"
        '  fix  declare the target with dtype="int" if it holds class indices'
    )
    assert message_of(lambda: nn.NLLLoss()(define_x(), y)) == (
        "DefinitionError: nll_loss: class indices must be whole numbers, but y is a tensor of "
        "float\n"
        "  at   HERE\n"
        "  x    [n, 3]\n"
        "  y    [n]\n"
        '  fix  declare the target as sg.input(name, shape, dtype="int")'
    )
    assert message_of(lambda: nn.MSELoss()(define_x(), y)) == (
        "ShapeError: mse_loss: input and target have different shapes\n"
        "  at   HERE\n"
        "  x    [n, 3]\n"
        "  y    [n]\n"
        "  fix  reshape one of them, or write sg.broadcast_to where a broadcast is meant"
    )
    labels = sg.input("y", (n,), dtype="int")
    assert message_of(lambda: nn.CrossEntropyLoss(ignore_index=0.5)(define_x(), labels)) == (
        "DefinitionError: cross_entropy: ignore_index must be a whole number, not 0.5\n"
        "  at  HERE\n"
        "  x   [n, 3]\n"
        "  y   [n]"
    )
    assert message_of(lambda: nn.NLLLoss([1.0, 2.0])(define_x(), labels)) == (
        "ShapeError: nll_loss: weight must hold one number per class, [3], but has the shape [2]\n"
        "  at  HERE\n"
        "  x   [n, 3]\n"
        "  y   [n]"
    )
    assert message_of(lambda: nn.MSELoss(reduction="batchmean")(y, y)) == (
        "UnsupportedError: mse_loss: reduction='batchmean' is not supported\n"
        "  at      HERE\n"
        "  y       [n]\n"
        "  target  [n]\n"
        "  fix     use 'mean', 'sum' or 'none'"
    )


def test_what_symgrad_does_not_have() -> None:
    with pytest.raises(AttributeError, match="symgrad has no sofmax; did you mean softmax"):
        sg.sofmax  # noqa: B018
    with pytest.raises(AttributeError, match="ReLU has no attribute 'weight'"):
        nn.ReLU().weight  # noqa: B018
