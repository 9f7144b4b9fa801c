"""Convolutions, pooling, padding, folding beyond the catalogue: names, indices, ties, float32,
initial values, symbolic sizes, errors as whole messages."""

from __future__ import annotations

import inspect
import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from messages import message_of
from spatial_catalogue import ENTRIES, FUNCTIONS

import symgrad as sg
from symgrad import nn
from symgrad.program.cost import cost

torch = pytest.importorskip("torch")
tnn = torch.nn
rng = np.random.default_rng(5)
KINDS = {"f": "float", "i": "int"}


def outputs_of(build: Callable[..., Any], *arrays: Any, dtype: Any = np.float64) -> list[Any]:
    """The tensors that `build` makes of inputs, computed by a compiled module."""
    leaves = [sg.input(f"x{i}", a.shape, dtype=KINDS[a.dtype.kind]) for i, a in enumerate(arrays)]
    results = build(*leaves)
    results = results if isinstance(results, tuple) else (results,)
    model = sg.Model("m", outputs={f"y{i}": y for i, y in enumerate(results)})
    net = sg.compile(model).load()
    given = {
        f"x{i}": a.astype(dtype) if a.dtype.kind == "f" else a for i, a in enumerate(arrays)
    }
    found = net.forward(**given)
    return list(found.values()) if isinstance(found, dict) else list(found) if isinstance(
        found, tuple) else [found]  # fmt: skip


def test_every_class_has_an_entry() -> None:
    homes = re.compile(r"\.(convolution|convolution_transposed|padding|pooling\w*|unpooling|folding)$")
    ours = {name for name in nn.__all__ if homes.search(getattr(getattr(nn, name), "__module__", ""))}
    assert ours == {entry.name for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_function_is_the_class(entry: Any) -> None:
    function = FUNCTIONS.get(entry.name, entry.name.lower())
    if function is None:
        return
    for construction in entry.constructions:
        leaves = [sg.input(f"x{i}", a.shape, dtype=KINDS[a.dtype.kind])
                  for i, a in enumerate([*entry.data, *entry.kinks][0])]  # fmt: skip
        made = getattr(nn, entry.name)(**construction)(*leaves)
        assert getattr(nn.functional, function)(*leaves, **construction) is made


# Functions that PyTorch writes in C++ or dispatches by a flag, as its documentation lists them.
DOCUMENTED = {
    "conv": "input weight bias stride padding dilation groups",
    "conv_transpose": "input weight bias stride padding output_padding groups dilation",
    "max_pool": "input kernel_size stride padding dilation ceil_mode return_indices",
    "avg_pool": "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    "adaptive_avg_pool": "input output_size",
    "adaptive_max_pool": "input output_size return_indices",
}


@pytest.mark.parametrize("stem", DOCUMENTED)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_arguments_of_functions(stem: str, rank: int) -> None:
    function = getattr(nn.functional, f"{stem}{rank}d")
    assert function.__name__ == f"{stem}{rank}d"
    expected = DOCUMENTED[stem].split()
    if (stem, rank) == ("avg_pool", 1):
        expected.remove("divisor_override")
    assert list(inspect.signature(function).parameters) == expected


POOLS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 2, "stride": 1, "dilation": 2},
    {"kernel_size": 3, "stride": 2, "ceil_mode": True, "padding": 1},
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("arguments", POOLS, ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_indices_of_max_pooling(rank: int, arguments: dict[str, Any], dtype: Any) -> None:
    for x in (rng.normal(size=(2, 2, 6, 5, 7)[: rank + 2]),
              rng.integers(0, 2, size=(2, 6, 5, 7)[: rank + 1]) * 1.0):  # fmt: skip
        pool = getattr(nn, f"MaxPool{rank}d")(**arguments, return_indices=True)
        theirs = getattr(tnn, f"MaxPool{rank}d")(**arguments, return_indices=True)
        values, indices = theirs(torch.tensor(x.astype(dtype)))
        ours = outputs_of(pool, x, dtype=dtype)
        assert ours[0].dtype == dtype
        np.testing.assert_array_equal(ours[0], values.numpy())
        np.testing.assert_array_equal(ours[1], indices.numpy())


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_indices_of_adaptive_max_pooling(rank: int, size: int) -> None:
    for x in (rng.normal(size=(2, 2, 6, 5, 7)[: rank + 2]),
              rng.integers(0, 2, size=(2, 6, 5, 7)[: rank + 1]) * 1.0):  # fmt: skip
        name = f"AdaptiveMaxPool{rank}d"
        values, indices = getattr(tnn, name)(size, return_indices=True)(torch.tensor(x))
        ours = outputs_of(getattr(nn, name)(size, return_indices=True), x)
        np.testing.assert_array_equal(ours[0], values.numpy())
        np.testing.assert_array_equal(ours[1], indices.numpy())


def test_unpooling_undoes_pooling() -> None:
    x = rng.normal(size=(2, 3, 5, 6))

    def there_and_back(x: Any) -> Any:
        values, indices = nn.MaxPool2d(2, return_indices=True)(x)
        return nn.MaxUnpool2d(2)(values, indices, output_size=x.shape)

    values, indices = tnn.MaxPool2d(2, return_indices=True)(torch.tensor(x))
    expected = tnn.MaxUnpool2d(2)(values, indices, output_size=x.shape)
    np.testing.assert_array_equal(outputs_of(there_and_back, x)[0], expected.numpy())


def test_nan_and_infinities_in_a_window() -> None:
    x = np.array([[[1.0, np.nan, 2.0, 3.0, -np.inf, -np.inf, np.inf, 0.0]]])
    expected = tnn.functional.max_pool1d(torch.tensor(x), 2)
    ours = outputs_of(lambda x: nn.functional.max_pool1d(x, 2), x)[0]
    np.testing.assert_array_equal(ours, expected.numpy())


@pytest.mark.parametrize("output_size", [(10, 9), (2, 3, 10, 10), [9, 9]])
def test_output_size_of_transposed_convolution(output_size: Any) -> None:
    x = rng.normal(size=(2, 4, 5, 5))
    theirs = tnn.ConvTranspose2d(4, 3, 3, stride=2, padding=1).double()
    expected = theirs(torch.tensor(x), output_size=output_size)
    ours = nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1)
    leaf = sg.input("x", x.shape)
    net = sg.compile(sg.Model("m", outputs={"y": ours(leaf, output_size)})).load()
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    np.testing.assert_allclose(net.forward(state, x=x), expected.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d",
                                  "ConvTranspose2d", "ConvTranspose3d"])  # fmt: skip
