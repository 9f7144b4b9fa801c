"""Random programs: both modes, two orders and batching agree with differences and each other."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from checking import (
    check_batch,
    check_duality,
    check_gradient,
    drawn,
    evaluate,
    weighted_sum,
)
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from numpy_evaluator import apply
from random_programs import LEAVES, as_python, program

from symgrad.calculus.reverse import gradients
from symgrad.expr import functions as f
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import Max, Min
from symgrad.expr.slots import fold, slot
from symgrad.expr.walk import postorder

# Where each function with a kink switches: 0 of one of these.
SWITCHES = {
    f.relu: lambda x: [x],
    f.maximum: lambda x, y: [x - y],
    f.less: lambda x, y: [x - y],
    f.clip: lambda x, lo, hi: [x - lo, x - hi],
}
MARGIN = 1e-2


def switches(formula: sympy.Expr) -> list[sympy.Expr]:
    found: list[sympy.Expr] = []
    fold(
        formula,
        lambda part, below: found.extend(SWITCHES.get(part.func, lambda *_: [])(*part.args)),
    )
    return found


def far_from_kinks(y: Node, values: dict) -> bool:
    """Whether no difference quotient at `values` can step over a kink."""
    nodes = postorder([y])
    for node, array in zip(nodes, evaluate(nodes, values), strict=True):
        if isinstance(node, Map):
            below = evaluate(node.operands, values)
            gaps = [np.abs(apply(switch, below, {})) for switch in switches(node.formula)]
            if any(np.any(gap < MARGIN) for gap in gaps):
                return False
        if isinstance(node, Max | Min):
            (x,) = evaluate(node.operands, values)
            near = np.abs(x - np.expand_dims(array, node.axis)) < MARGIN
            if np.any(near.sum(node.axis) > 1):
                return False
    return True


BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def prepared(seed: int, steps: int) -> tuple[Node, list[Node], dict, np.random.Generator]:
    """A program, the leaves it uses, values for them."""
    y = program(seed, steps)
    note(f"seed = {seed}, steps = {steps}\n{as_python(y)}")
    rng = np.random.default_rng(seed)
    leaves = [leaf for leaf in LEAVES if leaf in postorder([y])]
    values = {leaf: rng.uniform(-1.5, 1.5, [int(s) for s in leaf.shape]) for leaf in leaves}
    return y, leaves, values, rng


@BOUNDED
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_first_and_second_order(seed, steps):
    y, leaves, values, rng = prepared(seed, steps)
    assume(far_from_kinks(y, values))
    loss, weights = weighted_sum(Map(sympy.sin(slot(0)) + slot(0) / 3, y))
    values[weights] = drawn(weights, rng)
    check_gradient(loss, leaves, values, rng)
    for k, slope in enumerate(gradients(loss, leaves)):
        along, direction = weighted_sum(slope, f"direction_{k}")
        values[direction] = drawn(direction, rng)
        check_gradient(along, leaves, values, rng)


@BOUNDED
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_modes_are_transposes_and_batches_are_loops(seed, steps):
    y, leaves, values, rng = prepared(seed, steps)
    check_duality(y, leaves, values, rng)
    loss, weights = weighted_sum(Map(sympy.sin(slot(0)), y))
    values[weights] = drawn(weights, rng)
    slopes = gradients(loss, leaves)
    for leaf, slope in zip(leaves, slopes, strict=True):
        moves = {x: bool(rng.integers(2)) or x is leaf for x in leaves}
        check_batch(slope, moves, values, rng)


@pytest.mark.slow
@settings(BOUNDED, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_gradients_against_jax(seed, steps):
    pytest.importorskip("jax")
    from jax_reference import as_jax, jax

    y, leaves, values, rng = prepared(seed, steps)
    assume(far_from_kinks(y, values))
    loss, weights = weighted_sum(Map(sympy.sin(slot(0)), y))
    values[weights] = drawn(weights, rng)
    ours = evaluate(gradients(loss, leaves), values)
    everything = [*leaves, weights]
    slopes = jax.jit(jax.grad(as_jax(loss, everything), tuple(range(len(leaves)))))
    for mine, theirs in zip(ours, slopes(*(values[x] for x in everything)), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-11)
