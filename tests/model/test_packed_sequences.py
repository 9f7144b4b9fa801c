"""Packed sequences against PyTorch's, to 1e-10: results, gradients, Hessian-vector products."""

from __future__ import annotations

import ast
import importlib
import operator
from typing import Any

import numpy as np
import pytest
from recurrent_comparison import Compared, Theirs, close, compare, flat

import symgrad as sg
from symgrad import nn
from symgrad.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch = pytest.importorskip("torch")
rng = np.random.default_rng(47)

T, N = sg.dim("t"), sg.dim("n")
DEEP = {"num_layers": 2, "bidirectional": True}
LAYERS = {
    "RNN": ("RNN", {}),
    "RNN-relu": ("RNN", {"nonlinearity": "relu", "bidirectional": True}),
    "RNN-deep": ("RNN", DEEP),
    "GRU": ("GRU", {}),
    "GRU-bare": ("GRU", {"bias": False, "bidirectional": True}),
    "GRU-deep": ("GRU", DEEP | {"batch_first": True}),
    "LSTM": ("LSTM", {}),
    "LSTM-bidirectional": ("LSTM", {"bidirectional": True}),
    "LSTM-deep": ("LSTM", DEEP | {"dropout": 0.0}),
    "LSTM-projected": ("LSTM", DEEP | {"proj_size": 2}),
}
LENGTHS = {
    "sorted": (5, 3, 2),
    "unsorted": (2, 5, 3),
    "shorter": (3, 1, 4),
    "full": (5, 5, 5),
    "ones": (1, 1, 1),
    "single": (3,),
}


def first_states(name: str, options: dict[str, Any], n: int) -> Any:
    rows = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    h = rng.normal(size=(rows, n, options.get("proj_size", 4)))
    return (h, rng.normal(size=(rows, n, 4))) if name == "LSTM" else h


def run(home: Any, layer: Any, x: Any, lengths: Any, state: Any, is_first: bool, steps: Any) -> Any:
    """What a user writes, in both: pack, run, pad."""
    packed = home.pack_padded_sequence(x, lengths, batch_first=is_first, enforce_sorted=False)
    output, last = layer(packed, state)
    assert isinstance(output, home.PackedSequence)
    padded, counts = home.pad_packed_sequence(output, batch_first=is_first, total_length=steps)
    return [padded, *flat(last)], counts


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("key", LAYERS)
def test_values_and_derivatives(key: str, lengths: tuple[int, ...]) -> None:
    """Lengths in a tensor; all that is drawn beyond them is without effect."""
    name, options = LAYERS[key]
    is_first, n = options.get("batch_first", False), len(lengths)
    x = rng.normal(size=(n, 5, 3) if is_first else (5, n, 3))
    given = (x, np.array(lengths)) + ((first_states(name, options, n),) if n > 1 else ())
    compared = Compared(name, {"input_size": 3, "hidden_size": 4, **options}, given)

    def call(home: Any, layer: Any, leaves: dict[str, Any]) -> Any:
        sequence, counts, *state = compared.arguments(leaves)
        return run(home, layer, sequence, counts, state[0] if state else None, is_first, 5)[0]

    theirs = Theirs(compared, lambda leaves: call(torch.nn.utils.rnn, compared.theirs, leaves))
    compare(compared, call(nn.utils.rnn, compared.ours, compared.leaves), theirs)


@pytest.mark.parametrize("lengths", [(4, 2), (2, 4), (1, 3), (5, 5)])
@pytest.mark.parametrize("key", ["RNN-deep", "GRU-deep", "LSTM"])
def test_lengths_that_are_known(key: str, lengths: tuple[int, ...]) -> None:
    """The result is cut to the longest, as PyTorch's."""
    name, options = LAYERS[key]
    is_first = options.get("batch_first", False)
    given = (rng.normal(size=(2, 5, 3) if is_first else (5, 2, 3)),)
    compared = Compared(name, {"input_size": 3, "hidden_size": 4, **options}, given)

    def call(home: Any, layer: Any, leaves: dict[str, Any]) -> Any:
        counts = lengths if home is nn.utils.rnn else torch.tensor(lengths)
        return run(home, layer, leaves["x0"], counts, None, is_first, None)[0]

    theirs = Theirs(compared, lambda leaves: call(torch.nn.utils.rnn, compared.theirs, leaves))
    compare(compared, call(nn.utils.rnn, compared.ours, compared.leaves), theirs)


