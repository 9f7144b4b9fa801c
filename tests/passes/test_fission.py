"""What is left in a loop: only what one step needs of another."""

from __future__ import annotations

import numpy as np
import pytest
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad import nn
from symgrad.calculus.reverse import gradients
from symgrad.expr.contraction import Contraction
from symgrad.expr.formula import heads
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import Concat, Embed
from symgrad.expr.scan import Scan, Stacked
from symgrad.expr.walk import depends_on, postorder
from symgrad.passes.fission import split_scans
from symgrad.passes.form import Form
from symgrad.passes.pipeline import AFTER_DERIVATION, BEFORE_DERIVATION, run
from symgrad.passes.tiling import joined
from symgrad.passes.verify import IllFormed, verify

T, n = sg.dim("t"), sg.dim("n")
KINDS = ["RNN", "LSTM", "GRU"]
rng = np.random.default_rng(3)


def derived(loss: Node, leaves: list[Node]) -> Form:
    """The loss and its gradients, after all passes."""
    start = run(Form.of({"loss": loss}), BEFORE_DERIVATION)
    slopes = gradients(start.outputs["loss"], leaves)
    named = {leaf.name: slope for leaf, slope in zip(leaves, slopes, strict=True)}
    return run(Form.of({"loss": start.outputs["loss"]} | named), AFTER_DERIVATION)


def loops(form: Form) -> list[Scan]:
    return [node for node in postorder(form.outputs.values()) if isinstance(node, Scan)]


def computed(scan: Scan) -> list[Node]:
    return [node for node in postorder(scan.step.following) if node.operands]


def recurrent(layer: nn.Module) -> tuple[Node, list[Node]]:
    x = sg.input("x", (T, n, 3))
    output = layer(x)[0]
    return sg.sum(output * output), layer.parameters()


@pytest.mark.parametrize("layer", [nn.RNN(3, 4), nn.LSTM(3, 4), nn.GRU(3, 4)], ids=KINDS)
def test_a_loop_computes_only_what_depends_on_its_state(layer):
    for scan in loops(derived(*recurrent(layer))):
        states = depends_on(scan.step.following, scan.step.carried)
        views = [x for x in computed(scan) if isinstance(x, Contraction) and x.is_view]
        assert [node for node in computed(scan) if node not in states and node not in views] == []


@pytest.mark.parametrize("layer", [nn.RNN(3, 4), nn.LSTM(3, 4), nn.GRU(3, 4)], ids=KINDS)
def test_each_loop_multiplies_once_and_weights_get_one_product(layer):
    form = derived(*recurrent(layer))
    forward, backward = loops(form)
    for scan in (forward, backward):
        assert sum(isinstance(node, Contraction) for node in computed(scan)) == 1
    assert not forward.is_reversed and backward.is_reversed
    for name in ("weight_ih_l0", "weight_hh_l0"):
        product = form.outputs[name]
        assert isinstance(product, Contraction) and len(product.operands) == 2
        assert len(product.summed) == 2  # over the steps and the batch


def test_the_backward_loop_of_an_lstm_is_what_one_writes_by_hand():
    _, backward = loops(derived(*recurrent(nn.LSTM(3, 4))))
    kinds = [type(node).__name__ for node in computed(backward)]
    assert sorted(kinds) == ["Concat", "Contraction", *["Map"] * 7]
    formulas = sorted(str(node.formula) for node in computed(backward) if isinstance(node, Map))
    assert formulas == ["_0 + _1", "_0 + _1*_2", *["_0*_1"] * 5]


@pytest.mark.parametrize("layer", [nn.LSTM(3, 4), nn.GRU(3, 4)], ids=["LSTM", "GRU"])
def test_what_the_forward_loop_computed_is_not_computed_again(layer):
    form = derived(*recurrent(layer))
    outside = [node for node in postorder(form.outputs.values()) if isinstance(node, Map)]
    inside = [node for node in computed(loops(form)[1]) if isinstance(node, Map)]
    assert [node for node in (*outside, *inside) if heads(node.formula) & {"tanh", "sigmoid"}] == []


def test_sequences_that_no_state_needs_are_computed_after_the_loop():
    x, v = sg.input("x", (T, 3)), sg.parameter("v", (3, 2))
    h0 = sg.input("h0", (3,))
    _, ys = sg.scan(lambda h, x: ((h := sg.tanh(h + x)), sg.exp(h @ v)), h0, x)
    form = split_scans(Form.of({"ys": ys}))
    (scan,) = loops(form)
    assert [type(node).__name__ for node in computed(scan)] == ["Map"]
    (stack,) = [node for node in postorder([form.outputs["ys"]]) if isinstance(node, Stacked)]
    assert stack.inner is scan.step.following[0]


def test_a_state_that_nothing_asks_for_is_not_carried():
    x = sg.input("x", (T, 3))
    (last, _), _ = sg.scan(lambda s, x: ((s[0] * x, s[1] + x), None), (x[0], x[0]), x)
    (scan,) = loops(split_scans(Form.of({"last": last})))
    assert len(scan.step.carried) == 1


def test_values_of_a_scan_in_a_scan_stay():
    x = sg.input("x", (4, 3, 2))
    w = sg.parameter("w", (2,))

    def outer(h: Node, rows: Node) -> tuple[Node, Node]:
        last, every = sg.scan(lambda g, row: (sg.sin(g * w + row * w + h), g * row), h, rows)
        return last, sg.sum(every, axis=0) + h

    last, ys = sg.scan(outer, x[0, 0], x)
    loss = sg.sum(ys * ys) + sg.sum(last)
    values = {"x": rng.normal(size=(4, 3, 2)), "w": rng.normal(size=2)}
    plain = evaluate([loss, *gradients(loss, [x, w])], values)
    found = evaluate(list(derived(loss, [x, w]).outputs.values()), values)
    for a, b in zip(plain, found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


# Tiles


def embedded(part: Node, start: int, size: int) -> Node:
    return Embed(part, [(0, 2, 1), (start, size, 1)])


def test_parts_that_fill_an_axis_are_concatenated():
    a, b = sg.input("a", (2, 3)), sg.input("b", (2, 4))
    whole = embedded(b, 3, 7) + embedded(a, 0, 7)
    assert joined(whole) is Concat(1, a, b)


@pytest.mark.parametrize("starts", [(0, 4), (0, 2), (1, 4)], ids=["gap", "overlap", "late"])
def test_parts_that_do_not_fill_it_are_not(starts):
    a, b = sg.input("a", (2, 3)), sg.input("b", (2, 4))
    first, second = starts
    assert joined(embedded(a, first, 8) + embedded(b, second, 8)) is None


# The verifier


def test_a_step_that_reads_what_is_not_bound_is_refused():
    x = sg.input("x", (T, 3))
    last, _ = sg.scan(lambda h, x: (h + x, None), x[0], x)
    scan = last.scan
    step = scan.step
    broken = type(step)(step.carried, (step.carried[0] * x[0],), step.sequences, ())
    with pytest.raises(IllFormed, match="must be closed"):
        verify(Form.of({"last": type(last)(Scan(broken, T, 0, *scan.operands), step.carried[0])}))
