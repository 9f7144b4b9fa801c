"""Every layer of the catalogue with one result, against PyTorch, through compiled modules.

Values, gradients and (off the kinks) Hessian-vector products, in float64, to 1e-10 relative.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from layer_catalogue import ENTRIES, FUNCTIONS, Arrays, Entry
from registry import entries, resolved

import symgrad as sg
from symgrad import nn
from symgrad.errors import SymgradError

torch = pytest.importorskip("torch")
rng = np.random.default_rng(29)

KINDS = {"f": "float", "i": "int", "b": "bool"}
Construction = dict[str, Any]


def close(actual: Any, expected: Any, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=1e-13)


def leaf_of(name: str, array: Any, declare: Any = sg.input) -> Any:
    return declare(name, array.shape, dtype=KINDS[array.dtype.kind])


@pytest.fixture(autouse=True)
def attention_in_steps() -> Iterator[None]:
    """PyTorch's fused attention has no second derivatives; what it is written out as has."""
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        yield


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
        layer = getattr(nn, entry.name)(**resolved(construction, nn)).eval()
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
            for k, v in resolved(ours.construction, torch.nn).items()
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
        for i, entry in enumerate(entry for known in entries().values() for entry in known)
        if isinstance(entry, Entry) and (data := getattr(entry, which))
        for k, construction in enumerate(entry.constructions)
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")  # of PyTorch
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
@pytest.mark.parametrize("entry, construction, data", cases("data"))
def test_values_and_derivatives(entry: Entry, construction: Construction, data: Any) -> None:
    for arrays in data:
        emit = ["forward", "value_and_grad", *(["hvp"] if entry.second_order else [])]
        ours = Ours(entry, construction, arrays, emit)
        theirs = compare_first_order(ours, ours.call("value_and_grad")[1])
        directions = {k: np.asarray(rng.normal(size=ours.values[k].shape)) for k in ours.varied}
        if not entry.second_order:
            with pytest.raises(RuntimeError, match=r"derivative for .* is not implemented"):
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
        made = getattr(nn, entry.name)(**construction).eval()(*leaves)
        assert getattr(nn.functional, function)(*leaves, **construction) is made


def test_every_activation_and_loss_is_in_the_catalogue() -> None:
    homes = re.compile(r"\.(activations|losses)")
    ours = {name for name in nn.__all__ if homes.search(getattr(getattr(nn, name), "__module__", ""))}
    assert ours == ours & set(entries())


