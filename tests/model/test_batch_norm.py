"""Batch and instance normalisation against PyTorch: values, derivatives, running statistics."""

from __future__ import annotations

import re
import types
from typing import Any

import numpy as np
import pytest
from trained_layer_catalogue import NORMALISATIONS, TrainedEntry

import symgrad as sg
from symgrad import nn
from symgrad.check.evidence import check_module
from symgrad.errors import SymgradError

torch = pytest.importorskip("torch")
rng = np.random.default_rng(5)

CASES = [
    pytest.param(entry, construction, data if k == 0 else data[:1], id=f"{entry.name}-{k}")
    for entry in NORMALISATIONS
    for k, construction in enumerate(entry.constructions)
    for data in [entry.data]
]


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-13)


class Pair:
    """One layer, ours compiled as the loss sum(c * layer(x)) and PyTorch's, with equal numbers."""

    def __init__(self, name: str, construction: dict[str, Any], shape: tuple[int, ...]) -> None:
        self.layer = getattr(nn, name)(**construction)
        x, c = sg.parameter("x", shape), sg.input("c", shape)
        loss = sg.sum(c * self.layer(x) * self.layer(x))
        outputs = {"used": self.layer.eval()(x)}
        self.net: types.ModuleType = sg.compile(
            sg.Model("layer", loss=loss, outputs=outputs), ["forward", "value_and_grad", "hvp"]
        ).load()
        self.theirs = getattr(torch.nn, name)(**construction).double()
        self.params = {k: rng.normal(1, 0.3, s) for k, (s, _) in self.net.PARAMETERS.items()}
        for key, tensor in self.theirs.named_parameters():
            tensor.data = torch.tensor(self.params[key])
        self.c = rng.uniform(0.5, 1.5, shape)

    def step(self, x: Any, state: dict[str, Any] | None) -> Any:
        """One training call of both; compares everything, and returns the new state."""
        params = self.params | {"x": x}
        given = [params] if state is None else [params, state]
        value, grads, *after = self.net.value_and_grad(*given, c=self.c)
        owned = dict(self.theirs.named_parameters())
        leaves = [torch.tensor(x, requires_grad=True) if k == "x" else owned[k] for k in params]
        y = self.theirs(leaves[list(params).index("x")])
        loss = (torch.tensor(self.c) * y * y).sum()
        slopes = torch.autograd.grad(loss, leaves, create_graph=True)
        close(value, loss.item())
        for key, slope in zip(params, slopes, strict=True):
            close(grads[key], slope.detach().numpy())
        moves = {key: rng.normal(size=np.shape(p)) for key, p in params.items()}
        along = sum((g * torch.tensor(moves[k])).sum() for g, k in zip(slopes, params, strict=True))
        products = self.net.hvp(params, moves, c=self.c)
        for key, product in zip(params, torch.autograd.grad(along, leaves), strict=True):
            np.testing.assert_allclose(products[key], product.numpy(), rtol=1e-9, atol=1e-11)
        return after[0] if after else None

    def compare_states(self, state: dict[str, Any]) -> None:
        expected = {k: b.numpy() for k, b in self.theirs.named_buffers()}
        assert list(state) == list(expected)
        for key, value in expected.items():
            close(state[key], value)
            assert np.shape(state[key]) == value.shape


@pytest.mark.parametrize("entry, construction, data", CASES)
def test_training_then_use(entry: TrainedEntry, construction: dict[str, Any], data: Any) -> None:
    for (x,) in data:
        pair = Pair(entry.name, construction, x.shape)
        tracks = bool(pair.layer.track_running_stats)
        state = pair.net.init_state() if tracks else None
        for _ in range(3):
            given = None if state is None else {k: np.copy(v) for k, v in state.items()}
            new = pair.step(x + rng.normal(size=x.shape), state)
            if state is not None and given is not None:
                for key in state:
                    np.testing.assert_array_equal(state[key], given[key])
                state = new
                pair.compare_states(state)
        used = pair.net.forward(*[pair.params | {"x": x}, *([state] if tracks else [])])
        close(used, pair.theirs.eval()(torch.tensor(x)).detach().numpy())


