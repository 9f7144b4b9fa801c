"""Sums of overlapping products as products of windows: same values, and where it is worth it."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from laws import check_laws

import symgrad as sg
from symgrad import nn
from symgrad.calculus.reverse import gradients
from symgrad.expr.contraction import Contraction, contract, sum_over
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import Slice
from symgrad.expr.walk import postorder
from symgrad.expr.window import Overlap, Windows
from symgrad.passes.convolve import convolve
from symgrad.passes.form import Form
from symgrad.passes.pipeline import AFTER_DERIVATION

n = sg.dim("n")
RNG = np.random.default_rng(4)


def spread_out(f: int, c: int, size: int, count: int = 9, stride: int = 1, dilation: int = 1) -> Node:
    g, w = Input("g", (n, f, count)), Input("w", (f, c, size))
    products = contract("ncok", [(g, "nfo"), (w, "fck")], sympy.Rational(1, 2))
    length = (count - 1) * stride + dilation * (size - 1) + 1
    return Overlap(products, 2, length, stride, dilation)


def has(node: Node, kind: type[Node]) -> bool:
    return any(isinstance(each, kind) for each in postorder([node]))


def checked(node: Node) -> Node:
    leaves = [x for x in postorder([node]) if isinstance(x, Input)]
    values = {x: RNG.normal(size=[3 if s == n else int(s) for s in x.shape]) for x in leaves}
    return check_laws(Form.of({"": node}), [convolve], values).outputs[""]


@pytest.mark.parametrize("size, dilation", [(3, 1), (2, 3), (4, 2)])
def test_example_of_the_docstring(size: int, dilation: int) -> None:
    after = checked(spread_out(2, 2, size, 30, dilation=dilation))
    assert isinstance(after, Contraction) and has(after, Windows) and not has(after, Overlap)


@pytest.mark.parametrize("start, length", [(1, 9), (2, 7), (0, 11), (0, 10), (2, 9), (3, 4), (4, 2)])
def test_what_is_cut_off_is_not_padded(start: int, length: int) -> None:
    whole = spread_out(2, 3, 3)
    cut = Slice(whole, [(0, n, 1), (0, 3, 1), (start, length, 1)])
    after = checked(cut)
    assert isinstance(after, Contraction) and not has(after, Overlap)


def test_a_slice_of_another_axis_stays_one() -> None:
    cut = Slice(spread_out(2, 3, 3), [(0, n, 1), (1, 2, 1), (0, 11, 1)])
    after = checked(cut)
    assert isinstance(after, Slice) and has(after, Windows)


@pytest.mark.parametrize("node", [spread_out(2, 2, 3, stride=2), spread_out(8, 2, 3)])
def test_what_is_not_worth_it_stays(node: Node) -> None:
    assert checked(node) is node


def test_a_product_that_others_read_stays() -> None:
    whole = spread_out(2, 2, 3)
    (products,) = whole.operands
    both = sum_over(whole, [0, 1, 2]) * sum_over(Map(slot(0) ** 2, products), [0, 1, 2, 3])
    assert has(checked(both), Overlap)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("padding", [0, 1, 3])
def test_the_input_gradient_of_a_convolution(padding: int, groups: int) -> None:
    x, w = Input("x", (n, 4, 7, 8)), Input("w", (4, 4 // groups, 3, 2))
    y = nn.functional.conv2d(x, w, padding=padding, groups=groups)
    weights = Input("weights", y.shape)
    loss = sum_over(Map(slot(0) * slot(1), weights, Map(sympy.sin(slot(0)), y)), range(4))
    slopes = gradients(loss, [x, w])
    sizes = {"n": 2}
    values = {
        leaf: RNG.normal(size=[sizes.get(str(s)) or int(s) for s in leaf.shape])
        for leaf in (x, w, weights)
    }
    outputs = {"loss": loss, "d_x": slopes[0], "d_w": slopes[1]}
    form = check_laws(Form.of(outputs), AFTER_DERIVATION, values, sizes)
    assert not has(form.outputs["d_x"], Overlap) or padding == 0
