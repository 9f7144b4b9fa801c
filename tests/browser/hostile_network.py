"""A model whose names hold markup or are wider than a phone, and whose formulas are too."""

from __future__ import annotations

import symgrad as sg

LONG = "a_name_that_goes_on_" * 4 + "until_it_is_wider_than_a_phone"
MARKUP = "<script>alert(1)</script>"


def hostile_network() -> sg.Model:
    n = sg.dim("n")
    x, y = sg.input("x", (n, 4)), sg.input(LONG, (n,))
    w = sg.parameter("w", (4,))
    z = (x @ w).named(MARKUP)
    a = sg.tanh(z * y).named("</annotation>&amp;</math>")
    terms = a * a * sg.exp(a) + sg.sin(a) * sg.cos(z) + sg.log(1 + y * y) * sg.tanh(z + a)
    v = (terms + sg.sqrt(1 + a * a) * sg.sigmoid(z) * sg.sigmoid(a)).named("v_" + LONG)
    return sg.Model("hostile_" + LONG, loss=sg.sum(v**2) / n, outputs={"a": a, "v": v})
