"""Random models, compiled and called, against JAX's derivatives of the same text."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from random_models import PLAIN, RandomModel, random_model

import symgrad as sg
from symgrad.program.verify import verify

try:
    import jax
except ImportError:
    jax = None
FUNCTIONS = ("forward", "loss", "value_and_grad", "input_grad", "jvp", "vjp", "hvp", "hessian")


def twin() -> SimpleNamespace:
    """JAX's NumPy, with the names that symgrad adds."""
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    names = {name: getattr(jnp, name) for name in dir(jnp) if not name.startswith("_")}
    more = {"norm": jnp.linalg.norm, "logsumexp": jax.scipy.special.logsumexp,
            "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus, "relu": jax.nn.relu,
            "softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax}  # fmt: skip
    return SimpleNamespace(**{**names, **more, "take": _take(jnp), "mean": _mean(jnp)})


def _mean(jnp: Any) -> Callable[..., Any]:
    return lambda a, **more: jnp.mean(a * 1.0, **more)  # of a mask, JAX's is a float32


def _take(jnp: Any) -> Callable[..., Any]:
    return lambda a, indices, axis: jnp.take(a, jnp.asarray(indices), axis=axis)


class Arguments:
    """The arguments of the functions of a compiled random model."""

    def __init__(self, random_: RandomModel, net: Any, dtype: Any = np.float64) -> None:
        noise = np.random.default_rng(7)
        cast = lambda v: v.astype(dtype) if v.dtype.kind == "f" else v  # noqa: E731
        size = lambda shape: tuple(random_.sizes.get(s, s) for s in shape)  # noqa: E731
        self.params = {p: cast(random_.values[p]) for p in random_.parameters}
        self.inputs = {i: cast(random_.values[i]) for i in random_.inputs if i in net.INPUTS}
        self.tangents = {
            p: cast(np.asarray(noise.uniform(-1, 1, v.shape))) for p, v in self.params.items()
        }
        self.rng, self.cast, self.size = noise, cast, size


def alone(outputs: dict[str, Any]) -> Any:
    return outputs if len(outputs) > 1 else next(iter(outputs.values()))


def ours(random_: RandomModel, net: Any, arguments: Arguments, cotangents: Any) -> dict[str, Any]:
    """What the module computes."""
    a = arguments
    results: dict[str, Any] = {}

    for function in FUNCTIONS:
        if not hasattr(net, function):
            continue
        more: tuple[Any, ...] = ()
        if function in ("jvp", "hvp"):
            more = (a.tangents,)
        if function == "vjp":
            more = (alone(cotangents),)
        results[function] = call(net, function, a, *more)
    return results


def theirs(random_: RandomModel, net: Any, arguments: Arguments, cotangents: Any) -> dict[str, Any]:
    """The same by JAX."""
    np_like = twin()
    a = arguments
    floats = {k: v for k, v in a.inputs.items() if v.dtype.kind == "f"}
    rest = {
        k: jax.numpy.asarray(v)
        for k, v in random_.values.items()
        if k not in a.params and k not in floats
    }

    def loss(p: Any, x: Any) -> Any:
        return random_.run(np_like, {**rest, **p, **x})[0]

    def forward(p: Any, x: Any) -> Any:
        return random_.run(np_like, {**rest, **p, **x})[1]

    def everything(p: Any, x: Any, t: Any, c: Any) -> dict[str, Any]:
        gradient = jax.grad(loss)
        results: dict[str, Any] = {
            "loss": loss(p, x),
            "value_and_grad": (loss(p, x), gradient(p, x)),
        }
        results["hvp"] = jax.jvp(lambda q: gradient(q, x), (p,), (t,))[1]
        if hasattr(net, "hessian"):
            results["hessian"] = jax.hessian(loss)(p, x)
        if floats:
            results["input_grad"] = jax.grad(lambda y: loss(p, {**x, **y}))(
                {k: x[k] for k in floats}
            )
        if hasattr(net, "vjp"):
            results["forward"] = alone(forward(p, x))
            outputs, change = jax.jvp(lambda q: forward(q, x), (p,), (t,))
            results["jvp"] = (alone(outputs), alone(change))
            outputs, pull = jax.vjp(lambda q: forward(q, x), p)
            results["vjp"] = (alone(outputs), pull(c)[0])
        else:
            results["jvp"] = jax.jvp(lambda q: loss(q, x), (p,), (t,))
        return results

    results = jax.jit(everything)(a.params, a.inputs, a.tangents, cotangents)
    return {k: v for k, v in results.items() if hasattr(net, k)}


def differences(mine: Any, theirs: Any, rtol: float, path: str = "") -> list[str]:
    """Where two trees of arrays differ."""
    if isinstance(theirs, dict):
        found = [] if set(mine) == set(theirs) else [f"{path}: keys {list(mine)}, {list(theirs)}"]
        return found + [
            d
            for k in theirs
            if k in mine
            for d in differences(mine[k], theirs[k], rtol, f"{path}.{k}")
        ]
    if isinstance(theirs, tuple):
        return [
            d
            for i, (m, t) in enumerate(zip(mine, theirs, strict=True))
            for d in differences(m, t, rtol, f"{path}[{i}]")
        ]
    theirs = np.asarray(theirs, float)
    if np.shape(mine) != theirs.shape:
        return [f"{path}: shape {np.shape(mine)} instead of {theirs.shape}"]
    scale = 1 + np.max(np.abs(theirs), initial=0, where=np.isfinite(theirs))
    if not np.allclose(mine, theirs, rtol=rtol, atol=rtol * scale, equal_nan=True):
        return [f"{path}: {mine} instead of {theirs}"]
    return []


def possible(random_: RandomModel, model: Any) -> tuple[str, ...]:
    """The functions that a model can have."""
    names = [f for f in FUNCTIONS if random_.outputs or f not in ("forward", "vjp")]
    read = {leaf.name for leaf in model.inputs}
    if not any(d == "float" and i in read for i, (_, d) in random_.inputs.items()):
        names.remove("input_grad")
    return tuple(names)


def check_model(random_: RandomModel, lint: bool = False) -> list[str]:
    """What is wrong with the compiled model, in words."""
    if 0 in random_.sizes.values() and "= 0 / " in random_.text():
        return []  # known: an infinite constant summed over no entries gives nan, not 0
    model = random_.model()
    compiled = sg.compile(model, emit=possible(random_, model))
    for plan in compiled.plans:
        verify(plan)
    net = compiled.load()
    a = Arguments(random_, net)
    before = {k: v.copy() for k, v in {**a.params, **a.inputs}.items()}
    plain_loss, plain_outputs = random_.run(PLAIN, dict(random_.values))
    cotangents = {
        k: np.asarray(a.rng.uniform(-1, 1, np.shape(v))) for k, v in plain_outputs.items()
    }
    try:
        mine = ours(random_, net, a, cotangents)
    except ValueError as refusal:
        if 0 in random_.sizes.values() and "; pass a larger" in str(refusal):
            return []  # a mean or a maximum of nothing is refused; NumPy gives nan
        raise
    wrong = [
        f"{k} was written to"
        for k, v in {**a.params, **a.inputs}.items()
        if not np.array_equal(v, before[k])
    ]
    if jax is not None:
        wrong += differences(mine, theirs(random_, net, a, cotangents), 1e-8)
    wrong += differences(mine["loss"], plain_loss, 1e-9, "NumPy: loss")
    if "forward" in mine:
        wrong += differences(mine["forward"], alone(plain_outputs), 1e-9, "NumPy: forward")
    single = Arguments(random_, net, np.float32)
    of32 = ours(random_, net, single, {k: v.astype(np.float32) for k, v in cotangents.items()})
    wrong += [f"float32 {d}" for d in differences(of32, mine, 2e-3)]
    wrong += [f"{p}: type {v.dtype}" for p, v in leaves_of(of32) if v.dtype != np.float32]
    wrong += [f"64: {p}: type {v.dtype}" for p, v in leaves_of(mine) if v.dtype != np.float64]
    if lint:
        wrong += lint_errors(compiled.source)
    return wrong


def leaves_of(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(tree, dict):
        return [x for k, v in tree.items() for x in leaves_of(v, f"{path}.{k}")]
    if isinstance(tree, tuple):
        return [x for k, v in enumerate(tree) for x in leaves_of(v, f"{path}[{k}]")]
    return [(path, tree)]


def lint_errors(source: str) -> list[str]:
    compile(source, "module", "exec")
    ruff = shutil.which(
        "ruff", path=str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    )
    if ruff is None:
        return []
    result = subprocess.run(
        [
            ruff,
            "check",
            "--isolated",
            "--select",
            "E4,E7,E9,F,W,I,UP,C4",
            "--line-length",
            "100",
            "-q",
            "--stdin-filename",
            "m.py",
            "-",
        ],
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    return [result.stdout] if result.returncode else []


def check_other_sizes(random_: RandomModel) -> int:
    """Calls one module with arrays of many sizes; returns how many NumPy could judge."""
    functions = ["forward", "loss"] if random_.outputs else ["loss"]
    net = sg.compile(random_.model(), functions).load()
    judged = 0
    for n, m in product((0, 1, 2, 4, 5), (1, 2, 3)):
        other = random_.resized({"n": n, "m": m})
        try:
            expected, outputs = other.run(PLAIN, dict(other.values))
        except (ValueError, IndexError, ZeroDivisionError):
            continue  # the definition has no meaning for these sizes
        arguments = Arguments(other, net)
        try:
            mine = {f: call(net, f, arguments) for f in functions}
        except (ValueError, IndexError):
            continue  # refused: a slice or an index asks for more entries
        if "squeeze" in other.text() and 1 in (n, m):
            continue  # NumPy drops more axes than the definition can promise
        if "** -1" in other.text() and not np.isfinite(mine["loss"]):
            continue  # a pole, met exactly: log_softmax of one entry is 0, not NumPy's rounding
        if np.isfinite(expected):
            assert not differences(mine["loss"], expected, 1e-8), (other.text(), n, m)
        for name, value in outputs.items():
            if np.isfinite(value).all():
                own = mine["forward"][name] if len(outputs) > 1 else mine["forward"]
                assert not differences(own, value, 1e-8, name), (other.text(), n, m)
        judged += 1
    return judged


def call(net: Any, function: str, arguments: Arguments, *more: Any) -> Any:
    """A function of the module with those of the arguments that it takes."""
    target = getattr(net, function)
    takes = inspect.signature(target).parameters
    return target(
        arguments.params, *more, **{k: v for k, v in arguments.inputs.items() if k in takes}
    )


quiet = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.mark.parametrize("seed", range(24))
def test_against_jax(seed: int) -> None:
    random_ = random_model(seed, 3 + seed % 6)
    assert check_model(random_, lint=True) == [], random_.text()


@quiet
def test_one_module_serves_every_size() -> None:
    assert (
        sum(check_other_sizes(random_model(seed, 3 + seed % 6)) for seed in range(100, 180)) > 600
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_larger_models_against_jax(seed: int) -> None:
    random_ = random_model(seed, (6, 10, 16, 24)[seed % 4])
    assert check_model(random_, lint=seed % 10 == 0) == [], random_.text()


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2000, 2300))
def test_larger_models_serve_every_size(seed: int) -> None:
    check_other_sizes(random_model(seed, (4, 8, 12)[seed % 3]))


def test_a_model_is_drawn_again_from_its_seed() -> None:
    assert random_model(5, 8).text() == random_model(5, 8).text()


def test_differences_sees_a_wrong_slope() -> None:
    right = {"w": np.array([1.0, 2.0])}
    assert differences({"w": np.array([1.0, 2.001])}, right, 1e-4)
    assert differences({"w": np.array([1.0])}, right, 1e-4)
    assert differences({}, right, 1e-4)
    assert not differences({"w": np.array([1.0, 2.0])}, right, 1e-4)
