"""The emitted per-example gradients against JAX's vmap of grad, and how their code reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import nn
from symgrad.compiler import Compiled
from symgrad.expr.contraction import Contraction
from symgrad.expr.leaf import Named
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.reindex import Reshape
from symgrad.expr.walk import postorder

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "digits_mlp.py"
COUNT = 6
n = sg.dim("n")
rng = np.random.default_rng(7)
CLASSES = rng.integers(0, 4, COUNT)


def mean_squared_error() -> sg.Model:
    x, t = sg.input("x", (n, 3)), sg.input("t", (n, 1))
    h = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))(x)
    return sg.Model("squares", loss=nn.functional.mse_loss(h, t), outputs={"h": h})


def cross_entropy() -> sg.Model:
    x, y = sg.input("x", (n, 3)), sg.input("y", (n,), dtype="int")
    z = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4))(x)
    return sg.Model("classes", loss=nn.functional.cross_entropy(z, y))


def cross_entropy_with_l2() -> sg.Model:
    x, y = sg.input("x", (n, 3)), sg.input("y", (n,), dtype="int")
    W, b = sg.parameter("W", (3, 4)), sg.parameter("b", (4,))
    loss = nn.functional.cross_entropy(x @ W + b, y)
    return sg.Model("penalty", loss=loss + 0.1 * sg.sum(W**2))


def scalar_parameters() -> sg.Model:
    x, t = sg.input("x", (n, 3)), sg.input("t", (n,))
    s, w, c = sg.parameter("s", ()), sg.parameter("w", (3,)), sg.parameter("c", (1,))
    p = sg.exp(s) * sg.tanh(x @ w) + c
    return sg.Model("scalars", loss=sg.mean((p - t) ** 2) + s**2)


def logistic() -> sg.Model:
    x, t = sg.input("x", (n, 3)), sg.input("t", (n,))
    w, b = sg.parameter("w", (3,)), sg.parameter("b", ())
    loss = nn.functional.binary_cross_entropy_with_logits(x @ w + b, t)
    return sg.Model("logistic", loss=loss)


def unit_axes_of_the_user() -> sg.Model:
    """An attention over one head, columns, a parameter of size 1, and one that nothing reads."""
    x, t = sg.input("x", (n, 1, 3)), sg.input("t", (n, 1))
    W, k = sg.parameter("W", (1, 3, 1)), sg.parameter("k", (1, 1))
    scores = sg.softmax(x * sg.transpose(W, (0, 2, 1)), axis=2)
    h = sg.sum(scores * x, axis=2) * k
    return sg.Model("units", loss=sg.sum((h - t) ** 2) + sg.sum(sg.max(W, axis=2)))


def _jax_reference(name: str, jax: Any) -> Callable[..., Any]:
    """The loss of one example, written in JAX's own terms."""
    jnp, log_softmax = jax.numpy, jax.nn.log_softmax

    def layers(p: Any, x: Any, activation: Any) -> Any:
        h = activation(x @ p["0.weight"].T + p["0.bias"])
        return h @ p["2.weight"].T + p["2.bias"]

    def units(p: Any, x: Any, t: Any) -> Any:
        scores = jax.nn.softmax(x * jnp.transpose(p["W"], (0, 2, 1))[0], axis=-1)
        h = jnp.sum(scores * x) * p["k"][0, 0]
        return (h - t[0]) ** 2 + jnp.sum(p["W"])

    losses: dict[str, Callable[..., Any]] = {
        "squares": lambda p, x, t: jnp.sum((layers(p, x, jnp.tanh) - t) ** 2),
        "classes": lambda p, x, y: -log_softmax(layers(p, x, jax.nn.relu))[y],
        "penalty": lambda p, x, y: (
            -log_softmax(x @ p["W"] + p["b"])[y] + 0.1 * jnp.sum(p["W"] ** 2)
        ),
        "scalars": lambda p, x, t: (
            (jnp.exp(p["s"]) * jnp.tanh(x @ p["w"]) + p["c"][0] - t) ** 2 + p["s"] ** 2
        ),
        "logistic": lambda p, x, t: (
            jnp.logaddexp(0, x @ p["w"] + p["b"]) - t * (x @ p["w"] + p["b"])
        ),
        "units": units,
    }
    return losses[name]


def drawn(model: sg.Model) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    def shape(leaf: Named) -> list[int]:
        return [COUNT if size == n else int(size) for size in leaf.shape]

    params = {leaf.name: rng.normal(size=shape(leaf)) for leaf in model.parameters}
    inputs = {
        leaf.name: CLASSES if leaf.dtype == "int" else rng.normal(size=shape(leaf))
        for leaf in model.inputs
    }
    return params, inputs


MODELS = (
    mean_squared_error,
    cross_entropy,
    cross_entropy_with_l2,
    scalar_parameters,
    logistic,
    unit_axes_of_the_user,
)


