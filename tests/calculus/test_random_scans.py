"""Random scans through the whole compiler, against JAX: values, gradients, Hessian products."""

from __future__ import annotations

import numpy as np
import pytest
from jax_reference import as_jax, jax
from random_scans import RandomScan

import symgrad as sg

rng = np.random.default_rng(5)


def check(seed: int) -> None:
    made = RandomScan(seed)
    loss = made.loss()
    model = sg.Model("scan", loss=loss, parameters=None)
    net = sg.compile(model, ["value_and_grad", "hvp"]).load()
    values = {name: value for name, value in made.values().items() if name in net.PARAMETERS}
    names = list(values)
    reference = as_jax(loss, [made.leaves[name] for name in names])
    value, grads = net.value_and_grad(values)
    arrays = [values[name] for name in names]
    positions = tuple(range(len(names)))
    theirs = jax.grad(reference, argnums=positions)
    np.testing.assert_allclose(value, reference(*arrays), rtol=1e-10, atol=1e-12)
    for name, expected in zip(names, theirs(*arrays), strict=True):
        np.testing.assert_allclose(grads[name], expected, rtol=1e-9, atol=1e-11, err_msg=name)
    along = {name: rng.normal(size=v.shape) for name, v in values.items()}
    products = net.hvp(values, along)
    _, moved = jax.jvp(theirs, tuple(arrays), tuple(along.values()))
    for name, expected in zip(names, moved, strict=True):
        np.testing.assert_allclose(products[name], expected, rtol=1e-8, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("seed", range(12))
def test_random_scans(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 200))
def test_many_random_scans(seed: int) -> None:
    check(seed)
