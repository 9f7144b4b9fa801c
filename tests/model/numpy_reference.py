"""An operation built from inputs, evaluated, and compared with NumPy on arrays."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.expr.node import Node

KINDS = {"f": "float", "i": "int", "b": "bool"}
ALL = [(), (1,), (3,), (0,), (2, 3), (0, 3), (2, 0), (1, 3), (2, 3, 4)]
SOME = [(2, 3), (1, 3), (2, 3, 4)]


def arrays_of(*shapes: tuple[int, ...], whole: bool = False) -> list[Any]:
    rng = np.random.default_rng(7)
    if whole:
        return [rng.integers(-4, 5, shape) for shape in shapes]
    return [rng.normal(size=shape) for shape in shapes]


def nodes_of(arrays: list[Any], symbolic: bool) -> list[Node]:
    """One input per array; equal sizes are one symbol."""
    return [
        sg.input(
            f"x{i}",
            tuple(sg.dim(f"n{s}") if symbolic and s > 1 else s for s in array.shape),
            KINDS[array.dtype.kind],
        )
        for i, array in enumerate(arrays)
    ]


def value_of(node: Node, arrays: list[Any]) -> Any:
    sizes = {f"n{s}": s for array in arrays for s in array.shape}
    return evaluate([node], {f"x{i}": array for i, array in enumerate(arrays)}, sizes)[0]


def assert_same(
    build: Callable[..., Any], reference: Callable[..., Any], arrays: list[Any], both: bool = True
) -> None:
    """`build` on inputs evaluates to `reference` on the arrays."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns where it gives nan
        expected = reference(*arrays)
    for symbolic in (False, True) if both else (False,):
        result = build(*nodes_of(arrays, symbolic))
        results, wanted = (result, expected) if isinstance(result, list) else ([result], [expected])
        assert len(results) == len(wanted)
        for got, want in zip(results, wanted, strict=True):
            value = value_of(got, arrays)
            assert value.shape == np.shape(want)
            assert got.dtype == KINDS[np.asarray(want).dtype.kind]
            np.testing.assert_allclose(value, want, rtol=1e-12, atol=1e-12)


REFERENCES: dict[str, Callable[..., Any]] = {
    "logsumexp": lambda x, **arguments: np.log(np.sum(np.exp(x), **arguments)),
    "softmax": scipy.special.softmax,
    "log_softmax": scipy.special.log_softmax,
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
    "ndtr": scipy.special.ndtr,
    "sigmoid": scipy.special.expit,
    "softplus": lambda x: np.logaddexp(0, x),
    "relu": lambda x: np.maximum(x, 0),
}


def reference_of(name: str) -> Callable[..., Any]:
    return REFERENCES.get(name) or getattr(np, name)