def test_initial_values_and_names(name: str) -> None:
    theirs, ours = getattr(tnn, name)(4, 6, 3, groups=2), getattr(nn, name)(4, 6, 3, groups=2)
    named = {p.name: tuple(map(int, p.shape)) for p in ours.parameters()}
    assert named == {k: tuple(v.shape) for k, v in theirs.state_dict().items()}
    fan_in, _ = torch.nn.init._calculate_fan_in_and_fan_out(theirs.weight)
    for leaf in ours.parameters():
        kind, lo, hi = leaf.initialiser
        assert kind == "uniform" and float(hi) == -float(lo) == pytest.approx(fan_in**-0.5)
    without = getattr(nn, name)(4, 6, 3, bias=False)
    assert without.bias is None and [p.name for p in without.parameters()] == ["weight"]


class Net:
    """A small convolutional net in both libraries."""

    def __init__(self, m: Any) -> None:
        self.net = m.Sequential(
            m.Conv2d(2, 4, 3, padding=1), m.ReLU(), m.MaxPool2d(2),
            m.Conv2d(4, 8, 3, stride=2, padding=1, groups=2), m.Tanh(), m.AvgPool2d(2),
            m.ConvTranspose2d(8, 3, 2, stride=2), m.AdaptiveAvgPool2d(1), m.Flatten(),
        )  # fmt: skip


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 2e-5), (np.float64, 1e-11)])
def test_a_whole_net(dtype: Any, tolerance: float) -> None:
    n = sg.dim("n")
    x, t = sg.input("x", (n, 2, 16, 16)), sg.input("t", (n, 3))
    model = sg.Model("net", loss=nn.functional.mse_loss(Net(nn).net(x), t))
    net = sg.compile(model, ["value_and_grad", "per_example_grad"]).load()
    params = net.init_params(seed=3, dtype=dtype)
    theirs = Net(tnn).net.to(torch.float32 if dtype == np.float32 else torch.float64)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in params.items()})
    for size in (1, 3):
        images = rng.normal(size=(size, 2, 16, 16)).astype(dtype)
        wanted = rng.normal(size=(size, 3)).astype(dtype)
        loss, grads = net.value_and_grad(params, x=images, t=wanted)
        theirs.zero_grad()
        expected = tnn.functional.mse_loss(theirs(torch.tensor(images)), torch.tensor(wanted))
        expected.backward()
        assert loss == pytest.approx(expected.item(), rel=tolerance)
        for name, parameter in theirs.named_parameters():
            assert grads[name].dtype == dtype
            scale = parameter.grad.abs().max().item()
            np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=0,
                                       atol=tolerance * scale, err_msg=name)  # fmt: skip
        each = net.per_example_grad(params, x=images, t=wanted)
        each = each[1] if isinstance(each, tuple) else each
        for name, grad in grads.items():
            scale = np.abs(grad).max()
            np.testing.assert_allclose(each[name].mean(axis=0), grad, rtol=0,
                                       atol=tolerance * scale, err_msg=name)  # fmt: skip