REFUSED: list[tuple[Any, str]] = [
    (lambda x, y: nn.functional.rrelu(x, 0.5, 0.25), "rrelu: lower=0.5 is larger than upper=0.25"),
    (lambda x, y: nn.ReLU6(inplace=True)(x), "relu6: the argument inplace is not supported"),
    (lambda x, y: nn.Hardtanh(min_value=0.0), "Hardtanh: the argument min_value is not supported"),
    (lambda x, y: nn.Hardtanh(1.0, -1.0)(x), "hardtanh: min_val=1.0 is larger than max_val=-1.0"),
    (lambda x, y: nn.CELU(0)(x), "celu: alpha must not be 0"),
    (lambda x, y: nn.Softshrink(-1)(x), "softshrink: lambd must not be negative, but is -1"),
    (lambda x, y: nn.PReLU(4)(x), "prelu: 4 slopes need as many channels on axis 1"),
    (lambda x, y: nn.PReLU(dtype="float"), "PReLU: the argument dtype is not supported"),
    (lambda x, y: nn.GLU()(x), "glu: the size 3 of axis 1 must be even to be halved"),
    (lambda x, y: nn.GLU(0)(sg.input("z", (sg.dim("n"), 2))), "glu: the size n of axis 0 must be"),
    (lambda x, y: nn.Softmin()(x), "softmin: without dim, PyTorch guesses the axis"),
    (lambda x, y: nn.Softmax2d()(x), r"softmax2d expects \[n, channels, h, w\]"),
    (lambda x, y: nn.SmoothL1Loss(beta=-1)(x, x), "smooth_l1_loss: beta must not be negative"),
    (lambda x, y: nn.HuberLoss(delta=0)(x, x), "huber_loss: delta must be positive, not 0"),
    (lambda x, y: nn.MultiMarginLoss(p=3)(x, y), "multi_margin_loss: p must be 1 or 2, not 3"),
    (lambda x, y: nn.MultiMarginLoss()(x, x), "multi_margin_loss: class indices must be whole"),
    (lambda x, y: nn.MultiLabelMarginLoss()(x, x), "multilabel_margin_loss: class indices must be"),
    (lambda x, y: nn.TripletMarginLoss(margin=0)(x, x, x), "margin must be positive, not 0"),
    (lambda x, y: nn.CosineEmbeddingLoss()(x, x, x), "cosine_embedding_loss: the inputs must be"),
    (lambda x, y: nn.GaussianNLLLoss()(x, x, [1.0, 2.0]), "gaussian_nll_loss: var must have the shape"),
    (lambda x, y: nn.GaussianNLLLoss()(x, x, -1.0), "gaussian_nll_loss: var must be positive"),
    (lambda x, y: nn.MarginRankingLoss()(x, x, y), "input1, input2 and target have different"),
    (lambda x, y: nn.BCELoss(reduction="batchmean")(x, x), "reduction='batchmean' is not supported"),
    (lambda x, y: nn.CrossEntropyLoss(ignore_index=1)(x, x), "ignore_index has no meaning for prob"),
    (lambda x, y: nn.CrossEntropyLoss(weight=[1.0])(x, y), "weight must hold one number per class"),
    (lambda x, y: nn.KLDivLoss(size_average=True)(x, x), "kl_div: the argument size_average is not"),
]  # fmt: skip


@pytest.mark.parametrize("define, message", REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(define: Any, message: str) -> None:
    x, y = sg.input("x", (4, 3)), sg.input("y", (4,), dtype="int")
    with pytest.raises(SymgradError, match=message):
        define(x, y)


@pytest.mark.parametrize("weight", [None, [0.5, 1.0, 2.0]])
def test_labels_that_are_no_class(weight: Any) -> None:
    """-100 is refused where nobody asked to skip it; where one asked, all other strays are."""
    x, y = sg.parameter("x", (2, 3)), sg.input("y", (2,), dtype="int")
    scores = {"x": np.zeros((2, 3))}
    for more, stray in (({}, -100), ({"ignore_index": -100}, -1), ({"ignore_index": 9}, 3)):
        net = sg.compile(sg.Model("m", loss=nn.CrossEntropyLoss(weight, **more)(x, y))).load()
        with pytest.raises(IndexError, match=f"must hold whole numbers from 0 to 2, got {stray}|to 3"):
            net.value_and_grad(scores, y=np.array([0, stray]))


def test_infinite_scores_of_ignored_labels() -> None:
    """What is ignored leaves no nan behind, in the loss and in the gradient."""
    x, y = sg.parameter("x", (2, 3)), sg.input("y", (2,), dtype="int")
    net = sg.compile(sg.Model("m", loss=nn.NLLLoss(ignore_index=9)(x, y))).load()
    scores = np.array([[-1.0, -2.0, -3.0], [-np.inf, np.nan, -np.inf]])
    loss, grads = net.value_and_grad({"x": scores}, y=np.array([1, 9]))
    assert loss == 2
    np.testing.assert_array_equal(grads["x"], [[0, -1, 0], [0, 0, 0]])


def test_bce_is_finite_where_a_probability_is_0_or_1() -> None:
    p, t = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
    x, y = sg.parameter("x", (4,)), sg.input("y", (4,))
    net = sg.compile(sg.Model("m", loss=nn.BCELoss(reduction="sum")(x, y))).load()
    loss, grads = net.value_and_grad({"x": p}, y=t)
    assert loss == torch.nn.BCELoss(reduction="sum")(torch.tensor(p), torch.tensor(t)).item()
    np.testing.assert_array_equal(grads["x"], [1, 0, 0, -1])
