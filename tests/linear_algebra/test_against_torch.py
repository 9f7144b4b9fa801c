"""`sg.linalg` as it is emitted, against PyTorch: values, gradients, Hessian-vector products."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from linear_algebra.functions import CASES, EMPTY, SYMGRAD, Function, in_torch

import symgrad as sg

torch = pytest.importorskip("torch")

FUNCTIONS = ["forward", "value_and_grad", "hvp"]


@cache
def emitted(case: Function) -> Any:
    """The module of a model whose parameters are the operands of `case`."""
    operands = [sg.parameter(f"p{k}", shape) for k, shape in enumerate(case.shapes)]
    loss = case.loss(SYMGRAD, *operands)
    results = {f"result_{k}": r for k, r in enumerate(case.build(SYMGRAD, *operands))}
    model = sg.Model("case", loss=loss, outputs=results)
    return sg.compile(model, FUNCTIONS).load()


def by_torch(case: Function, values: list[np.ndarray], directions: list[np.ndarray]) -> Any:
    """The loss, its gradients, and the Hessian times the directions."""
    xp = in_torch()
    operands = [torch.tensor(v, requires_grad=True) for v in values]
    loss = case.loss(xp, *operands)
    slopes = torch.autograd.grad(loss, operands, create_graph=True, materialize_grads=True)
    along = sum((g * torch.tensor(d)).sum() for g, d in zip(slopes, directions, strict=True))
    curved = torch.autograd.grad(along, operands, materialize_grads=True)
    return [loss.item()], [g.detach().numpy() for g in slopes], [c.numpy() for c in curved]


def by_symgrad(net: Any, values: list[np.ndarray], directions: list[np.ndarray]) -> Any:
    params = {f"p{k}": v for k, v in enumerate(values)}
    loss, grads = net.value_and_grad(params)
    product = net.hvp(params, {f"p{k}": d for k, d in enumerate(directions)})
    return [loss], [grads[name] for name in params], [product[name] for name in params]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_two_derivatives_in_float64(case: Function) -> None:
    values, directions = case.values(), case.values(seed=1)
    ours = by_symgrad(emitted(case), values, directions)
    for mine, theirs in zip(ours, by_torch(case, values, directions), strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_float32_stays_float32(case: Function) -> None:
    values, directions = case.values(), case.values(seed=1)
    single = [v.astype(np.float32) for v in values]
    ours = by_symgrad(emitted(case), single, [d.astype(np.float32) for d in directions])
    theirs = by_torch(case, values, directions)
    for order, (mine, reference) in enumerate(zip(ours, theirs, strict=True)):
        for a, b in zip(mine, reference, strict=True):
            assert a.dtype == np.float32
            size = max(1.0, float(np.abs(b).max(initial=0)))
            np.testing.assert_allclose(a, b, rtol=0, atol=3e-5 * 10**order * size)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_its_own_check_agrees(case: Function, capsys: pytest.CaptureFixture[str]) -> None:
    assert emitted(case).check(), capsys.readouterr().out


@pytest.mark.parametrize("case", EMPTY, ids=lambda case: case.label)
def test_no_matrices_and_no_rows(case: Function) -> None:
    operands = [sg.parameter(f"p{k}", shape) for k, shape in enumerate(case.shapes)]
    results = {f"result_{k}": r for k, r in enumerate(case.build(SYMGRAD, *operands))}
    loss = case.loss(SYMGRAD, *operands)
    net = sg.compile(sg.Model("case", loss=loss, outputs=results), FUNCTIONS).load()
    values = case.values()
    (loss,), grads, products = by_symgrad(net, values, values)
    assert np.isfinite(loss)
    for value, grad, product in zip(values, grads, products, strict=True):
        assert grad.shape == product.shape == value.shape
    xp = in_torch()
    for mine, theirs in zip(
        _results(net.forward({f"p{k}": v for k, v in enumerate(values)})),
        case.build(xp, *(torch.tensor(v) for v in values)),
        strict=True,
    ):
        np.testing.assert_allclose(mine, theirs.numpy())


def _results(outputs: Any) -> list[np.ndarray]:
    return list(outputs.values()) if isinstance(outputs, dict) else [outputs]
