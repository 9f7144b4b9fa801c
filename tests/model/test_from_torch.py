"""PyTorch modules taken over: the same outputs, names and modes; and what is refused, and how."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from registry import Run, entries, resolved, runs

import symgrad as sg
from symgrad import nn
from symgrad.errors import SymgradError, UnsupportedError, WeightsError

torch = pytest.importorskip("torch")
tnn = torch.nn
rng = np.random.default_rng(31)
KINDS = {"f": "float", "i": "int", "b": "bool"}


@pytest.fixture(autouse=True)
def plainly_computed() -> Iterator[None]:
    """Without PyTorch's fused inference of transformers, which gives nan for some masks."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(before)


def outputs_of(result: Any) -> list[Any]:
    """The tensors of a result or of arguments, which may be nested."""
    if isinstance(result, tuple | list):
        return [each for part in result for each in outputs_of(part)]
    return [] if result is None else [result]


def in_place_of(arrays: Any, make: Callable[[Any], Any]) -> Any:
    """The arrays, which may be nested, with `make` of each in its place."""
    if isinstance(arrays, tuple | list):
        return tuple(in_place_of(each, make) for each in arrays)
    return make(arrays)


def assert_same_outputs(module: Any, arrays: Any, tolerance: float = 1e-10) -> sg.nn.Module:
    """Converts the module, compiles the result, and compares what both give out.

    What is drawn at random cannot be compared: then only names and shapes are.
    """
    network = sg.from_torch(module)
    given = {f"x{i}": array for i, array in enumerate(outputs_of(arrays))}
    names = iter(given)

    def leaf(array: Any) -> Any:
        return sg.input(next(names), array.shape, dtype=KINDS[array.dtype.kind])

    results = outputs_of(network(*in_place_of(arrays, leaf)))
    model = sg.Model("net", outputs={f"y{i}": y for i, y in enumerate(results)})
    weights = sg.weights_from_torch(module, dtype=np.float64)
    declared = [(p.name, tuple(map(int, p.shape))) for p in network.parameters()]
    assert declared == [(k, tuple(p.shape)) for k, p in module.named_parameters()]
    if model.draws:
        return network
    values, _ = called(model, weights, given)
    with torch.no_grad():
        expected = outputs_of(module(*in_place_of(arrays, torch.tensor)))
    for ours, theirs in zip(values, expected, strict=True):
        assert np.shape(ours) == tuple(theirs.shape)
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=tolerance, atol=1e-13)
    return network


def called(model: sg.Model, weights: Any, inputs: dict[str, Any]) -> tuple[list[Any], Any]:
    """The outputs of the compiled model, and the new state if it has one."""
    net = sg.compile(model, ["forward"]).load()
    given = {
        "params": {name: weights.params[name] for name in net.PARAMETERS},
        "state": {name: weights.state[name] for name in getattr(net, "STATE", {})},
    }
    asked = inspect.signature(net.forward).parameters
    positional = [given[name] for name in ("params", "state") if name in asked]
    with np.errstate(all="ignore"):
        result = net.forward(*positional, **{k: v for k, v in inputs.items() if k in asked})
    result, state = result if "forward" in getattr(net, "UPDATES_STATE", ()) else (result, None)
    return list(result.values()) if isinstance(result, dict) else [result], state


def first_and_last(entry: Any) -> list[Run]:
    """Of each construction, the first and the last data."""
    found: dict[int, list[Run]] = {}
    for run in runs(entry):
        found.setdefault(id(run.construction), []).append(run)
    return [run for group in found.values() for run in (group[0], *group[1:][-1:])]


def made_of(run: Run) -> Any:
    """The PyTorch layer of a run, in float64 and with parameters that are not all alike."""
    arguments = {
        k: torch.tensor(v) if isinstance(v, np.ndarray) else v
        for k, v in resolved(run.construction, tnn).items()
    }
    module = getattr(tnn, run.entry.name)(**arguments).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.tensor(rng.uniform(0.1, 0.4, tuple(parameter.shape))))
    return module


