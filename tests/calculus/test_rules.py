"""Every rule of every node family: against differences, forward against reverse, batched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import sympy
from catalogue import CASES, CASES_OF, Case
from checking import (
    case_graph,
    check_batch,
    check_duality,
    check_gradient,
    check_rule,
    check_tangent,
    drawn,
    evaluate,
    floats,
    weighted_sum,
)

from symgrad.calculus.reverse import gradients
from symgrad.calculus.rules.leaf import LEAVES
from symgrad.calculus.rules.registry import ADJOINTS, BATCHERS, TANGENTS
from symgrad.expr.contraction import sum_over
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.scan import Bound, Bundle
from symgrad.expr.slots import slot


def node_classes(above: type[Node] = Node) -> Iterator[type[Node]]:
    """Every class of symgrad's nodes that can be built: those that nothing derives from."""
    below = [c for c in above.__subclasses__() if c.__module__.startswith("symgrad.")]
    for c in below:
        yield from node_classes(c)
    if not below:
        yield above


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize(
    "table", [ADJOINTS, TANGENTS, BATCHERS], ids=["adjoint", "tangent", "batch"]
)
def test_every_node_class_has_a_rule(table):
    assert set(table) == set(node_classes())


def test_every_node_class_has_a_case():
    within_scans = {Bound, Bundle}  # a scan is made of these, and no graph without one holds them
    assert set(CASES_OF) | set(LEAVES) | within_scans == set(node_classes())


def test_every_rule_states_its_formula():
    for rule in [*ADJOINTS.values(), *TANGENTS.values(), *BATCHERS.values()]:
        assert rule.__doc__.strip(), rule


@pytest.mark.parametrize("case", CASES, ids=str)
def test_adjoint_against_differences(case: Case, rng):
    check_rule(case, rng)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_tangent_against_differences_and_adjoint(case: Case, rng):
    y, leaves, values = case_graph(case, rng)
    check_tangent(y, floats(leaves), values, rng)
    check_duality(y, floats(leaves), values, rng)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_second_order_against_differences_of_the_gradient(case: Case, rng):
    y, leaves, values = case_graph(case, rng)
    wrt = floats(leaves)
    curved, weights = weighted_sum(Map(sympy.sin(slot(0)) * slot(0), y))
    values[weights] = drawn(weights, rng)
    slopes = gradients(curved, wrt)
    for k, slope in enumerate(slopes):
        along, direction = weighted_sum(slope, f"direction_{k}")
        values[direction] = drawn(direction, rng)
        check_gradient(along, wrt, values, rng)
        check_tangent(slope, wrt, values, rng)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_batch_against_one_at_a_time(case: Case, rng):
    y, leaves, values = case_graph(case, rng)
    for choice in itertools.product([False, True], repeat=len(leaves)):
        if any(choice):
            check_batch(y, dict(zip(leaves, choice, strict=True)), values, rng)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_batched_gradient_against_one_at_a_time(case: Case, rng):
    y, leaves, values = case_graph(case, rng)
    curved, weights = weighted_sum(Map(sympy.sin(slot(0)) * slot(0), y))
    values[weights] = drawn(weights, rng)
    for slope in gradients(curved, floats(leaves)):
        check_batch(slope, dict.fromkeys(leaves, True), values, rng)


def test_no_gradient_reaches_whole_numbers(rng):
    for case in CASES:
        leaves = case.leaves()
        y = case.build(*leaves)
        g = Map(slot(0) * 1, y) if y.dtype == "float" else y
        contributions = ADJOINTS[type(y)](g, y, *y.operands)
        for operand, contribution in zip(y.operands, contributions, strict=True):
            assert contribution is None or operand.dtype == "float", case


def test_all_cases_have_finite_values(rng):
    for case in CASES:
        y, _, values = case_graph(case, rng)
        (array,) = evaluate([y], values)
        assert np.isfinite(array).all(), case


def test_logsumexp_of_nothing_has_an_empty_gradient():
    x = Input("x", (2, 0))
    slopes = gradients(sum_over(LogSumExp(x, 1), [0]), [x])
    assert evaluate(slopes, {x: np.zeros((2, 0))})[0].shape == (2, 0)
