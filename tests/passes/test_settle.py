"""Settling: scales of scatters that met nothing."""

from __future__ import annotations

import sympy

from symgrad.expr.dimension import dim
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Constant, Input
from symgrad.expr.map import Map
from symgrad.expr.reindex import Embed, ScatterAlong
from symgrad.passes.fold import fold
from symgrad.passes.form import Form
from symgrad.passes.settle import settle

n = dim("n")
a = slot(0)
LABELS = Input("labels", (n, 1), "int")
TEN = sympy.Integer(10)
HITS = ScatterAlong(Constant(1, (n, 1), "float"), LABELS, 1, TEN)


def test_the_example_of_the_pass() -> None:
    scaled = ScatterAlong(Constant(-1 / n, (n, 1)), LABELS, 1, TEN)
    form = fold(Form.of({"d": scaled}))
    assert form.outputs["d"] is Map(-a / n, HITS)
    assert settle(form).outputs["d"] is scaled


def test_the_scale_joins_the_formula_of_the_entries() -> None:
    x = Input("x", (n,))
    padded = Embed(Map(sympy.exp(a), x), [(1, n + 2, 1)])
    settled = settle(Form.of({"y": Map(3 * a, padded)})).outputs["y"]
    assert settled is Embed(Map(3 * sympy.exp(a), x), [(1, n + 2, 1)])


def test_what_others_read_stays() -> None:
    form = Form.of({"y": Map(3 * a, HITS), "hits": HITS})
    assert settle(form) is form