@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_against_vmap_of_grad(build: Callable[[], sg.Model]) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    model = build()
    params, inputs = drawn(model)
    found = sg.compile(model, emit=["per_example_grad"]).load().per_example_grad(params, **inputs)
    loss = _jax_reference(model.name, jax)
    each = jax.jit(jax.vmap(jax.grad(loss), (None, *(0 for _ in inputs))))
    wanted = {name: np.asarray(array) for name, array in each(params, *inputs.values()).items()}
    assert set(found) == set(wanted) == set(params)
    for name, array in found.items():
        assert array.dtype == wanted[name].dtype == np.float64
        assert array.shape == (COUNT, *params[name].shape)
        np.testing.assert_allclose(array, wanted[name], rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_against_one_example_at_a_time(build: Callable[[], sg.Model]) -> None:
    """Also where JAX is missing: the gradient of a batch of one is that example's."""
    model = build()
    params, inputs = drawn(model)
    module = sg.compile(model, emit=["value_and_grad", "per_example_grad"]).load()
    together = module.per_example_grad(params, **inputs)
    for k in range(COUNT):
        one = {name: np.ascontiguousarray(array[k : k + 1]) for name, array in inputs.items()}
        _, alone = module.value_and_grad(params, **one)
        for name, array in together.items():
            np.testing.assert_allclose(array[k], alone[name], rtol=1e-10, atol=1e-12)


def test_no_examples() -> None:
    model = cross_entropy()
    params, _ = drawn(model)
    module = sg.compile(model, emit=["per_example_grad"]).load()
    nobody = module.per_example_grad(params, x=np.zeros((0, 3)), y=np.zeros(0, int))
    assert {name: array.shape for name, array in nobody.items()} == {
        name: (0, *array.shape) for name, array in params.items()
    }


def test_large_logits_stay_exact() -> None:
    """The logsumexp of one example is read relative to its maximum, as that of a batch is."""
    z, y = sg.parameter("z", (4,)), sg.input("y", (n,), dtype="int")
    x = sg.input("x", (n, 4))
    model = sg.Model("large", loss=nn.functional.cross_entropy(x + z, y))
    module = sg.compile(model, emit=["per_example_grad"]).load()
    logits = 1e9 * np.arange(4.0) + np.zeros((2, 1))
    found = module.per_example_grad({"z": np.zeros(4)}, x=logits, y=np.array([3, 0]))
    np.testing.assert_array_equal(found["z"], [[0, 0, 0, 0], [-1, 0, 0, 1]])


def body(compiled: Compiled) -> str:
    """The statements of per_example_grad, without the checks of its arguments."""
    return compiled.source.split("_refuse(")[1].split("\ndef ")[0].split("\n", 1)[1]


@pytest.fixture(scope="module")
def digits() -> Compiled:
    return sg.compile(sg.load_model(str(EXAMPLE)), emit=["per_example_grad"])


def test_the_digits_read_as_written_by_hand(digits: Compiled) -> None:
    text = body(digits)
    equations = re.findall(r"# \(\d+\) (\w+) =", text)
    assert equations == [
        "linear_0",
        "relu_1",
        "logits",
        "logits_shifted",
        "d_logits",
        "d_weight_2",
        "d_relu_1",
        "d_linear_0",
        "d_weight_0",
    ]
    assert "linear_0 = x @ weight_0.T + bias_0   [n, 128]" in text
    assert "relu_1 = relu(linear_0)   [n, 128]" in text
    assert "logits = relu_1 @ weight_2.T + bias_2   [n, 10]" in text
    assert "d_weight_2 = d_logits[:, :, None] * relu_1[:, None]" in text
    assert "d_weight_0 = d_linear_0[:, :, None] * x[:, None]" in text
    assert "d_logits[rows, y] -= 1" in text, "labels are picked, one per row"
    assert '"2.bias": d_logits,' in text and '"0.bias": d_linear_0,' in text


def test_no_value_of_the_digits_has_an_axis_of_size_one(digits: Compiled) -> None:
    (derived,) = digits.derived
    nodes = postorder(derived.form.outputs.values())
    assert not any(isinstance(node, LogSumExp) for node in nodes)
    for node in nodes:
        is_view = isinstance(node, Reshape) or (isinstance(node, Contraction) and node.is_view)
        assert is_view or not node.operands or 1 not in node.shape, node
    assert ", 1, " not in re.sub(r"#\s+\(\d+\)", "", body(digits))


def test_cotangents_are_called_after_what_they_are_of() -> None:
    text = body(sg.compile(mean_squared_error(), emit=["per_example_grad"]))
    equations = re.findall(r"# \(\d+\) (\w+) =", text)
    assert equations == [
        "linear_0", "tanh_1", "h", "d_h", "d_weight_2", "d_tanh_1", "d_linear_0", "d_weight_0",
    ]  # fmt: skip
    assert "[n, 1" not in text
    assert "# (1) d_b = sigmoid(x @ w + b) - t   [n]" in body(
        sg.compile(logistic(), emit=["per_example_grad"])
    )


@pytest.mark.parametrize("function", ["forward", "value_and_grad", "vjp"])
def test_other_functions_keep_the_shapes_of_the_user(function: str) -> None:
    text = sg.compile(mean_squared_error(), emit=[function]).source
    assert re.search(r"h = tanh_1 @ weight_2.T \+ bias_2   \[n, 1\]", text)