@pytest.mark.parametrize("groups", [1, 2])
def test_images_are_convolved_a_few_at_a_time(groups: int) -> None:
    n = sg.dim("n")
    x = sg.input("x", (n, 16, 24, 25))
    layers = nn.Sequential(nn.Conv2d(16, 16, 3, groups=groups), nn.Tanh(),
                           nn.Conv2d(16, 4, (2, 3), padding=1, groups=groups))  # fmt: skip
    compiled = sg.compile(sg.Model("m", loss=sg.mean(layers(x) ** 2)), ["value_and_grad"])
    assert "_convolve(" in compiled.source and "_correlate(" in compiled.source
    theirs = tnn.Sequential(tnn.Conv2d(16, 16, 3, groups=groups), tnn.Tanh(),
                            tnn.Conv2d(16, 4, (2, 3), padding=1, groups=groups))  # fmt: skip
    for dtype, tolerance in ((np.float32, 1e-4), (np.float64, 1e-11)):
        net = compiled.load()
        params = net.init_params(seed=0, dtype=dtype)
        theirs = theirs.to(torch.float32 if dtype == np.float32 else torch.float64)
        theirs.load_state_dict({k: torch.tensor(v) for k, v in params.items()})
        for size in (1, 3, 8):
            images = rng.normal(size=(size, 16, 24, 25)).astype(dtype)
            loss, grads = net.value_and_grad(params, x=images)
            theirs.zero_grad()
            expected = (theirs(torch.tensor(images)) ** 2).mean()
            expected.backward()
            assert loss == pytest.approx(expected.item(), rel=tolerance)
            for name, parameter in theirs.named_parameters():
                scale = parameter.grad.abs().max().item()
                np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=0,
                                           atol=tolerance * scale, err_msg=name)  # fmt: skip


def test_an_empty_batch() -> None:
    x = np.zeros((0, 16, 24, 25))
    leaf = sg.input("x", (sg.dim("n"), 16, 24, 25))
    layers = nn.Sequential(nn.Conv2d(16, 8, 3), nn.MaxPool2d(2), nn.ConvTranspose2d(8, 2, 3),
                           nn.AvgPool2d(2))  # fmt: skip
    net = sg.compile(sg.Model("m", outputs={"y": layers(leaf)})).load()
    assert net.forward(net.init_params(seed=0), x=x).shape == (0, 2, 6, 6)


