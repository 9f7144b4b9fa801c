"""Gradients, Hessian-vector products and Hessians against JAX in float64."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from catalogue import CASES, CASES_OF, FORMULA_ONLY, SCALARS
from checking import case_graph, drawn, evaluate, floats, weighted_sum
from test_scalar_functions import scalar_graph

from symgrad.calculus.derivatives import grad, hvp
from symgrad.expr.leaf import Tangent
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import slot

pytest.importorskip("jax")
from jax_reference import as_jax, jax


def compare(loss: Node, leaves: list[Node], values: dict, rng: np.random.Generator) -> None:
    """The loss, its gradient and its Hessian times a vector, ours and JAX's."""
    wrt = floats(leaves)
    vectors = [Tangent(f"v_{x.name}", x.shape) for x in wrt]
    given = values | {v: drawn(v, rng) for v in vectors}
    ours = evaluate([loss, *grad(loss, wrt), *hvp(loss, wrt, vectors)], given)
    everything = list(values)
    function = as_jax(loss, everything)
    at = [everything.index(x) for x in wrt]

    def of_floats(*arrays):
        full = [values[x] for x in everything]
        for k, array in zip(at, arrays, strict=True):
            full[k] = array
        return function(*full)

    slopes = jax.grad(of_floats, tuple(range(len(wrt))))
    primal = tuple(values[x] for x in wrt)
    theirs_grad, theirs_hvp = jax.jit(lambda p, v: jax.jvp(lambda *a: slopes(*a), p, v))(
        primal, tuple(given[v] for v in vectors)
    )
    theirs = [of_floats(*primal), *theirs_grad, *theirs_hvp]
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-9, atol=1e-10)


ONE_OF_EACH = [cases[0] for cases in CASES_OF.values()]
THE_OTHERS = [
    pytest.param(c, marks=pytest.mark.slow, id=str(c)) for c in CASES if c not in ONE_OF_EACH
]


@pytest.mark.parametrize("case", [*ONE_OF_EACH, *THE_OTHERS], ids=str)
def test_node_families(case):
    rng = np.random.default_rng(11)
    y, leaves, values = case_graph(case, rng)
    loss, weights = weighted_sum(Map(sympy.sin(slot(0)) * slot(0), y))
    values[weights] = drawn(weights, rng)
    compare(loss, leaves, values, rng)


# JAX differentiates these in another way, or not at all: differences judge them.
OTHERWISE = {"heaviside"} | {f"{name} in formulas" for name in FORMULA_ONLY}


def test_all_scalar_functions_in_one_loss():
    rng = np.random.default_rng(5)
    losses, leaves, values = [], [], {}
    for k, name in enumerate(sorted(set(SCALARS) - OTHERWISE)):
        y, own, given = scalar_graph(name, rng)
        fresh = [type(x)(f"{x.name}_{k}", x.shape, x.dtype) for x in own]
        y = y.with_operands(tuple(fresh))
        loss, weights = weighted_sum(y, f"weights_{k}")
        values |= {new: given[old] for new, old in zip(fresh, own, strict=True)}
        values[weights] = drawn(weights, rng)
        losses.append(loss)
        leaves += fresh
    together = Map(sympy.Add(*(slot(k) for k in range(len(losses)))), *losses)
    compare(together, leaves, values, rng)
