"""A network of many layers, for a long page."""

from __future__ import annotations

import symgrad as sg
from symgrad import nn


def deep_network(layers: int) -> sg.Model:
    n = sg.dim("n")
    x, y = sg.input("x", (n, 16)), sg.input("y", (n, 16))
    parts = [part for _ in range(layers) for part in (nn.Linear(16, 16), nn.Tanh())]
    return sg.Model("deep", loss=nn.functional.mse_loss(nn.Sequential(*parts)(x), y))
