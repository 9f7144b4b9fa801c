"""Every scalar function: two derivatives against differences, in both modes."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from catalogue import FORMULA_ONLY, LOGICAL, SCALARS, Operand
from checking import check_duality, check_gradient, check_tangent, drawn, floats, weighted_sum

from symgrad.calculus.reverse import gradients
from symgrad.expr import functions as f
from symgrad.expr.leaf import Constant, Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.slots import slot

ALL = {name: (f.FUNCTIONS[name], ranges) for name, ranges in SCALARS.items()} | {
    f"{name} in formulas": (getattr(f, name), ranges) for name, ranges in FORMULA_ONLY.items()
}
DISTINCT = {entry.name for entry in f.FUNCTIONS.values()}


def scalar_graph(name: str, rng: np.random.Generator) -> tuple[Node, list[Node], dict]:
    """The function over vectors of 6 entries from its domain."""
    function, ranges = ALL[name]
    leaves: list[Node] = []
    values = {}
    scalars: list[sympy.Expr] = []
    for given in ranges:
        if isinstance(given, int):
            scalars.append(sympy.Integer(given))
            continue
        dtype = "bool" if given == LOGICAL else "float"
        low, high = (0, 1) if given == LOGICAL else given
        leaf = Input(f"x{len(leaves)}", (6,), dtype)
        values[leaf] = Operand((6,), low, high, dtype).values(rng)
        scalars.append(slot(len(leaves)))
        leaves.append(leaf)
    return Map(function(*scalars), *leaves), leaves, values


def test_every_function_is_in_the_catalogue():
    assert set(SCALARS) == DISTINCT
    classes = {
        name
        for name in f.__all__
        if isinstance(getattr(f, name), type) and issubclass(getattr(f, name), sympy.Function)
    }
    built = {type(f.FUNCTIONS[name](*map(slot, range(len(SCALARS[name]))))) for name in SCALARS}
    missing = {name for name in classes if getattr(f, name) not in built} - set(FORMULA_ONLY)
    assert missing - {"Indicator"} == set()


@pytest.mark.parametrize("name", ALL)
def test_two_derivatives(name):
    rng = np.random.default_rng(3)
    y, leaves, values = scalar_graph(name, rng)
    wrt = floats(leaves)
    loss, weights = weighted_sum(y)
    values[weights] = drawn(weights, rng)
    check_gradient(loss, wrt, values, rng)
    check_tangent(y, wrt, values, rng)
    check_duality(y, wrt, values, rng)
    for k, slope in enumerate(gradients(loss, wrt)):
        along, direction = weighted_sum(slope, f"direction_{k}")
        values[direction] = drawn(direction, rng)
        check_gradient(along, wrt, values, rng)
        check_tangent(slope, wrt, values, rng)


FLAT = (
    "sign floor ceil trunc rint floor_divide less less_equal greater greater_equal equal not_equal"
)


@pytest.mark.parametrize("name", FLAT.split())
def test_a_flat_function_has_no_gradient_at_all(name):
    y, leaves, _ = scalar_graph(name, np.random.default_rng(0))
    for slope in gradients(weighted_sum(y)[0], leaves):
        assert isinstance(slope, Constant) and slope.value == 0
