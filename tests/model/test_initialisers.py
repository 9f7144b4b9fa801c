"""What fresh parameters are drawn from."""

from __future__ import annotations

import math
from typing import Any

import pytest
from messages import message_of

import symgrad as sg
from symgrad.expr.leaf import Parameter

CASES: list[tuple[Any, tuple[Any, ...]]] = [
    ("zeros", ("constant", 0)),
    ("ones", ("constant", 1)),
    (sg.zeros, ("constant", 0)),
    (sg.ones(), ("constant", 1)),
    (0.25, ("constant", 0.25)),
    (sg.constant(-3), ("constant", -3)),
    ("normal", ("normal", 0, 1)),
    (sg.normal(2, 0.1), ("normal", 2, 0.1)),
    (sg.uniform(-0.5, 0.5), ("uniform", -0.5, 0.5)),
    ("glorot_uniform", ("uniform", -math.sqrt(6 / 16), math.sqrt(6 / 16))),
    (sg.glorot_normal(gain=2), ("normal", 0, 2 * math.sqrt(2 / 16))),
    ("he_uniform", ("uniform", -math.sqrt(6 / 6), math.sqrt(6 / 6))),
    (sg.he_normal(), ("normal", 0, math.sqrt(2 / 6))),
    (sg.he_normal(fan_in=10), ("normal", 0, math.sqrt(2 / 10))),
    (lambda shape: ("uniform", -1, len(shape)), ("uniform", -1, 2)),
]


@pytest.mark.parametrize("init, expected", CASES, ids=range(len(CASES)))
def test_distributions(init: Any, expected: tuple[Any, ...]) -> None:
    leaf = sg.parameter("w", (10, 6), init=init)
    assert isinstance(leaf, Parameter)
    kind, *numbers = leaf.initialiser
    assert (kind, *map(float, numbers)) == pytest.approx(expected)


def test_messages() -> None:
    assert message_of(lambda: sg.parameter("w", (3,), init="random")) == (
        "DefinitionError: 'random' is not an initialiser\n"
        "  at     HERE\n"
        "  known  zeros, ones, normal, uniform, glorot_uniform, glorot_normal, he_uniform, "
        "he_normal, torch_linear\n"
        "  fix    use one of these names, a number, or sg.init.normal(mean, std) and the like"
    )
    assert message_of(lambda: sg.parameter("w", (3,), init="glorot_uniform")) == (
        "DefinitionError: glorot_uniform needs a parameter of at least two axes, not [3]\n"
        "  at   HERE\n"
        "  fix  use init=sg.init.normal(0, std), or say fan_in= where it is taken"
    )
    assert message_of(lambda: sg.normal(0, -1)) == (
        "DefinitionError: a standard deviation cannot be negative: -1\n  at  HERE"
    )
    assert message_of(lambda: sg.uniform(2, 1)) == (
        "DefinitionError: uniform from 2 to 1: the bounds are in the wrong order\n  at  HERE"
    )
