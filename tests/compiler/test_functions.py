"""Every kind of function, called through a compiled module, against JAX's derivative."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.model.model import Model

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy
Case = tuple[Model, Callable[..., Any] | None, Callable[..., dict[str, Any]] | None]


def multi_output() -> Case:
    """Outputs of several shapes; a parameter that only one of them reads."""
    n = sg.dim("n")
    x, w = sg.input("x", (n, 3)), sg.parameter("w", (3, 2))
    b, unused_by_h = sg.parameter("b", (2,)), sg.parameter("scale", ())
    h = sg.tanh(x @ w + b)
    outputs = {"h": h, "t_h": sg.sum(h, axis=1) * unused_by_h, "total": sg.sum(h**2)}
    model = sg.Model("multi_output", loss=sg.mean(h**2) + unused_by_h**2, outputs=outputs)

    def forward(p: Any, x: Any) -> dict[str, Any]:
        h = jnp.tanh(x @ p["w"] + p["b"])
        return {"h": h, "t_h": h.sum(1) * p["scale"], "total": (h**2).sum()}

    return model, lambda p, x: (forward(p, x)["h"] ** 2).mean() + p["scale"] ** 2, forward


def tied_weights() -> Case:
    """An autoencoder that uses one matrix twice, the second time transposed."""
    n = sg.dim("n")
    x, w = sg.input("x", (n, 4)), sg.parameter("w", (4, 2))
    code = sg.sigmoid(x @ w)
    model = sg.Model("tied_weights", loss=sg.mean((code @ w.T - x) ** 2), outputs={"code": code})

    def forward(p: Any, x: Any) -> dict[str, Any]:
        return {"code": jax.nn.sigmoid(x @ p["w"])}

    return model, lambda p, x: ((forward(p, x)["code"] @ p["w"].T - x) ** 2).mean(), forward


def same_twice() -> Case:
    """One tensor as both operands, and one returned under two names."""
    n = sg.dim("n")
    x, w = sg.input("x", (n,)), sg.parameter("w", (n,))
    h = sg.exp(x * w)
    outputs = {"first": h, "second": h, "w": w}
    model = sg.Model("same_twice", loss=sg.dot(h, h) + sg.sum(w * w), outputs=outputs)

    def forward(p: Any, x: Any) -> dict[str, Any]:
        h = jnp.exp(x * p["w"])
        return {"first": h, "second": h, "w": p["w"]}

    return model, lambda p, x: (jnp.exp(x * p["w"]) ** 2).sum() + (p["w"] ** 2).sum(), forward


def scalars_only() -> Case:
    """Parameters and inputs without axes."""
    x, a, b = sg.input("x", ()), sg.parameter("a", ()), sg.parameter("b", ())
    model = sg.Model(
        "scalars_only", loss=(a * sg.sin(b * x)) ** 2, outputs={"s": a * sg.sin(b * x)}
    )

    def forward(p: Any, x: Any) -> dict[str, Any]:
        return {"s": p["a"] * jnp.sin(p["b"] * x)}

    return model, lambda p, x: forward(p, x)["s"] ** 2, forward


def quadratic() -> Case:
    """A Hessian that reads neither the parameters nor, but for its size, the input."""
    n = sg.dim("n")
    x, w, c = sg.input("x", (n,)), sg.parameter("w", (2,)), sg.parameter("c", (2,))
    loss = sg.sum(w**2) / n + sg.sum(w * c) + sg.sum(x) * sg.sum(c)
    model = sg.Model("quadratic", loss=loss)
    return model, lambda p, x: (
        (p["w"] ** 2).sum() / len(x) + (p["w"] * p["c"]).sum() + x.sum() * p["c"].sum()
    ), None  # fmt: skip


def zero_gradient() -> Case:
    """One parameter whose gradient is identically zero, though the loss reads it."""
    x, w, z = sg.input("x", (3,)), sg.parameter("w", (3,)), sg.parameter("z", (3,))
    model = sg.Model("zero_gradient", loss=sg.sum(x * w**3) + sg.sum(sg.sign(z)), outputs={"o": z})
    return (
        model,
        (lambda p, x: (x * p["w"] ** 3).sum() + jnp.sign(p["z"]).sum()),
        lambda p, x: {"o": p["z"]},
    )


def linear_loss() -> Case:
    """Second derivatives that are zero everywhere."""
    x, w = sg.input("x", (3,)), sg.parameter("w", (3,))
    return (
        sg.Model("linear_loss", loss=x @ w, outputs={"o": 2 * w}),
        lambda p, x: x @ p["w"],
        lambda p, x: {"o": 2 * p["w"]},
    )


CASES = {
    f.__name__: f
    for f in (multi_output, tied_weights, same_twice, scalars_only, quadratic, zero_gradient,
              linear_loss)
}  # fmt: skip
FUNCTIONS = ("loss", "value_and_grad", "input_grad", "jvp", "vjp", "hvp", "hessian", "jacobian",
             "per_example_grad")  # fmt: skip


@cache
def functions_of(name: str) -> tuple[str, ...]:
    """The functions that a case can have."""
    model = CASES[name]()[0]
    return tuple(f for f in FUNCTIONS if _possible(model, f))


@cache
def module_of(name: str) -> types.ModuleType:
    return sg.compile(CASES[name]()[0], functions_of(name)).load()


class Bench:
    """A compiled case at random arguments, beside JAX's version of it."""

    def __init__(self, name: str) -> None:
        self.model, self.loss, self.forward = CASES[name]()
        self.functions = functions_of(name)
        self.net = module_of(name)
        rng = np.random.default_rng(3)
        size = lambda shape: tuple(4 if s == "n" else s for s in shape)  # noqa: E731
        draw = lambda table: {  # noqa: E731
            k: np.asarray(rng.standard_normal(size(s))) for k, (s, _) in table.items()
        }
        self.params, self.tangents = draw(self.net.PARAMETERS), draw(self.net.PARAMETERS)
        self.inputs = draw(self.net.INPUTS)
        self.cotangents = draw(self.net.OUTPUTS) if self.model.outputs else {}

    def call(self, function: str, *more: Any) -> Any:
        target = getattr(self.net, function)
        takes = inspect.signature(target).parameters
        return target(self.params, *more, **{k: v for k, v in self.inputs.items() if k in takes})

    def of_params(self, function: Callable[..., Any]) -> Callable[[Any], Any]:
        return lambda p: function(p, **self.inputs)