CASES = [
    pytest.param(entry, id=f"{name}-{i}") for name, known in entries().items()
    for i, entry in enumerate(known) if hasattr(tnn, name)
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")  # of PyTorch
@pytest.mark.parametrize("entry", CASES)
def test_every_class_of_the_catalogue(entry: Any) -> None:
    for run in first_and_last(entry):
        assert_same_outputs(made_of(run), run.arrays)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")  # of PyTorch
@pytest.mark.parametrize("entry", CASES)
def test_every_class_of_the_catalogue_in_training(entry: Any) -> None:
    construction = entry.constructions[0]
    run = next(run for run in runs(entry) if run.construction is construction)
    network = assert_same_outputs(made_of(run).train(), run.arrays)
    assert network.training and all(child.training for _, child in network.named_children())


def classifier() -> Any:
    return tnn.Sequential(
        tnn.Linear(5, 4), tnn.ReLU(inplace=True),
        tnn.Sequential(tnn.Linear(4, 4, bias=False), tnn.Tanh(), tnn.Dropout(0.5)).eval()
        if hasattr(nn, "Dropout") else tnn.Sequential(tnn.Linear(4, 4, bias=False), tnn.Tanh()),
        tnn.Linear(4, 3), tnn.LogSoftmax(dim=-1),
    ).double()  # fmt: skip


def test_nested_parts_keep_their_names() -> None:
    network = assert_same_outputs(classifier().eval(), [rng.normal(size=(6, 5))])
    assert [p.name for p in network.parameters()] == [
        "0.weight", "0.bias", "2.0.weight", "3.weight", "3.bias"
    ]  # fmt: skip


def test_gradients_are_pytorchs() -> None:
    module = classifier().eval()
    network = sg.from_torch(module)
    x, y = sg.input("x", (sg.dim("n"), 5)), sg.input("y", (sg.dim("n"),), dtype="int")
    net = sg.compile(sg.Model("net", loss=nn.functional.nll_loss(network(x), y))).load()
    features, classes = rng.normal(size=(7, 5)), rng.integers(0, 3, 7)
    value, grads = net.value_and_grad(sg.weights_from_torch(module).params, x=features, y=classes)
    loss = tnn.functional.nll_loss(module(torch.tensor(features)), torch.tensor(classes))
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-12)
    for name, parameter in module.named_parameters():
        np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_named_parts_keep_their_names() -> None:
    from collections import OrderedDict

    module = tnn.Sequential(OrderedDict(encoder=tnn.Linear(5, 4), head=tnn.Linear(4, 1))).double()
    network = assert_same_outputs(module, [rng.normal(size=(6, 5))])
    assert [p.name for p in network.parameters()][::2] == ["encoder.weight", "head.weight"]


def test_each_part_keeps_its_mode() -> None:
    module = classifier().train()
    module[2].eval()
    network = sg.from_torch(module)
    assert [part.training for part in (network, *network)] == [True, True, True, False, True, True]
    assert not any(part.training for part in network[2])


def test_batch_statistics_are_state() -> None:
    """In training the module's new state is PyTorch's; in use both read the same."""
    module = tnn.Sequential(tnn.Linear(3, 4), tnn.BatchNorm1d(4), tnn.Tanh()).double()
    x = rng.normal(size=(6, 3))
    for training in (True, True, False):
        network = sg.from_torch(module.train(training))
        weights = sg.weights_from_torch(module)
        model = sg.Model("net", outputs={"y": network(sg.input("x0", x.shape))})
        (y,), state = called(model, weights, {"x0": x})
        expected = module(torch.tensor(x)).detach().numpy()
        np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-13)
        assert (state is not None) == training
        for name, array in (state if training else weights.state).items():
            np.testing.assert_allclose(array, module.state_dict()[name].numpy(), rtol=1e-12)
    assert module[1].num_batches_tracked == 2


def test_shared_parts_stay_shared() -> None:
    shared = tnn.Linear(4, 4)
    module = tnn.Sequential(shared, tnn.Tanh(), shared).double()
    network = assert_same_outputs(module, [rng.normal(size=(6, 4))])
    assert network[0] is network[2]
    assert len(module.state_dict()) == 4 and len(network.parameters()) == 2


def test_tied_parameters_stay_tied() -> None:
    module = tnn.Sequential(tnn.Linear(4, 4), tnn.Tanh(), tnn.Linear(4, 4)).double()
    module[2].weight = module[0].weight
    network = assert_same_outputs(module, [rng.normal(size=(6, 4))])
    assert [p.name for p in network.parameters()] == ["0.weight", "0.bias", "2.bias"]
    assert network[2].weight is network[0].weight


