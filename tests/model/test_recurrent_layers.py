"""Recurrent layers and CTC against PyTorch, through compiled modules, to 1e-10 relative.

Values, gradients of parameters, inputs and first states, and Hessian-vector products.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from recurrent_catalogue import CELLS, CTC, LAYERS, Recurrent
from recurrent_comparison import Compared, Theirs, close, compare, flat

import symgrad as sg
from symgrad import nn

torch = pytest.importorskip("torch")
rng = np.random.default_rng(43)


def cases(entries: list[Recurrent]) -> list[Any]:
    """Each construction with all data; the later ones with the first and the last."""
    return [
        pytest.param(entry.name, construction, data, id=f"{entry.name}-{i}-{k}")
        for i, entry in enumerate(entries)
        for k, construction in enumerate(entry.constructions)
        for data in (entry.data if k == 0 else [entry.data[0], *entry.data[1:][-1:]])
    ]


@pytest.mark.parametrize("name, construction, data", cases([*LAYERS, *CELLS]))
def test_values_and_derivatives(name: str, construction: dict[str, Any], data: Any) -> None:
    compared = Compared(name, construction, data)
    owned = [p.name for p in compared.ours.parameters()]
    assert owned == [key for key, _ in compared.theirs.named_parameters()]
    theirs = Theirs(compared, lambda tensors: compared.theirs(*compared.arguments(tensors)))
    compare(compared, flat(compared.ours(*compared.arguments(compared.leaves))), theirs)


@pytest.mark.parametrize("name, construction, data", cases(CTC))
def test_ctc(name: str, construction: dict[str, Any], data: Any) -> None:
    """Of log-softmax, as PyTorch's gradient of the loss supposes; it has no second derivative."""
    compared = Compared(name, construction, data)

    def call(layer: Any, softmax: Any, arguments: list[Any]) -> Any:
        scores, *others = arguments
        return layer(softmax(scores, -1), *others)

    theirs = Theirs(
        compared,
        lambda tensors: call(compared.theirs, torch.log_softmax, list(tensors.values())),
    )
    ours = call(compared.ours, nn.functional.log_softmax, list(compared.leaves.values()))
    compare(compared, [ours], theirs, second_order=False)


def test_labels_that_do_not_fit_have_an_infinite_loss() -> None:
    scores = sg.parameter("scores", (2, 1, 3))
    loss = nn.CTCLoss(reduction="sum")(
        nn.functional.log_softmax(scores, -1), sg.input("y", (1, 3), dtype="int"), (2,), (3,)
    )
    net = sg.compile(sg.Model("ctc", loss=loss)).load()
    value, grads = net.value_and_grad({"scores": np.zeros((2, 1, 3))}, y=np.array([[1, 2, 1]]))
    assert value == np.inf
    assert np.all(grads["scores"] == 0)


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
def test_lines_do_not_depend_on_the_length(layer: Any) -> None:
    def statements(length: int) -> int:
        y = layer(3, 4)(sg.input("x", (length, 2, 3)))[0]
        source = sg.compile(sg.Model("net", loss=sg.sum(y * y))).source
        return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(source)))

    assert statements(30) == statements(300)


def test_any_length_and_batch() -> None:
    t, n = sg.dim("t"), sg.dim("n")
    x = sg.input("x", (t, n, 3))
    layer = nn.LSTM(3, 4, bidirectional=True)
    y, _ = layer(x)
    net = sg.compile(sg.Model("net", loss=sg.sum(sg.sin(y)), outputs={"y": y})).load()
    theirs = torch.nn.LSTM(3, 4, bidirectional=True).double()
    params = {k: v.detach().numpy().copy() for k, v in theirs.named_parameters()}
    for length, batch in ((1, 1), (7, 2), (2, 5)):
        given = rng.normal(size=(length, batch, 3))
        expected = theirs(torch.tensor(given))[0]
        close(net.forward(params, x=given), expected.detach().numpy())
        slopes = torch.autograd.grad(torch.sin(expected).sum(), list(theirs.parameters()))
        _, grads = net.value_and_grad(params, x=given)
        for key, slope in zip(grads, slopes, strict=True):
            close(grads[key], slope.numpy())


WRONG = {
    "width": (lambda: nn.LSTM(3, 4)(sg.input("x", (5, 2, 7))), "3 features"),
    "rank": (lambda: nn.GRU(3, 4)(sg.input("x", (3,))), "takes a sequence"),
    "state": (
        lambda: nn.RNN(3, 4)(sg.input("x", (5, 2, 3)), sg.input("h", (1, 3, 4))),
        "does not fit the input",
    ),
    "projection": (lambda: nn.LSTM(3, 4, proj_size=4), "smaller than hidden_size"),
    "nonlinearity": (lambda: nn.RNN(3, 4, nonlinearity="sin"), "must be 'tanh' or 'relu'"),
    "layers": (lambda: nn.GRU(3, 4, num_layers=0), "num_layers must be"),
    "dropout": (lambda: nn.GRU(3, 4, dropout=2.0), "must be a probability"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_gets_one_clear_error(case: str) -> None:
    build, words = WRONG[case]
    with pytest.raises(sg.SymgradError, match=words) as caught:
        build()
    assert __file__.split("/")[-1] in str(caught.value)


def test_dropout_between_layers_is_drawn_in_training_only() -> None:
    x = sg.input("x", (5, 2, 3))
    layer = nn.LSTM(3, 4, num_layers=2, dropout=0.5)
    trained, _ = layer(x)
    used, _ = layer.eval()(x)
    model = sg.Model("net", loss=sg.mean(trained * trained), outputs={"y": used})
    net = sg.compile(model).load()
    params, given = net.init_params(seed=0), rng.normal(size=(5, 2, 3))
    losses = [net.loss(params, x=given, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]
    value, _ = net.value_and_grad(params, x=given, rng=np.random.default_rng(1))
    assert value == losses[0]
    assert net.forward(params, x=given).shape == (5, 2, 4)


def test_many_layers_are_no_more_than_many() -> None:
    """Each layer's tensors belong to those of the layer before: compared as trees, this is 2**12."""
    x = sg.input("x", (sg.dim("t"), sg.dim("n"), 3))

    def statements(layers: int) -> int:
        y, _ = nn.LSTM(3, 3, num_layers=layers)(x)
        source = sg.compile(sg.Model("net", loss=sg.sum(y * y)), ["value_and_grad"]).source
        return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(source)))

    two, seven, twelve = (statements(layers) for layers in (2, 7, 12))
    assert twelve - seven == seven - two
