"""Elementwise operations give what NumPy gives: values, broadcasts, kinds, nan and inf."""

# ruff: noqa: B023 - each lambda is called within its turn of the loop

from __future__ import annotations

import numpy as np
import pytest
from numpy_evaluator import evaluate
from numpy_reference import KINDS, arrays_of, assert_same, nodes_of, reference_of, value_of

import symgrad as sg
from symgrad.expr.functions import FUNCTIONS
from symgrad.model.operations import OPERATIONS

PAIRS = [
    ((), ()),
    ((3,), ()),
    ((3,), (1,)),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((0, 3), (3,)),
    ((2, 3, 4), (3, 1)),
]
INTEGER_RULES_OF_THEIR_OWN = {"reciprocal", "float_power", "fix"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_elementary_functions(name: str) -> None:
    function = FUNCTIONS[name]
    for pair in PAIRS:
        shapes = (pair * 2)[: function.arity]
        arrays = [np.abs(a) / 8 + 0.1 for a in arrays_of(*shapes)]
        if name in ("arccosh", "acosh"):
            arrays = [a + 1 for a in arrays]
        if name == "clip":
            arrays[2] = arrays[2] + 0.3
        assert_same(OPERATIONS[name], reference_of(name), arrays)


@pytest.mark.parametrize(
    "name",
    [
        "add",
        "subtract",
        "multiply",
        "divide",
        "maximum",
        "mod",
        "floor_divide",
        "power",
        "sign",
        "abs",
        "floor",
        "negative",
        "square",
        "sqrt",
        "exp",
        "less",
        "equal",
        "relu",
    ],
)
def test_elementary_functions_of_whole_numbers(name: str) -> None:
    arity = FUNCTIONS[name].arity
    arrays = [np.abs(a) + 1 for a in arrays_of(*[(2, 3)] * arity, whole=True)]
    assert_same(OPERATIONS[name], reference_of(name), arrays)


def test_numbers_keep_numpys_kinds() -> None:
    whole, real = arrays_of((3,), whole=True), arrays_of((3,))
    for build in (
        lambda x: x * 2,
        lambda x: x * 2.0,
        lambda x: x / 1,
        lambda x: x // 2,
        lambda x: x % 3,
        lambda x: 2**x if x.dtype in ("float", np.float64) else 2.0**x,
        lambda x: x**2,
        lambda x: x**2.0,
        lambda x: 3 - x,
        lambda x: -x,
        lambda x: abs(x),
        lambda x: x < 1,
        lambda x: (x < 1) & (x > -1),
        lambda x: ~(x < 1) | (x >= 2),
        lambda x: 1.0 * (x > 0),
        lambda x: x + np.float64(2),
        lambda x: np.int64(2) * x,
        lambda x: x * np.float32(0.5),
    ):
        assert_same(build, build, whole)
        assert_same(build, build, real)


def test_numbers_that_swallow_an_operand_do_not() -> None:
    x = np.array([np.nan, np.inf, 0.0, 2.0])
    for build in (
        lambda x: x * 0,
        lambda x: 0 * x,
        lambda x: x / 0,
        lambda x: 0 / x,
        lambda x: x * np.inf,
        lambda x: x - np.inf,
        lambda x: x**0,
    ):
        with np.errstate(all="ignore"):
            expected = build(x)
        np.testing.assert_array_equal(value_of(build(*nodes_of([x], False)), [x]), expected)


def test_where_and_clip() -> None:
    x, y = arrays_of((2, 3), (3,))
    assert_same(lambda a, b: sg.where(a > b, a, b), lambda a, b: np.where(a > b, a, b), [x, y])
    assert_same(lambda a: sg.where(a > 0, a, -np.inf), lambda a: np.where(a > 0, a, -np.inf), [x])
    for bounds in ((-1, 1), (None, 0.5), (0.5, None), (None, None), (1, -1)):
        assert_same(lambda a: sg.clip(a, *bounds), lambda a: np.clip(a, *bounds), [x])
    assert_same(lambda a: sg.clip(a, min=0), lambda a: np.clip(a, min=0), [x])
    assert_same(lambda a, b: sg.clip(a, b, 2), lambda a, b: np.clip(a, b, 2), [x, y])


def test_scalars_and_numbers_as_operands() -> None:
    for build in (
        lambda m: m.exp(1.0),
        lambda m: m.add(2, 3),
        lambda m: m.divide(4, 2),
        lambda m: m.sum([1.0, 2.0]),
        lambda m: m.maximum(1, 2.5),
        lambda m: m.log(0.0),
        lambda m: m.matmul([[1, 2]], [[3], [4]]),
        lambda m: m.sqrt(-1.0),
    ):
        with np.errstate(all="ignore"):
            expected = build(np)
        (value,) = evaluate([build(sg)], {})
        np.testing.assert_allclose(value, expected, rtol=1e-15)
        assert build(sg).dtype == KINDS[np.asarray(expected).dtype.kind]