def test_peak_memory_of_convolutions() -> None:
    """What is held at a time is what the compiler says, within NumPy's headers and buffers."""
    n = sg.dim("n")
    x = sg.input("x", (n, 16, 24, 25))
    layers = nn.Sequential(nn.Conv2d(16, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3))
    compiled = sg.compile(sg.Model("m", loss=sg.mean(layers(x) ** 2)), ["value_and_grad"])
    _, _, expected = cost(compiled.plans[0]).at({"n": 20})
    net = compiled.load()
    params, images = net.init_params(seed=0), rng.normal(size=(20, 16, 24, 25))
    net.value_and_grad(params, x=images)
    tracemalloc.start()
    net.value_and_grad(params, x=images)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.9 * expected <= peak <= 1.02 * expected + 200_000


def test_spatial_sizes_may_be_symbols() -> None:
    n, h, w = sg.dim("n"), sg.dim("h"), sg.dim("w")
    x = sg.input("x", (n, 2, h, w))
    layers = nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.Tanh(), nn.MaxPool2d(2, 1),
                           nn.AvgPool2d(2, padding=1, count_include_pad=False),
                           nn.ReflectionPad2d(1), nn.ConvTranspose2d(3, 2, 3, 2))  # fmt: skip
    model = sg.Model("m", loss=sg.mean(layers(x) ** 2))
    net = sg.compile(model, ["value_and_grad"]).load()
    params = net.init_params(seed=0)
    theirs = tnn.Sequential(tnn.Conv2d(2, 3, 3, stride=2, padding=1), tnn.Tanh(),
                            tnn.MaxPool2d(2, 1), tnn.AvgPool2d(2, padding=1, count_include_pad=False),
                            tnn.ReflectionPad2d(1), tnn.ConvTranspose2d(3, 2, 3, 2)).double()  # fmt: skip
    theirs.load_state_dict({k: torch.tensor(v) for k, v in params.items()})
    for shape in ((2, 2, 9, 8), (1, 2, 10, 13)):
        images = rng.normal(size=shape)
        loss, grads = net.value_and_grad(params, x=images)
        theirs.zero_grad()
        expected = (theirs(torch.tensor(images)) ** 2).mean()
        expected.backward()
        assert loss == pytest.approx(expected.item(), rel=1e-11)
        for name, parameter in theirs.named_parameters():
            np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=1e-9, atol=1e-13)


def test_products_of_convolutions_are_blas_products() -> None:
    n = sg.dim("n")
    for groups in (1, 2):
        x = sg.input("x", (n, 4, 12, 12))
        layers = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1, groups=groups), nn.Tanh(),
                               nn.Conv2d(6, 4, 3, stride=2, groups=groups))  # fmt: skip
        source = sg.compile(sg.Model("m", loss=sg.mean(layers(x) ** 2)), ["value_and_grad"]).source
        body = source[source.index("def value_and_grad") :]
        body = body[: body.index("    grads = ")]
        assert "einsum" not in body
        assert ".copy()" not in body and "np.copyto(" not in body
        assert body.count("_convolve(") == body.count("_correlate(") == 2


def inputs() -> tuple[Any, ...]:
    n = sg.dim("n")
    return sg.input("x", (n, 3, 8, 8)), sg.input("s", (n, 3, 8)), sg.input("v", (3,))