def test_names_are_those_of_a_state_dict() -> None:
    def build(m: Any) -> Any:
        return m.Sequential(m.Linear(4, 3), m.BatchNorm1d(3), m.Linear(3, 3), m.BatchNorm1d(3))

    ours, theirs = build(nn), build(torch.nn)
    assert [b.name for b in ours.buffers()] == [name for name, _ in theirs.named_buffers()]
    assert [p.name for p in ours.parameters()] == [name for name, _ in theirs.named_parameters()]


def test_two_calls_of_one_layer_chain() -> None:
    """As in PyTorch the second call starts from what the first one left."""
    for momentum in (0.1, None):
        layer, theirs = (
            nn.BatchNorm1d(3, momentum=momentum),
            torch.nn.BatchNorm1d(3, momentum=momentum),
        )
        arrays = rng.normal(size=(4, 3)), rng.normal(2, 3, size=(5, 3))
        first, second = sg.input("a", (4, 3)), sg.input("b", (5, 3))
        loss = sg.sum(layer(first)) + sg.sum(layer(second))
        net = sg.compile(sg.Model("m", loss=loss)).load()
        _, state = net.loss(net.init_params(), net.init_state(), a=arrays[0], b=arrays[1])
        theirs.double()
        for array in arrays:
            theirs(torch.tensor(array))
        for key, expected in theirs.named_buffers():
            close(state[key], expected.numpy())


def test_what_one_function_updates() -> None:
    """Derivatives and the outputs in use take the state and return none."""
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    x = sg.input("x", (sg.dim("n"), 3))
    loss, used = sg.sum(net(x) ** 3), net.eval()(x)
    emit = ["forward", "loss", "value_and_grad", "hvp", "jvp", "vjp", "input_grad", "jacobian"]
    made = sg.compile(sg.Model("m", loss=loss, outputs={"used": used}), emit).load()
    assert made.UPDATES_STATE == ("loss", "value_and_grad")
    params, state, x_ = made.init_params(), made.init_state(), rng.normal(size=(5, 3))
    assert made.forward(params, state, x=x_).shape == (5, 2)
    assert len(made.jvp(params, state, params, x=x_)) == 2
    assert list(made.hvp(params, params, x=x_)) == list(params)
    assert [f for f in check_module(made) if not f.agrees] == []


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_of_the_new_state(dtype: Any) -> None:
    layer = nn.BatchNorm1d(3, momentum=None)
    made = sg.compile(sg.Model("m", loss=sg.sum(layer(sg.input("x", (4, 3)))))).load()
    params, state = made.init_params(dtype=dtype), made.init_state(dtype=dtype)
    for _ in range(2):
        value, state = made.loss(params, state, x=rng.normal(size=(4, 3)).astype(dtype))
        kinds = {k: s.dtype for k, s in state.items()}
        assert kinds == {
            "running_mean": dtype,
            "running_var": dtype,
            "num_batches_tracked": np.int64,
        }
        assert value.dtype == dtype


def test_functional_forms() -> None:
    x_, w_ = rng.normal(size=(4, 3, 5)), rng.normal(size=3)
    start = {"m": rng.normal(size=3), "v": rng.uniform(1, 2, 3)}
    for name, flag in (("batch_norm", "training"), ("instance_norm", "use_input_stats")):
        for train in (True, False):
            x, w = sg.input("x", x_.shape), sg.input("w", (3,))
            states = [sg.state("m", (3,)), sg.state("v", (3,), "ones")]
            function = getattr(nn.functional, name)
            result = function(x, *states, weight=w, momentum=0.3, **{flag: train})
            made = sg.compile(sg.Model("m", outputs={"y": result})).load()
            given = made.forward(start, x=x_, w=w_)
            theirs = [torch.tensor(s) for s in start.values()]
            expected = getattr(torch.nn.functional, name)(
                torch.tensor(x_), *theirs, weight=torch.tensor(w_), momentum=0.3, **{flag: train}
            )
            y, state = given if train else (given, start)
            close(y, expected.numpy())
            for new, moved in zip(state.values(), theirs, strict=True):
                close(new, moved.numpy())


