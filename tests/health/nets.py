"""Deep nets for the tests of gradient health."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import symgrad as sg
from symgrad import nn

n = sg.dim("n")


def deep(
    activation: Callable[[Any], Any],
    depth: int,
    width: int,
    init: Any = None,
    after: Callable[[Any], Any] = lambda h: h,
) -> sg.Model:
    """`depth` layers of linear then activation (then `after`), a linear layer, cross-entropy."""
    x, y = sg.input("x", (n, width)), sg.input("y", (n,), dtype="int")
    h = x
    for i in range(depth):
        h = after(activation(nn.Linear(width, width, name=f"l{i}", weight_init=init)(h)))
    logits = nn.Linear(width, 10, name="out")(h)
    return sg.Model("deep", loss=nn.functional.cross_entropy(logits, y))


def residual(activation: Callable[[Any], Any], depth: int, width: int, init: Any) -> sg.Model:
    """`h = h + W activation(h)`, `depth` times."""
    x, y = sg.input("x", (n, width)), sg.input("y", (n,), dtype="int")
    h = x
    for i in range(depth):
        h = h + nn.Linear(width, width, name=f"l{i}", weight_init=init)(activation(h))
    logits = nn.Linear(width, 10, name="out")(h)
    return sg.Model("residual", loss=nn.functional.cross_entropy(logits, y))
