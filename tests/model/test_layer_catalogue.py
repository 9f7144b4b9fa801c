"""Every activation and loss of the catalogue against PyTorch, through compiled modules.

Values, gradients and (off the kinks) Hessian-vector products, in float64, to 1e-10 relative.
"""

from __future__ import annotations

import inspect
import re
import types
from typing import Any

import numpy as np
import pytest
from layer_catalogue import ENTRIES, FUNCTIONS, Arrays, Entry

import symgrad as sg
from symgrad import nn

torch = pytest.importorskip("torch")
rng = np.random.default_rng(29)

KINDS = {"f": "float", "i": "int"}
Construction = dict[str, Any]


def close(actual: Any, expected: Any, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=1e-13)


def leaf_of(name: str, array: Any, declare: Any = sg.input) -> Any:
    return declare(name, array.shape, dtype=KINDS[array.dtype.kind])


class Ours:
    """A layer compiled as the loss sum(cotangent * layer(...)), with what it is called with.

    `varied`: the names that gradients are compared for; they are parameters or, with `as_inputs`,
    inputs of the module.
    """

    def __init__(self, entry: Entry, construction: Construction, arrays: Arrays, emit: list[str],
                 as_inputs: bool = False) -> None:  # fmt: skip
        self.entry, self.construction = entry, construction
        self.arrays = {f"x{i}": array for i, array in enumerate(arrays)}
        fixed = {f"x{i}" for i in entry.fixed}
        self.varied = [k for k, a in self.arrays.items() if a.dtype.kind == "f" and k not in fixed]
        trained = [] if as_inputs else self.varied
        leaves = [leaf_of(k, a, sg.parameter if k in trained else sg.input)
                  for k, a in self.arrays.items()]  # fmt: skip
        layer = getattr(nn, entry.name)(**construction)
        result = layer(*leaves)
        shape = tuple(map(int, result.shape))
        self.values = dict(self.arrays) | {"cotangent": np.asarray(rng.uniform(0.5, 1.5, shape))}
        self.owned = [leaf.name for leaf in layer.parameters()]
        for leaf in layer.parameters():
            self.values[leaf.name] = rng.uniform(0.1, 0.4, tuple(map(int, leaf.shape)))
        if not as_inputs:
            self.varied = [*self.varied, *self.owned]
        loss = sg.sum(sg.input("cotangent", shape) * result)
        model = sg.Model("layer", loss=loss, outputs={"result": result})
        asked = self.varied if as_inputs else None
        self.net: types.ModuleType = sg.compile(model, emit, inputs=asked).load()

    def call(self, function: str, *more: Any) -> Any:
        called = getattr(self.net, function)
        asked = inspect.signature(called).parameters
        inputs = {name: self.values[name] for name in asked if name in self.values}
        params = {name: self.values[name] for name in self.net.PARAMETERS}
        with np.errstate(all="raise", under="ignore"):
            return called(*([params] if "params" in asked else []), *more, **inputs)


class Theirs:
    """The same in PyTorch."""

    def __init__(self, ours: Ours) -> None:
        made = {
            k: torch.tensor(v) if isinstance(v, np.ndarray) else v
            for k, v in ours.construction.items()
        }
        layer = getattr(torch.nn, ours.entry.name)(**made).double().eval()
        owned = dict(layer.named_parameters())
        assert list(owned) == ours.owned
        with torch.no_grad():
            for name, parameter in owned.items():
                parameter.copy_(torch.tensor(ours.values[name]))
        tensors = {name: torch.tensor(array) for name, array in ours.arrays.items()}
        self.varied = [(owned | tensors)[name].requires_grad_() for name in ours.varied]
        self.result = layer(*tensors.values())
        loss = (torch.tensor(ours.values["cotangent"]) * self.result).sum()
        self.gradients = torch.autograd.grad(loss, self.varied, create_graph=True)

    def products(self, directions: dict[str, Any]) -> list[Any]:
        """The Hessian of the loss times the directions."""
        along = [torch.tensor(v) for v in directions.values()]
        slope = sum((g * v).sum() for g, v in zip(self.gradients, along, strict=True))
        if not slope.requires_grad:
            return [0 * v for v in along]
        found = torch.autograd.grad(slope, self.varied, allow_unused=True)
        return [0 * v if h is None else h for h, v in zip(found, along, strict=True)]


def compare_first_order(ours: Ours, gradients: Any) -> Theirs:
    theirs = Theirs(ours)
    result = ours.call("forward")
    assert np.shape(result) == tuple(theirs.result.shape)
    close(result, theirs.result.numpy(force=True))
    for name, expected in zip(ours.varied, theirs.gradients, strict=True):
        close(gradients[name], expected.numpy(force=True), ours.entry.slope_tolerance)
    return theirs


def cases(which: str) -> list[Any]:
    """Every construction with all data of its entry; the later ones with the first and the last."""
    return [
        pytest.param(entry, construction, data if k == 0 else [data[0], *data[1:][-1:]],
                     id=f"{entry.name}-{i}-{k}")
        for i, entry in enumerate(ENTRIES)
        if (data := getattr(entry, which))
        for k, construction in enumerate(entry.constructions)
    ]  # fmt: skip


@pytest.mark.parametrize("entry, construction, data", cases("data"))
def test_values_and_derivatives(entry: Entry, construction: Construction, data: Any) -> None:
    for arrays in data:
        emit = ["forward", "value_and_grad", *(["hvp"] if entry.second_order else [])]
        ours = Ours(entry, construction, arrays, emit)
        theirs = compare_first_order(ours, ours.call("value_and_grad")[1])
        directions = {k: np.asarray(rng.normal(size=ours.values[k].shape)) for k in ours.varied}
        if not entry.second_order:
            with pytest.raises(RuntimeError, match=r"derivative for aten::.* is not implemented"):
                theirs.products(directions)
            continue
        products = ours.call("hvp", directions)
        for name, expected in zip(directions, theirs.products(directions), strict=True):
            close(products[name], expected.numpy(force=True))


@pytest.mark.parametrize("entry, construction, data", cases("kinks"))
def test_on_kinks_and_ties(entry: Entry, construction: Construction, data: Any) -> None:
    for arrays in data:
        ours = Ours(entry, construction, arrays, ["forward", "input_grad"], as_inputs=True)
        compare_first_order(ours, ours.call("input_grad"))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_function_is_the_class(entry: Entry) -> None:
    function = FUNCTIONS.get(entry.name, entry.name.lower())
    if function is None:
        return
    for construction in entry.constructions:
        leaves = [leaf_of(f"x{i}", a) for i, a in enumerate([*entry.data, *entry.kinks][0])]
        made = getattr(nn, entry.name)(**construction)(*leaves)
        assert getattr(nn.functional, function)(*leaves, **construction) is made


def test_every_activation_and_loss_is_in_the_catalogue() -> None:
    homes = re.compile(r"\.(activations|losses)")
    ours = {name for name in nn.__all__ if homes.search(getattr(getattr(nn, name), "__module__", ""))}
    assert ours == {entry.name for entry in ENTRIES}