def packed_model(layer: Any, t: Any = T, n: Any = N) -> sg.Model:
    x, lengths = sg.parameter("x", (t, n, 3)), sg.input("lengths", (n,), dtype="int")
    output, last = layer(pack_padded_sequence(x, lengths, enforce_sorted=False))
    y, counts = pad_packed_sequence(output)
    loss = sg.sum(sg.sin(y)) + sum(sg.sum(sg.cos(state)) for state in flat(last))
    outputs = {"y": y, "counts": counts} | {f"last{k}": s for k, s in enumerate(flat(last))}
    return sg.Model("packed", loss=loss, outputs=outputs)


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
def test_full_lengths_are_the_plain_run(layer: Any) -> None:
    made = layer(3, 4, num_layers=2, bidirectional=True)
    net = sg.compile(packed_model(made)).load()
    x = sg.parameter("x", (T, N, 3))
    y, last = made(x)
    loss = sg.sum(sg.sin(y)) + sum(sg.sum(sg.cos(state)) for state in flat(last))
    plain = sg.compile(sg.Model("plain", loss=loss, outputs={"y": y})).load()
    values = net.init_params(seed=1, t=4, n=2)
    lengths = np.array([4, 4])
    found = net.forward(values, lengths=lengths)
    np.testing.assert_array_equal(found["y"], plain.forward(values))
    np.testing.assert_array_equal(found["counts"], lengths)
    loss, slopes = net.value_and_grad(values, lengths=lengths)
    expected_loss, expected = plain.value_and_grad(values)
    close(loss, expected_loss)
    for key in expected:
        close(slopes[key], expected[key])


