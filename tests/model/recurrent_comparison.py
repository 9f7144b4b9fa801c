"""One recurrent layer here and in PyTorch: results, gradients and Hessian-vector products."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import nn

torch = pytest.importorskip("torch")
rng = np.random.default_rng(43)


def flat(results: Any) -> list[Any]:
    if isinstance(results, tuple | list):
        return [each for part in results for each in flat(part)]
    return [results]


class Compared:
    """One layer in both: the loss is the sum of weighted sines of all results."""

    def __init__(self, name: str, construction: dict[str, Any], data: tuple[Any, ...]) -> None:
        self.theirs = getattr(torch.nn, name)(**construction).double()
        self.ours = getattr(nn, name)(**construction)
        self.arrays = {f"x{k}": array for k, array in enumerate(flat(data))}
        leaves = {
            key: sg.parameter(key, array.shape)
            if array.dtype.kind == "f"
            else sg.input(key, array.shape, dtype="int")
            for key, array in self.arrays.items()
        }
        self.data, self.leaves = data, leaves
        self.values = dict(self.arrays)
        for key, tensor in self.theirs.named_parameters():
            self.values[key] = tensor.detach().numpy().copy()
        self.varied = [k for k, a in self.values.items() if a.dtype.kind == "f"]

    def arguments(self, leaves: dict[str, Any]) -> list[Any]:
        remaining = iter(leaves.values())
        return [
            tuple(next(remaining) for _ in part) if isinstance(part, tuple) else next(remaining)
            for part in self.data
        ]

    def module(self, results: list[Any]) -> Any:
        weights = [np.asarray(rng.uniform(0.5, 1.5, tuple(map(int, r.shape)))) for r in results]
        loss = sum(
            sg.sum(w_ * sg.sin(r)) for w_, r in zip(self._inputs(weights), results, strict=True)
        )
        self.weights = weights
        outputs = {f"result{k}": r for k, r in enumerate(results)}
        model = sg.Model("layer", loss=loss, outputs=outputs)
        return sg.compile(model, ["forward", "value_and_grad", "hvp"]).load()

    def _inputs(self, weights: list[Any]) -> list[Any]:
        self.values |= {f"w{k}": w for k, w in enumerate(weights)}
        return [sg.input(f"w{k}", w.shape) for k, w in enumerate(weights)]

    def called(self, net: Any, function: str, *more: Any) -> Any:
        call = getattr(net, function)
        known = inspect.signature(call).parameters
        inputs = {k: v for k, v in self.values.items() if k in known}
        return call({k: self.values[k] for k in net.PARAMETERS}, *more, **inputs)


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-13)


def compare(compared: Compared, ours: list[Any], theirs: Any, second_order: bool = True) -> None:
    net = compared.module(ours)
    tensors = theirs.tensors
    values = compared.called(net, "forward")
    values = list(values.values()) if isinstance(values, dict) else [values]
    for a, b in zip(values, theirs.results, strict=True):
        assert np.shape(a) == tuple(b.shape)
        close(a, b.detach().numpy())
    loss = sum(
        (torch.tensor(w) * torch.sin(r)).sum()
        for w, r in zip(compared.weights, theirs.results, strict=True)
    )
    names = list(net.PARAMETERS)
    slopes = torch.autograd.grad(loss, [tensors[k] for k in names], create_graph=second_order)
    _, gradients = compared.called(net, "value_and_grad")
    for name, expected in zip(names, slopes, strict=True):
        close(gradients[name], expected.detach().numpy())
    if not second_order:
        return
    directions = {k: np.asarray(rng.normal(size=compared.values[k].shape)) for k in names}
    along = sum((g * torch.tensor(directions[k])).sum() for k, g in zip(names, slopes, strict=True))
    expected = torch.autograd.grad(along, [tensors[k] for k in names], allow_unused=True)
    products = compared.called(net, "hvp", directions)
    for name, product in zip(names, expected, strict=True):
        close(products[name], 0 * directions[name] if product is None else product.numpy())


class Theirs:
    """The layer in PyTorch: its results, and the tensors by name."""

    def __init__(self, compared: Compared, call: Any) -> None:
        self.tensors = {k: torch.tensor(a) for k, a in compared.arrays.items()}
        for tensor in self.tensors.values():
            if tensor.is_floating_point():
                tensor.requires_grad_()
        self.results = flat(call(self.tensors))
        self.tensors |= dict(compared.theirs.named_parameters())
