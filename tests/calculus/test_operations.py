"""Every operation that users write: two derivatives and a batch, through the public function."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from catalogue import Case
from checking import (
    case_graph,
    check_batch,
    check_duality,
    check_gradient,
    check_rule,
    drawn,
    floats,
    weighted_sum,
)
from operation_catalogue import OPERATION_CASES, SAMPLES

from symgrad.calculus.reverse import gradients
from symgrad.expr.functions import FUNCTIONS
from symgrad.expr.map import Map
from symgrad.expr.slots import slot
from symgrad.model.operations import OPERATIONS


def test_every_operation_is_in_the_catalogue():
    assert set(SAMPLES) | set(FUNCTIONS) == set(OPERATIONS)


@pytest.mark.parametrize("case", OPERATION_CASES, ids=lambda case: case.label)
def test_first_order(case: Case):
    rng = np.random.default_rng(7)
    check_rule(case, rng)
    y, leaves, values = case_graph(case, rng)
    check_duality(y, floats(leaves), values, rng)


@pytest.mark.parametrize("case", OPERATION_CASES, ids=lambda case: case.label)
def test_second_order_and_batch(case: Case):
    rng = np.random.default_rng(8)
    y, leaves, values = case_graph(case, rng)
    wrt = floats(leaves)
    curved, weights = weighted_sum(Map(sympy.sin(slot(0)) * slot(0), y))
    values[weights] = drawn(weights, rng)
    for k, slope in enumerate(gradients(curved, wrt)):
        along, direction = weighted_sum(slope, f"direction_{k}")
        values[direction] = drawn(direction, rng)
        check_gradient(along, wrt, values, rng)
        check_batch(slope, dict.fromkeys(leaves, True), values, rng)
