"""The pipelines on whole models: what gradients look like in the end, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import sympy
from laws import as_text, check_laws

import symgrad as sg
from symgrad.calculus.reverse import gradients
from symgrad.expr import functions as f
from symgrad.expr.contraction import Contraction, contract, spread
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Constant, Parameter
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.reindex import ScatterAlong
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form
from symgrad.passes.pipeline import AFTER_DERIVATION, BEFORE_DERIVATION, run
from symgrad.passes.shift import shift_logsumexp

n = sg.dim("n")
a, b, c = slot(0), slot(1), slot(2)
SIMPLIFY = tuple(each for each in AFTER_DERIVATION if each is not shift_logsumexp)
K = sympy.Integer(10)
Z = Parameter("z", (n, K))
COLUMN = spread(LogSumExp(Z, 1), {1: sympy.S.One})
RNG = np.random.default_rng(2)


def derived(loss: Node, wrt: Sequence[Node], **values: object) -> Form:
    """Loss and gradients after both pipelines, every pass checked on `values` if there are any."""
    before = Form.of({"loss": loss})
    before = check_laws(before, BEFORE_DERIVATION, values) if values else run(
        before, BEFORE_DERIVATION
    )
    loss = before.outputs["loss"]
    slopes = gradients(loss, wrt)
    outputs = {"loss": loss} | {x.name: g for x, g in zip(wrt, slopes, strict=True)}
    form = Form.of(outputs, {})
    return check_laws(form, SIMPLIFY, values) if values else run(form, SIMPLIFY)


def formula_over(node: Node, *operands: Node) -> sympy.Expr:
    """The formula of a map with its slots numbered as `operands` are."""
    assert isinstance(node, Map) and set(node.operands) == set(operands), node.operands
    by = {slot(i): sympy.Symbol(f"t{operands.index(x)}") for i, x in enumerate(node.operands)}
    back = {sympy.Symbol(f"t{i}"): slot(i) for i in range(len(operands))}
    return node.formula.xreplace(by).xreplace(back)


def naive_log_softmax(z: Node) -> Node:
    return sg.log(sg.exp(z) / sg.sum(sg.exp(z), axis=1, keepdims=True))


def careful_log_softmax(z: Node) -> Node:
    shifted = z - sg.max(z, axis=1, keepdims=True)
    return shifted - sg.log(sg.sum(sg.exp(shifted), axis=1, keepdims=True))


LOG_SOFTMAX = [sg.log_softmax, naive_log_softmax, careful_log_softmax]


@pytest.mark.parametrize("log_softmax", LOG_SOFTMAX)
def test_cross_entropy_with_class_indices(log_softmax: object) -> None:
    """(softmax(z) - one_hot(labels)) / n, whichever way the definition was written."""
    assert callable(log_softmax)
    labels = sg.input("labels", (n,), dtype="int")
    column = sg.reshape(labels, (n, 1))
    picked = sg.take_along_axis(log_softmax(Z), column, axis=1)
    values = {"z": RNG.normal(size=(6, 10)), "labels": RNG.integers(0, 10, 6)}
    form = derived(-sg.mean(picked), [Z], **values)
    hits = next(x for x in postorder(form.outputs.values()) if isinstance(x, ScatterAlong))
    assert hits.source is Constant(1, (n, 1), "float")
    expected = (sympy.exp(a - b) - c) / n
    assert formula_over(form.outputs["z"], Z, COLUMN, hits) == expected


@pytest.mark.parametrize("log_softmax", LOG_SOFTMAX)
def test_cross_entropy_with_a_distribution(log_softmax: object) -> None:
    assert callable(log_softmax)
    t = sg.input("t", (n, 10), sums_to_one=-1)
    loss = -sg.mean(sg.sum(t * log_softmax(Z), axis=1))
    weights = RNG.random((6, 10))
    values = {"z": RNG.normal(size=(6, 10)), "t": weights / weights.sum(1, keepdims=True)}
    form = derived(loss, [Z], **values)
    assert formula_over(form.outputs["z"], Z, COLUMN, t) == (sympy.exp(a - b) - c) / n


def test_cross_entropy_whose_weights_need_not_sum_to_one() -> None:
    t = sg.input("t", (n, 10))
    loss = -sg.sum(t * sg.log_softmax(Z))
    values = {"z": RNG.normal(size=(6, 10)), "t": RNG.random((6, 10))}
    form = derived(loss, [Z], **values)
    sums = next(
        x for x in form.outputs["z"].operands if isinstance(x, Contraction) and x.shape[1] == 1
        and x is not COLUMN
    )  # fmt: skip
    assert formula_over(form.outputs["z"], Z, COLUMN, t, sums) == slot(3) * sympy.exp(a - b) - c


def test_the_probabilities_are_computed_once() -> None:
    labels = sg.input("labels", (n, 1), dtype="int")
    p = sg.softmax(Z, axis=1)
    loss = -sg.mean(sg.take_along_axis(sg.log_softmax(Z), labels, axis=1))
    form = run(Form.of({"p": p, "z": gradients(loss, [Z])[0]}, {}), SIMPLIFY)
    assert form.outputs["p"] in form.outputs["z"].operands
    assert not form.outputs["z"].formula.has(sympy.exp)


def test_mean_squared_error() -> None:
    p, t = Parameter("p", (n, 3)), sg.input("t", (n, 3))
    values = {"p": RNG.normal(size=(4, 3)), "t": RNG.normal(size=(4, 3))}
    form = derived(sg.mean((p - t) ** 2), [p], **values)
    difference = Map(a - b, p, t)
    third = sympy.Rational(1, 3)
    assert form.outputs["loss"] is contract(
        (), [(difference, "ij"), (difference, "ij")], third / n
    )
    assert form.outputs["p"] is Map(2 * third * a / n, difference)


def test_a_linear_layer_is_three_products() -> None:
    x = Parameter("x", (n, 4))
    W, bias, g = Parameter("W", (3, 4)), Parameter("bias", (3,)), sg.input("g", (n, 3))
    form = derived(sg.sum(g * (x @ W.T + bias)), [x, W, bias])
    assert form.outputs["x"] is contract("ij", [(g, "ik"), (W, "kj")])
    assert form.outputs["W"] is contract("kj", [(g, "ik"), (x, "ij")])
    assert form.outputs["bias"] is contract("k", [(g, "ik")])


def test_a_regularised_net_of_two_layers() -> None:
    x, t = sg.input("x", (n, 4)), sg.input("t", (n, 2))
    lam = sg.input("lam", ())
    W1, b1 = Parameter("W1", (5, 4)), Parameter("b1", (5,))
    W2, b2 = Parameter("W2", (2, 5)), Parameter("b2", (2,))
    hidden = sg.tanh(x @ W1.T + b1)
    loss = sg.sum((hidden @ W2.T + b2 - t) ** 2) / n + lam * sg.sum(W1**2)
    values = {
        x: RNG.normal(size=(7, 4)), t: RNG.normal(size=(7, 2)), lam: 0.3,
        W1: RNG.normal(size=(5, 4)), b1: RNG.normal(size=5),
        W2: RNG.normal(size=(2, 5)), b2: RNG.normal(size=2),
    }  # fmt: skip
    form = derived(loss, [W1, b1, W2, b2], **{k.name: v for k, v in values.items()})
    d_hidden = form.outputs["b1"].operands[0]
    (h,) = (y for y in d_hidden.operands if isinstance(y, Map))
    assert h.formula == sympy.tanh(a + b) and h.operands[1] is b1
    assert d_hidden.formula in (a * (1 - b**2), b * (1 - a**2)), "tanh is not computed again"
    assert form.outputs["W1"].formula == 2 * a * b + c
    products = [y for y in postorder(form.outputs.values()) if isinstance(y, Contraction)]
    assert all(len(y.operands) <= 2 for y in products)
    assert {len(y.summed) for y in products} <= {1, 2}


def test_relu_reads_its_output() -> None:
    x, W = sg.input("x", (n, 4)), Parameter("W", (4, 3))
    form = derived(sg.sum(sg.relu(x @ W) ** 2), [W])
    masks = [
        y for y in postorder(form.outputs.values()) if isinstance(y, Map) and y.formula.has(f.less)
    ]
    (mask,) = masks
    assert any(isinstance(y, Map) and y.formula == f.relu(a) for y in mask.operands)


# Growth


def deep(layers: int) -> tuple[Node, list[Node]]:
    x = sg.input("x", (n, 64))
    hidden, parameters = x, []
    for k in range(layers):
        W, bias = Parameter(f"W{k}", (64, 64)), Parameter(f"b{k}", (64,))
        parameters += [W, bias]
        hidden = sg.tanh(hidden @ W.T + bias)
    return sg.mean(hidden**2), parameters


def chain(length: int) -> tuple[Node, list[Node]]:
    xs = [Parameter(f"x{i}", (n,)) for i in range(7)]
    total = xs[0]
    for k in range(length):
        total = total + xs[k % 7]
    return sg.sum(total), xs


def seconds(model: tuple[Node, list[Node]]) -> float:
    start = time.process_time()
    derived(*model)
    return time.process_time() - start


@pytest.mark.parametrize(("build", "size"), [(deep, 100), (chain, 500)])
def test_time_grows_with_the_model_and_not_faster(build: object, size: int) -> None:
    assert callable(build)
    seconds(build(size))  # fills the caches of formulas
    once = min(seconds(build(size)) for _ in range(2))
    more = min(seconds(build(4 * size)) for _ in range(2))
    assert more < 4 * 2.5 * once + 0.2


def test_depth_meets_no_recursion_limit() -> None:
    assert seconds(deep(1500)) < 60


PROGRAM = """
    import symgrad as sg
    from test_pipeline import *
    x, y = sg.input("x", (n, 8)), sg.input("y", (n,), dtype="int")
    W = [Parameter(f"W{i}", (8, 8)) for i in range(3)]
    h = sg.softplus(sg.tanh(x @ W[0]) @ W[1]) @ W[2]
    loss = sg.nn.functional.cross_entropy(h, y) + sum(sg.sum(w**2) for w in W)
    print(as_text(derived(loss, W)))
"""


def test_the_result_does_not_depend_on_the_hash_seed() -> None:
    here = Path(__file__).parent
    path = os.pathsep.join(str(p) for p in (here, here.parent, here.parent.parent))
    texts = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM)],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2", "77")
    }  # fmt: skip
    assert len(texts) == 1 and "Contraction" in texts.pop()
    assert as_text(Form.of({"z": Z}))