@pytest.mark.parametrize("padding", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
def test_what_stands_beyond_a_length_is_never_read(layer: Any, padding: float) -> None:
    net = sg.compile(packed_model(layer(3, 4, bidirectional=True))).load()
    values, lengths = net.init_params(seed=1, t=4, n=3), np.array([2, 4, 1])
    beyond = np.arange(4)[:, None] >= lengths
    filled = values | {"x": np.where(beyond[:, :, None], padding, values["x"])}
    results = [
        [*net.forward(v, lengths=lengths).values(), *net.value_and_grad(v, lengths=lengths)[1].values()]
        for v in (values, filled)
    ]
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    slope = net.value_and_grad(filled, lengths=lengths)[1]["x"]
    assert np.all(slope[beyond] == 0) and np.all(slope[~beyond] != 0)


def test_a_length_out_of_range_means_the_nearest_in_range() -> None:
    """Beyond t: t. Below 1: no step at all, the last state is the first one."""
    net = sg.compile(packed_model(nn.GRU(3, 4))).load()
    values = net.init_params(seed=2, t=3, n=2)
    far, near = (net.forward(values, lengths=np.array(k)) for k in ([9, 2], [3, 2]))
    for key in ("y", "last0"):
        np.testing.assert_array_equal(far[key], near[key])
    empty, negative = (net.forward(values, lengths=np.array(k)) for k in ([0, 2], [-1, 2]))
    for each in (empty, negative):
        assert np.all(each["last0"][:, 0] == 0) and np.all(each["y"][:, 0] == 0)
        np.testing.assert_array_equal(each["y"][:, 1], near["y"][:, 1])


def test_more_steps_than_the_input_has_are_refused_when_they_are_known() -> None:
    """t is open at the definition: the module asks for enough."""
    x = sg.parameter("x", (T, 2, 3))
    y, _ = pad_packed_sequence(pack_padded_sequence(x, (4, 2)))
    net = sg.compile(sg.Model("cut", loss=sg.sum(y * y))).load()
    assert net.loss({"x": np.ones((5, 2, 3))}) == 18
    with pytest.raises(ValueError, match="expected t >= 4"):
        net.loss({"x": np.ones((3, 2, 3))})


def test_sizes_of_nothing_and_of_one() -> None:
    net = sg.compile(packed_model(nn.LSTM(3, 4))).load()
    for t, n in ((0, 2), (3, 0), (1, 1)):
        values, lengths = net.init_params(seed=0, t=t, n=n), np.full(n, t)
        assert net.forward(values, lengths=lengths)["y"].shape == (t, n, 4)
        loss, slopes = net.value_and_grad(values, lengths=lengths)
        assert np.isfinite(loss) and all(np.all(np.isfinite(s)) for s in slopes.values())


# Packing and padding alone


def test_modules_of_pytorch_are_imported_by_its_names() -> None:
    for name in ("functional", "utils.rnn"):
        module = importlib.import_module(f"symgrad.nn.{name}")
        assert operator.attrgetter(name)(nn) is module
        assert all(hasattr(module, each) for each in module.__all__)
    theirs = importlib.import_module("torch.nn.utils.rnn")
    assert all(hasattr(theirs, each) for each in nn.utils.rnn.__all__)


@pytest.mark.parametrize("padding", [0.0, -7.0, -np.inf, np.nan])
def test_any_padding_and_its_gradient(padding: float) -> None:
    x = sg.parameter("x", (3, 2))
    y, _ = pad_packed_sequence(pack_padded_sequence(x, (2, 1)), padding_value=padding, total_length=4)
    net = sg.compile(sg.Model("padded", loss=sg.sum(sg.exp(y[:1] * x[:1])), outputs={"y": y})).load()
    values = rng.normal(size=(3, 2))
    expected = np.full((4, 2), padding)
    expected[:2, 0], expected[:1, 1] = values[:2, 0], values[:1, 1]
    np.testing.assert_array_equal(net.forward({"x": values}), expected)
    slope = net.value_and_grad({"x": values})[1]["x"]
    close(slope[0], 2 * values[0] * np.exp(values[0] ** 2))
    assert np.all(slope[1:] == 0)


@pytest.mark.parametrize("kind", ["float", "int"])
@pytest.mark.parametrize("total", [None, 4, 6])
@pytest.mark.parametrize("rest", [(), (2,)], ids=["scalars", "rows"])
@pytest.mark.parametrize("is_first", [False, True])
def test_padding_as_in_pytorch(kind: str, total: int | None, rest: Any, is_first: bool) -> None:
    shape = ((3, 5) if is_first else (5, 3)) + rest
    array = rng.normal(size=shape) if kind == "float" else rng.integers(1, 9, shape)
    lengths = (2, 4, 3)

    def padded(home: Any, x: Any, counts: Any) -> Any:
        packed = home.pack_padded_sequence(x, counts, is_first, enforce_sorted=False)
        return home.pad_packed_sequence(packed, is_first, padding_value=-7.0, total_length=total)

    expected, counts = padded(torch.nn.utils.rnn, torch.tensor(array), torch.tensor(lengths))
    y, k = padded(nn.utils.rnn, sg.input("x", shape, dtype=kind), lengths)
    w = sg.parameter("w", ())
    model = sg.Model("padded", loss=w * w, outputs={"y": y, "k": k})
    found = sg.compile(model).load().forward({"w": np.ones(())}, x=array)
    np.testing.assert_array_equal(found["y"], expected.numpy())
    np.testing.assert_array_equal(found["k"], counts.numpy())


def test_the_result_of_a_layer_can_be_packed_again() -> None:
    """Two layers with a map between them are two packed runs; dropout is drawn in training."""
    x, lengths = sg.input("x", (T, N, 3)), sg.input("lengths", (N,), dtype="int")
    first, second = nn.GRU(3, 4, name="first"), nn.GRU(4, 2, name="second")
    y, counts = pad_packed_sequence(first(pack_padded_sequence(x, lengths))[0])
    y, _ = pad_packed_sequence(second(pack_padded_sequence(sg.tanh(y), counts))[0])
    net = sg.compile(sg.Model("twice", loss=sg.sum(y * y), outputs={"y": y})).load()
    values = net.init_params(seed=0)
    given = rng.normal(size=(4, 2, 3))
    found = net.forward(values, x=given, lengths=np.array([2, 4]))
    alone = net.forward(values, x=given[:2, :1], lengths=np.array([2]))
    close(found[:2, :1], alone)
    assert np.all(found[2:, 0] == 0)


def test_dropout_between_packed_layers() -> None:
    layer = nn.LSTM(3, 4, num_layers=2, dropout=0.5)
    net = sg.compile(packed_model(layer), ["loss"]).load()
    values, lengths = net.init_params(seed=0, t=4, n=2), np.array([2, 4])
    losses = [net.loss(values, lengths=lengths, rng=np.random.default_rng(k)) for k in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


# The loops


def loops(layer: Any, t: Any = T) -> tuple[ast.AST, list[ast.For]]:
    """The function that computes the gradients, and its loops."""
    tree = ast.parse(sg.compile(packed_model(layer, t), ["value_and_grad"]).source)
    (function,) = (
        node for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == "value_and_grad"
    )  # fmt: skip
    return function, [node for node in ast.walk(function) if isinstance(node, ast.For)]


def calls(part: ast.AST) -> list[str]:
    return [
        node.func.attr
        for node in ast.walk(part)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_loop_has_one_product_and_the_gates_are_computed_once(layer: Any) -> None:
    function, (forward, backward) = loops(layer(3, 4))
    for loop in (forward, backward):
        assert [calls(loop).count(name) for name in ("dot", "matmul", "where")] == [1, 0, 0]
    assert "tanh" in calls(forward) and not {"exp", "tanh"} & set(calls(backward))
    inside = {node for loop in (forward, backward) for node in ast.walk(loop)}
    for name in ("within", "taken", "kept", "d_weight_ih_l0", "d_weight_hh_l0"):
        (assigned,) = (
            node for node in ast.walk(function)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
        )  # fmt: skip
        assert assigned not in inside
        assert calls(assigned).count("dot") == ("d_weight" in name)


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
def test_lines_do_not_depend_on_the_length(layer: Any) -> None:
    few, many = (
        sum(isinstance(node, ast.stmt) for node in ast.walk(loops(layer(3, 4), t)[0]))
        for t in (30, 300)
    )
    assert few == many
