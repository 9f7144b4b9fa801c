"""Nodes as lines of mathematics: what a reader needs to see of a broadcast, and no more."""

from __future__ import annotations

import pytest

import symgrad as sg
from symgrad.expr.contraction import spread
from symgrad.expr.equation import right_side
from symgrad.expr.leaf import Named
from symgrad.expr.node import Node

a, b, c = sg.input("a", (2, 3)), sg.input("b", (2, 4)), sg.input("c", (2, 3, 4))
v = sg.input("v", (2,))
a_wide, b_wide, v_wide = spread(a, {2: 4}), spread(b, {1: 3}), spread(v, {1: 3, 2: 4})


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (a_wide * b_wide, "a[:, :, None] * b[:, None]"),
        (b_wide + v_wide, "b[:, None] + v[:, None, None]"),
        (b_wide / spread(a[0], {0: 2, 2: 4}), "b[:, None] / squeeze(a[0:1, :])[:, None]"),
        (c * b_wide + a_wide, "c * b + a"),  # c shows how the others meet it
        (sg.sqrt(c) - v_wide, "sqrt(c) - v"),
        (sg.sqrt(b @ b.T), "sqrt(b @ b.T)"),
    ],
)
def test_broadcasts(node: Node, text: str) -> None:
    def name_of(part: Node) -> str | None:
        return part.name if isinstance(part, Named) else None

    assert right_side(node, name_of) == text
