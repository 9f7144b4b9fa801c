"""Small models that the tests of emitted modules share, each made anew by a function."""

from __future__ import annotations

import inspect
import types
from functools import lru_cache
from typing import Any

import numpy as np

import symgrad as sg
from symgrad import nn
from symgrad.model.model import Model


def classifier() -> Model:
    """A hidden layer, class indices as labels: the usual case."""
    n = sg.dim("n")
    x = sg.input("x", (n, 3))
    y = sg.input("y", (n,), dtype="int")
    logits = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))(x)
    return sg.Model(
        "classifier",
        loss=nn.functional.cross_entropy(logits, y),
        outputs={"probabilities": sg.softmax(logits, axis=-1)},
    )


def ridge() -> Model:
    """Linear regression with a parameter and an input that have no axes."""
    n = sg.dim("n")
    x, t = sg.input("x", (n, 2)), sg.input("t", (n,))
    penalty = sg.input("penalty", ())
    w, b = sg.parameter("w", (2,)), sg.parameter("b", ())
    fitted = x @ w + b
    loss = sg.mean((fitted - t) ** 2) + penalty * sg.sum(w**2)
    return sg.Model("ridge", loss=loss, outputs={"fitted": fitted})


def two_outputs() -> Model:
    """Outputs of different shapes, one of them of whole numbers; no loss."""
    n = sg.dim("n")
    x = sg.input("x", (n, 3))
    w = sg.parameter("w", (3, 2))
    h = sg.tanh(x @ w)
    return sg.Model(
        "two_outputs", outputs={"h": h, "total": sg.sum(h**2, axis=1), "best": sg.argmax(h, axis=1)}
    )


def counted() -> Model:
    """Inputs of whole numbers and of truth values, with and without axes."""
    n = sg.dim("n")
    x = sg.input("x", (n, 2))
    counts = sg.input("counts", (n,), dtype="int")
    kept = sg.input("kept", (n,), dtype="bool")
    power = sg.input("power", (), dtype="int")
    flag = sg.input("flag", (), dtype="bool")
    w = sg.parameter("w", (2,))
    terms = sg.where(kept, sg.exp(x @ w) - (counts * 300) * (x @ w), 0.5)
    return sg.Model("counted", loss=sg.sum(terms) * power + sg.where(flag, 1.0, 2.0) * w[0])


def symbolic() -> Model:
    """Parameters whose sizes are known only when the module is called."""
    n, d = sg.dim("n"), sg.dim("d")
    x, t = sg.input("x", (n, d)), sg.input("t", (n, 2 * d))
    w = sg.parameter("w", (d, 2 * d))
    return sg.Model("symbolic", loss=sg.sum((x @ w - t) ** 2), outputs={"p": x @ w})


def linear_part() -> Model:
    """A loss that is linear in one parameter: no second derivative reads it."""
    n = sg.dim("n")
    x = sg.input("x", (n, 2))
    w, shift = sg.parameter("w", (2,)), sg.parameter("shift", (2,))
    return sg.Model("linear_part", loss=sg.mean((x @ w) ** 2) + sg.sum(shift), outputs={"p": x @ w})


MODELS = {f.__name__: f for f in (classifier, ridge, two_outputs, counted, symbolic, linear_part)}
Arrays = dict[str, Any]


@lru_cache(maxsize=64)
def module_of(name: str, *functions: str) -> types.ModuleType:
    """The live module of one of MODELS."""
    return sg.compile(MODELS[name](), functions or None).load()


def call_of(name: str, n: int = 5, dtype: Any = np.float64, seed: int = 0) -> tuple[Arrays, Arrays]:
    """Parameters and inputs of one of MODELS."""
    net = module_of(name)
    rng = np.random.default_rng(seed)
    sizes = {"d": 3} if name == "symbolic" else {}
    params = net.init_params(seed=1, dtype=dtype, **sizes)
    params = {
        k: np.asarray(p + 0.1 * rng.standard_normal(p.shape), dtype) for k, p in params.items()
    }
    inputs: Arrays = {}
    for key, (shape, kind) in net.INPUTS.items():
        extent = tuple({"n": n, "d": 3, "2*d": 6}.get(s, s) for s in shape)
        if kind == "float":
            inputs[key] = np.asarray(rng.standard_normal(extent), dtype)
        elif kind == "bool":
            inputs[key] = np.asarray(rng.integers(0, 2, extent), bool)
        else:
            inputs[key] = np.asarray(rng.integers(0, 2, extent), np.int64)
    return params, inputs


def reads(function: Any, inputs: Arrays) -> Arrays:
    """Those of `inputs` that a function takes."""
    takes = inspect.signature(function).parameters
    return {name: array for name, array in inputs.items() if name in takes}