def test_a_tensor_used_twice_by_one_part_stays_one() -> None:
    if not hasattr(nn, "RNN"):
        pytest.skip("needs a layer with two tensors of one shape")
    module = tnn.RNN(3, 3).double()
    module.weight_hh_l0 = module.weight_ih_l0
    network = sg.from_torch(module)
    names = ["weight_ih_l0", "bias_ih_l0", "bias_hh_l0"]
    assert [p.name for p in network.parameters()] == names
    assert list(sg.weights_from_torch(module).params) == names


def encoder() -> Any:
    layer = tnn.TransformerEncoderLayer(4, 2, 6, batch_first=True, activation=tnn.functional.gelu)
    return tnn.TransformerEncoder(layer, 2, tnn.LayerNorm(4), enable_nested_tensor=False)


def test_parts_of_a_stack_keep_what_was_changed_in_them() -> None:
    module = encoder().double().eval()
    module.layers[1].norm1.eps = 0.5
    module.layers[0].linear2 = tnn.Sequential(tnn.Linear(6, 3), tnn.Linear(3, 4)).double()
    module.layers[0].dropout1.train()
    network = assert_same_outputs(module.eval(), [rng.normal(size=(2, 3, 4))])
    assert network.layers[0].norm1.eps != network.layers[1].norm1.eps == 0.5
    assert [p.name for p in network.layers[0].linear2.parameters()] == [
        "layers.0.linear2.0.weight", "layers.0.linear2.0.bias",
        "layers.0.linear2.1.weight", "layers.0.linear2.1.bias",
    ]  # fmt: skip
    module.layers[0].dropout1.train()
    first = sg.from_torch(module).layers[0]
    assert first.dropout1.training and not first.dropout2.training and not first.training


def test_lists_and_dicts_of_modules_are_taken_over() -> None:
    parts = tnn.ModuleDict({"tower": tnn.ModuleList([tnn.Linear(3, 4), tnn.Tanh()])})
    network = sg.from_torch(parts)
    assert [p.name for p in network.parameters()] == ["tower.0.weight", "tower.0.bias"]
    assert type(network["tower"]) is nn.ModuleList and len(network["tower"]) == 2


class Wide(tnn.Linear):
    """A class with a constructor of its own, and nothing else."""

    def __init__(self, features: int) -> None:
        super().__init__(features, 2 * features)


class Doubling(tnn.Linear):
    """One that computes something else."""

    def forward(self, input: Any) -> Any:
        return 2 * super().forward(input)


class Padded(tnn.Conv1d):
    """One whose forward is its base's, and calls what it overrides."""

    def _conv_forward(self, *arguments: Any) -> Any:
        return 2 * super()._conv_forward(*arguments)


def test_a_class_that_computes_what_its_base_does_is_taken_for_it() -> None:
    class Block(tnn.Sequential):
        def __init__(self) -> None:
            super().__init__(Wide(4), tnn.Tanh())

    network = assert_same_outputs(Block().double(), [rng.normal(size=(6, 4))])
    assert type(network) is nn.Sequential and type(network[0]) is nn.Linear
    for part in (Doubling(2, 2), Padded(2, 2, 1)):
        with pytest.raises(UnsupportedError, match="convert 0: its forward is Python code"):
            sg.from_torch(tnn.Sequential(part))


def test_weights_are_copies() -> None:
    module = tnn.Linear(3, 2)
    params, state = sg.weights_from_torch(module)
    assert params["weight"].dtype == np.float32 and state == {}
    before = module.weight.detach().clone()
    params["weight"] += 1
    assert torch.equal(module.weight, before)
    half = copy.deepcopy(module).bfloat16()
    widened = sg.weights_from_torch(half).params["weight"]
    assert widened.dtype == np.float32
    np.testing.assert_array_equal(widened, half.weight.detach().float().numpy())