def test_large_means_cost_no_accuracy() -> None:
    """The mean is taken off before anything is squared."""
    x_ = rng.normal(size=(64, 2)) + 1e6
    layer = nn.BatchNorm1d(2, affine=False)
    made = sg.compile(sg.Model("m", outputs={"y": layer(sg.input("x", x_.shape))})).load()
    y, _ = made.forward(made.init_state(), x=x_)
    exact = (x_ - x_.mean(0)) / np.sqrt(x_.var(0) + 1e-5)
    np.testing.assert_allclose(y, exact, rtol=1e-8, atol=1e-9)


def test_the_backward_pass_is_the_one_that_is_written_by_hand() -> None:
    """Two sums over the batch, of g and of g * (x - mean), serve all three gradients."""
    shape = (sg.dim("n"), 8, 4, 4)
    x, g = sg.input("x", shape), sg.input("g", shape)
    layer = nn.BatchNorm2d(8)
    slopes = sg.grad(sg.sum(g * layer(x)), [x, *layer.parameters()])
    results = dict(zip(("dx", "dw", "db"), slopes, strict=True)) | {"y": layer(x)}
    (plan,) = sg.compile(sg.Model("m", outputs=results)).plans
    sums = [line for line in plan.program.instructions if line.op in ("reduce", "einsum")]
    assert len(sums) == 4  # the mean, the variance, and these two


WRONG: list[tuple[Any, str]] = [
    (
        lambda: nn.BatchNorm1d(3)(sg.input("x", (1, 3))),
        "expected more than 1 value per channel when training\n"
        "  at     {here}, layer batchnorm1d\n"
        "  input  [1, 3]\n"
        "  fix    give it more, or call .eval() before the network is called",
    ),
    (
        lambda: nn.InstanceNorm2d(3)(sg.input("x", (2, 3, 1, 1))),
        "instance_norm: expected more than 1 spatial element when training\n"
        "  at     {here}, layer instancenorm2d\n"
        "  input  [2, 3, 1, 1]\n"
        "  fix    give it more, or call .eval() before the network is called",
    ),
    (
        lambda: nn.BatchNorm2d(3)(sg.input("x", (5, 3))),
        "BatchNorm2d expects 4 axes, not 2\n"
        "  at     {here}, layer batchnorm2d\n"
        "  input  [5, 3]",
    ),
    (
        lambda: nn.BatchNorm1d(4)(sg.input("x", (5, 3))),
        "BatchNorm1d expects 4 channels, not 3\n"
        "  at     {here}, layer batchnorm1d\n"
        "  input  [5, 3]\n"
        "  fix    make it nn.BatchNorm1d(3), or change what comes before",
    ),
    (
        lambda: nn.functional.batch_norm(sg.input("x", (5, 3)), sg.input("m", (3,)), None, training=True),
        "batch_norm: running_mean must be a state in training, to be replaced\n"
        "  at   {here}\n"
        "  x    [5, 3]\n"
        "  m    [3]\n"
        "  fix  declare it: sg.state(name, (channels,))",
    ),
]  # fmt: skip


@pytest.mark.parametrize("define, message", WRONG)
def test_what_is_refused(define: Any, message: str) -> None:
    with pytest.raises(SymgradError) as raised:
        define()
    said = re.sub(r"\S+\.py:\d+", "{here}", str(raised.value))
    assert said == message, said


def test_a_batch_of_one_is_refused_when_it_comes() -> None:
    net = nn.BatchNorm1d(3)
    x = sg.input("x", (sg.dim("n"), 3))
    loss, used = sg.sum(net(x)), net.eval()(x)
    made = sg.compile(sg.Model("m", loss=loss, outputs={"used": used})).load()
    one = np.ones((1, 3))
    with pytest.raises(ValueError, match=r"^loss: expected n >= 2, got x of shape \[1, 3\]; pass"):
        made.loss(made.init_params(), made.init_state(), x=one)
    assert made.forward(made.init_params(), made.init_state(), x=one).shape == (1, 3)