MESSAGES: list[tuple[Callable[..., Any], str]] = [
    (lambda x, s, v: nn.Conv2d(4, 8, 3)(x),
     "ShapeError: conv2d expects [n, 4, height, width] or the same without n, but its input has 3 "
     "channels\n  at   HERE, layer conv2d\n  x    [n, 3, 8, 8]\n"
     "  fix  make it nn.Conv2d(3, 8, ...), or change what comes before"),
    (lambda x, s, v: nn.Conv2d(3, 8, 9)(x),
     "ShapeError: conv2d: a window that reaches over 9 entries does not fit into axis 3, which has "
     "8 with its padding\n  at      HERE, layer conv2d\n  x       [n, 3, 8, 8]\n"
     "  weight  [8, 3, 9, 9]\n  bias    [8]"),
    (lambda x, s, v: nn.Conv2d(3, 8, 3, groups=2),
     "DefinitionError: Conv2d: in_channels=3 is not a multiple of groups=2\n  at  HERE"),
    (lambda x, s, v: nn.Conv2d(3, 8, 3, stride=2, padding="same"),
     "UnsupportedError: padding='same' needs stride=1"),
    (lambda x, s, v: nn.Conv2d(3, 8, (3, 3, 3)),
     "DefinitionError: kernel_size must be a whole number or a tuple of 2, not (3, 3, 3)\n"
     "  at  HERE"),
    (lambda x, s, v: nn.Conv2d(3, 8, 3, padding_mode="mirror"),
     "UnsupportedError: Conv2d: padding_mode='mirror' is not supported\n  at   HERE\n"
     "  fix  use zeros, reflect, replicate, circular"),
    (lambda x, s, v: nn.ConvTranspose1d(3, 8, 3, output_padding=1)(s),
     "DefinitionError: conv_transpose1d: output_padding must be less than stride or dilation\n"
     "  at      HERE, layer convtranspose1d\n  s       [n, 3, 8]\n  weight  [3, 8, 3]\n  bias    [8]"),
    (lambda x, s, v: nn.ConvTranspose1d(3, 8, 3, stride=2)(s, output_size=30),
     "DefinitionError: convtranspose1d cannot make axis -1 30 long: it can be 17 to 18\n"
     "  at  HERE, layer convtranspose1d"),
    (lambda x, s, v: nn.MaxPool2d(2, padding=2)(x),
     "DefinitionError: max_pool2d: padding=2 must be at most half of the window, which reaches "
     "over 2 entries\n  at  HERE, layer maxpool2d\n  x   [n, 3, 8, 8]"),
    (lambda x, s, v: nn.AvgPool1d(9)(s),
     "ShapeError: avg_pool1d: no window of 9 entries fits into an axis of 8\n"
     "  at  HERE, layer avgpool1d\n  s   [n, 3, 8]"),
    (lambda x, s, v: nn.functional.avg_pool2d(v, 2),
     "ShapeError: avg_pool2d: the input must be [n, channels, height, width], or the same without "
     "n\n  at     HERE\n  input  [3]"),
    (lambda x, s, v: nn.AdaptiveAvgPool1d(0)(s),
     "DefinitionError: adaptive_avg_pool1d: output_size must be a whole number >= 1 or None for "
     "each of 1 axes, not 0\n  at  HERE, layer adaptiveavgpool1d\n  s   [n, 3, 8]"),
    (lambda x, s, v: nn.ReflectionPad1d(8)(s),
     "ShapeError: pad: a reflected margin of 8 needs more than 8 entries on axis 2\n"
     "  at  HERE, layer reflectionpad1d\n  s   [n, 3, 8]"),
    (lambda x, s, v: nn.CircularPad1d(9)(s),
     "ShapeError: pad: a circular margin of 9 needs at least as many entries on axis 2, which has "
     "8\n  at  HERE, layer circularpad1d\n  s   [n, 3, 8]"),
    (lambda x, s, v: nn.functional.pad(s, (1, 2, 3)),
     "DefinitionError: pad: pad must be a tuple of (before, after) for some of the 3 last axes, not "
     "(1, 2, 3)\n  at  HERE\n  s   [n, 3, 8]"),
    (lambda x, s, v: nn.functional.pad(s, (-5, -5)),
     "ShapeError: pad: the margins (-5, -5) cut away more than the 8 of axis 2\n"
     "  at  HERE\n  s   [n, 3, 8]"),
    (lambda x, s, v: nn.Fold((4, 4), 2)(s),
     "ShapeError: fold: 3 rows are not a multiple of the 4 entries of a window\n"
     "  at  HERE, layer fold\n  s   [n, 3, 8]"),
    (lambda x, s, v: nn.MaxUnpool1d(3, 2)(s, sg.argmax(x, 3)),
     "UnsupportedError: max_unpool1d: where windows overlap an index can stand twice, and PyTorch "
     "does not say which entry it keeps\n  at       HERE, layer maxunpool1d\n"
     "  s        [n, 3, 8]\n  indices  [n, 3, 8]\n"
     "  fix      let the stride be at least the kernel_size"),
]  # fmt: skip


@pytest.mark.parametrize("define, message", MESSAGES, ids=[m.split("\n")[0] for _, m in MESSAGES])
def test_messages(define: Callable[..., Any], message: str) -> None:
    assert message_of(lambda: define(*inputs())) == message