def _possible(model: Model, function: str) -> bool:
    try:
        sg.compile(model, [function])
    except sg.SymgradError:
        return False
    return True


def alone(outputs: dict[str, Any]) -> Any:
    return outputs if len(outputs) > 1 else next(iter(outputs.values()))


def agree(mine: Any, theirs: Any) -> None:
    if isinstance(theirs, dict):
        assert list(mine) == sorted(mine, key=list(mine).index) and set(mine) == set(theirs)
        for key in theirs:
            agree(mine[key], theirs[key])
        return
    assert np.shape(mine) == np.shape(theirs)
    np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)


each_case = pytest.mark.parametrize("name", CASES)


@each_case
def test_gradients(name: str) -> None:
    bench = Bench(name)
    assert bench.loss is not None
    value, grads = jax.jit(jax.value_and_grad(bench.of_params(bench.loss)))(bench.params)
    mine, my_grads = bench.call("value_and_grad")
    agree(mine, value)
    agree(bench.call("loss"), value)
    agree(my_grads, grads)
    assert list(my_grads) == list(bench.net.PARAMETERS)
    slopes = jax.grad(lambda i: bench.loss(bench.params, **i))(bench.inputs)  # type: ignore[misc]
    agree(bench.call("input_grad"), slopes)


@each_case
def test_second_derivatives(name: str) -> None:
    bench = Bench(name)
    assert bench.loss is not None
    gradient = jax.grad(bench.of_params(bench.loss))
    agree(bench.call("hessian"), jax.jit(jax.hessian(bench.of_params(bench.loss)))(bench.params))
    product = jax.jit(lambda p, t: jax.jvp(gradient, (p,), (t,))[1])(bench.params, bench.tangents)
    agree(bench.call("hvp", bench.tangents), product)


@each_case
def test_derivatives_of_outputs(name: str) -> None:
    bench = Bench(name)
    if bench.forward is None:
        outputs, changes = jax.jvp(
            bench.of_params(bench.loss),
            (bench.params,),
            (bench.tangents,),  # type: ignore[arg-type]
        )
        mine, my_changes = bench.call("jvp", bench.tangents)
        agree(mine, outputs)
        agree(my_changes, changes)
        assert "vjp" not in bench.functions and "jacobian" not in bench.functions
        return
    forward = bench.of_params(bench.forward)
    push = jax.jit(lambda p, t: jax.jvp(forward, (p,), (t,)))
    outputs, changes = push(bench.params, bench.tangents)
    mine, my_changes = bench.call("jvp", bench.tangents)
    agree(mine, alone(outputs))
    agree(my_changes, alone(changes))
    outputs, pull = jax.vjp(forward, bench.params)
    mine, my_grads = bench.call("vjp", alone(bench.cotangents))
    agree(mine, alone(outputs))
    agree(my_grads, pull(bench.cotangents)[0])
    agree(bench.call("jacobian"), alone(jax.jit(jax.jacobian(forward))(bench.params)))


@each_case
def test_examples_one_at_a_time(name: str) -> None:
    bench = Bench(name)
    if "per_example_grad" not in bench.functions:
        assert name in ("scalars_only", "zero_gradient", "linear_loss", "same_twice")
        return
    assert bench.loss is not None
    mine = bench.call("per_example_grad")
    for i in range(4):
        one = {k: v[i : i + 1] for k, v in bench.inputs.items()}
        theirs = jax.grad(lambda p, one=one: bench.loss(p, **one))(bench.params)  # type: ignore[misc]
        agree({k: g[i] for k, g in mine.items()}, theirs)


@each_case
def test_the_type_is_kept_where_nothing_is_read(name: str) -> None:
    bench = Bench(name)
    single = lambda d: {k: a.astype(np.float32) for k, a in d.items()}  # noqa: E731
    bench.params, bench.inputs, bench.tangents = map(
        single, (bench.params, bench.inputs, bench.tangents)
    )
    results = [bench.call("hessian"), bench.call("hvp", bench.tangents), bench.call("input_grad"),
               bench.call("value_and_grad")]  # fmt: skip
    for array in jax.tree.leaves(results):
        assert array.dtype == np.float32


@each_case
def test_results_share_no_memory(name: str) -> None:
    bench = Bench(name)
    for function in ("hessian", "value_and_grad", *(["jacobian"] if bench.forward else [])):
        arrays = jax.tree.leaves(bench.call(function))
        arguments = jax.tree.leaves([bench.params, bench.inputs])
        for k, a in enumerate(arrays):
            for b in (*arrays[k + 1 :], *arguments):
                assert not np.shares_memory(a, b)
