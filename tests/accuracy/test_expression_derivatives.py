"""`sg.grad` and its kin on naive expressions: stabilised first, whatever they are taken by."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import DefinitionError
from symgrad.expr.walk import depends_on

FAR = np.array([-1e4, -800.0, 0.0, 800.0, 1e4])
SIGMOID = np.array([0.0, 0.0, 0.5, 1.0, 1.0])


def bce():
    z, t = sg.parameter("z", (sg.dim("n"),)), sg.input("t", (sg.dim("n"),))
    p = 1 / (1 + sg.exp(-z))
    return sg.sum(-(t * sg.log(p) + (1 - t) * sg.log(1 - p))), z, t, p


def values_of(node, **arrays):
    module = sg.compile(sg.Model("values", outputs={"value": node})).load()
    params = {k: arrays[k] for k in module.PARAMETERS}
    given = [params] if params else []
    return module.forward(*given, **{k: arrays[k] for k in module.INPUTS})


def test_the_gradient_of_a_naive_cross_entropy_is_p_minus_t():
    loss, z, _, _ = bce()
    (in_list,), in_dict = sg.grad(loss, [z]), sg.grad(loss, wrt={"z": z})
    slope = sg.grad(loss, z)
    assert in_list is slope and in_dict == {"z": slope}
    got = values_of(slope, z=FAR, t=np.full(5, 0.25))
    np.testing.assert_allclose(got, SIGMOID - 0.25, rtol=1e-14)


def test_all_kinds_of_derivatives_are_stable():
    loss, z, t, _ = bce()
    arrays = {"z": FAR, "t": np.ones(5)}
    slopes = SIGMOID - 1
    curves = SIGMOID * (1 - SIGMOID)
    one = sg.input("t", (sg.dim("n"),))  # the same leaf: a vector of ones here
    assert one is t
    np.testing.assert_allclose(values_of(sg.hvp(loss, z, t), **arrays), curves, atol=1e-300)
    np.testing.assert_allclose(values_of(sg.jvp(loss, z, t), **arrays), slopes.sum())
    np.testing.assert_allclose(values_of(sg.jacobian(loss, z), **arrays), slopes, atol=1e-300)
    hessian = values_of(sg.hessian(loss, z), **arrays)
    np.testing.assert_allclose(hessian, np.diag(curves), atol=1e-300)


def test_a_computed_tensor_counts_as_given():
    loss, z, _, p = bce()
    slope = sg.grad(loss, p)  # not 0, though the stable loss reads z alone
    assert z in depends_on([slope], [z])
    x, y = np.array([-1.0, 0.5, 2.0]), np.array([0.0, 1.0, 0.25])
    q = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(values_of(slope, z=x, t=y), (q - y) / (q * (1 - q)), rtol=1e-13)


def test_a_tensor_beside_what_is_computed_from_it():
    loss, z, _, p = bce()
    x, y = np.array([-1.0, 0.5, 2.0]), np.array([0.0, 1.0, 0.25])
    q = 1 / (1 + np.exp(-x))
    by_z, by_p = sg.grad(loss, [z, p])
    np.testing.assert_allclose(values_of(by_z, z=x, t=y), q - y, rtol=1e-13)
    np.testing.assert_allclose(values_of(by_p, z=x, t=y), (q - y) / (q * (1 - q)), rtol=1e-13)


def test_misuse_is_still_refused_in_its_own_words():
    _, z, _, p = bce()
    with pytest.raises(DefinitionError, match="grad needs a scalar loss"):
        sg.grad(p, z)
    with pytest.raises(DefinitionError, match="grad needs a tensor expression as its loss, not 3"):
        sg.grad(3, z)