class Residual(tnn.Module):
    """A module of a user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = tnn.Linear(4, 4)
        self.out = tnn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        return self.out(x + torch.tanh(self.inner(x)))


def test_a_users_own_module_is_written_again_and_takes_the_numbers_by_name() -> None:
    theirs = Residual().double()

    class Ours(nn.Module):
        def __init__(self, module: Any) -> None:
            self.inner = sg.from_torch(module.inner)
            self.out = sg.from_torch(module.out)

        def forward(self, x: Any) -> Any:
            return self.out(x + sg.tanh(self.inner(x)))

    network = Ours(theirs)
    result = network(sg.input("x0", (3, 4)))
    x = rng.normal(size=(3, 4))
    weights = sg.weights_from_torch(theirs, network)
    (value,), _ = called(sg.Model("net", outputs={"y": result}), weights, {"x0": x})
    np.testing.assert_allclose(value, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-12)
    with pytest.raises(WeightsError, match=r"does not fit the module Linear\n  missing +weight, bias"):
        sg.weights_from_torch(theirs, nn.Linear(4, 4))


def hooked() -> Any:
    module = tnn.Linear(2, 2)
    module.register_forward_hook(lambda m, args, result: 2 * result)
    return module


def patched() -> Any:
    module = tnn.Linear(2, 2)
    module.forward = lambda x: x
    return module


def foreign_layer() -> Any:
    module = encoder()
    module.layers[1].self_attn = Residual()
    return module


def extended() -> Any:
    module = encoder()
    module.layers[0].add_module("adapter", tnn.Linear(4, 4))
    return module


def bereft() -> Any:
    module = encoder()
    module.layers[0].dropout2 = None
    return module


def reshaped() -> Any:
    module = tnn.Linear(2, 2)
    module.weight = tnn.Parameter(torch.zeros(3, 2))
    return module


OF_A_USER = r"its forward is Python code, which cannot be read as a definition\n  class +\S*\.Residual"
REFUSED: list[tuple[Any, str]] = [
    (Residual, f"cannot convert the module itself: {OF_A_USER}"),
    (lambda: tnn.Sequential(tnn.Tanh(), tnn.Sequential(Residual())), f"convert 1.0: {OF_A_USER}"),
    (extended, "convert layers.0: it has a part adapter that is not TransformerEncoderLayer's"),
    (bereft, "convert layers.0: it has no part dropout2"),
    (foreign_layer, f"convert layers.1.self_attn: {OF_A_USER}"),
    (lambda: tnn.Sequential(tnn.LazyLinear(2)), r"convert 0: learns its sizes from the first input"),
    (lambda: tnn.Sequential(tnn.CrossMapLRN2d(2)), r"convert 0: an internal class.*\n.*torch\.nn\.Cross"),
    (lambda: tnn.DataParallel(tnn.Tanh()), r"its attribute `module`"),
    (lambda: tnn.Sequential(tnn.Tanh(), hooked()), r"convert 1: it has forward hooks"),
    (lambda: tnn.Sequential(patched()), r"convert 0: its forward has been replaced"),
    (lambda: tnn.utils.parametrizations.weight_norm(tnn.Linear(2, 2)), "remove_parametrizations"),
    (lambda: tnn.Sequential(reshaped()), r"convert 0: its weight is \[3, 2\], expected \[2, 2\]"),
    (lambda: tnn.ParameterList([torch.zeros(2)]), "it holds parameters and computes nothing"),
    (lambda: tnn.Softmin(), "convert the module itself: softmin: without dim|without dim"),
    (lambda: tnn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: a),
     "convert the module itself: its distance_function, <lambda>, is Python"),
]  # fmt: skip


@pytest.mark.parametrize("make, message", REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(make: Any, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        network = sg.from_torch(make())
        network(sg.input("x", (3, 2)))


@pytest.mark.parametrize(
    "thing", [tnn.Linear, {"weight": 1}, nn.Linear(2, 2), None], ids=["class", "dict", "ours", "none"]
)
def test_what_is_no_module(thing: Any) -> None:
    with pytest.raises(UnsupportedError, match=r"is not a torch\.nn\.Module"):
        sg.from_torch(thing)
    with pytest.raises(SymgradError, match=r"is not a torch\.nn\.Module"):
        sg.weights_from_torch(thing)


def test_without_pytorch_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UnsupportedError, match="needs PyTorch, which is not installed"):
        sg.from_torch(object())
