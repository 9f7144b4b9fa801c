"""Spelling out logsumexp: same values, exact where |z| is large, exponentials shared."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.calculus.reverse import gradients
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp
from symgrad.expr.walk import postorder
from symgrad.passes.form import Form
from symgrad.passes.pipeline import AFTER_DERIVATION, BEFORE_DERIVATION, run
from symgrad.passes.shift import shift_logsumexp

n = sg.dim("n")


def cross_entropy(z: Node, y: Node) -> Node:
    return sg.nn.functional.cross_entropy(z, y)


def simplified(outputs: dict[str, Node]) -> dict[str, Node]:
    return run(Form.of(outputs), AFTER_DERIVATION).outputs


def test_example_of_the_docstring() -> None:
    z, y = Input("z", (n, 5)), Input("y", (n,), "int")
    loss = run(Form.of({"": cross_entropy(z, y)}), BEFORE_DERIVATION).outputs[""]
    (slope,) = gradients(loss, [z])
    nodes = postorder(simplified({"loss": loss, "d_z": slope}).values())
    assert not any(isinstance(node, LogSumExp) for node in nodes)
    exponentials = {
        (part, *node.operands)
        for node in nodes
        if isinstance(node, Map)
        for part in node.formula.atoms(sympy.exp)
    }
    assert len(exponentials) == 2, "exp(c) in the sum and in the softmax, over the same c"
    assert len({operands[0] for _, *operands in exponentials}) == 1


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("axis", [0, 1])
def test_same_values(scale: float, axis: int) -> None:
    z = Input("z", (3, 4))
    outputs = {
        "lse": sg.logsumexp(z, axis=axis),
        "softmax": sg.softmax(z, axis=axis),
        "log_softmax": sg.log_softmax(z, axis=axis),
    }
    values = {"z": np.random.default_rng(0).standard_normal((3, 4)) * scale}
    shifted = shift_logsumexp(Form.of(outputs)).outputs
    for before, after in zip(
        evaluate(list(outputs.values()), values),
        evaluate(list(shifted.values()), values),
        strict=True,
    ):
        assert np.allclose(before, after, rtol=1e-12, atol=1e-12)


def test_rows_of_infinities() -> None:
    z = Input("z", (3, 2))
    shifted = shift_logsumexp(Form.of({"lse": sg.logsumexp(z, axis=1)})).outputs
    rows = np.array([[-np.inf, -np.inf], [np.inf, 1.0], [-np.inf, 2.0]])
    (lse,) = evaluate(list(shifted.values()), {"z": rows})
    assert lse.tolist() == [-np.inf, np.inf, 2.0]


def test_another_rows_maximum_is_not_taken() -> None:
    """z - lse of *other* rows must not be read relative to their maximum."""
    z = Input("z", (3, 3))
    lse = sg.logsumexp(z, axis=1)
    wrong_way = z - lse  # broadcasts along rows: entry [i, j] less the logsumexp of row j
    values = {"z": np.arange(9.0).reshape(3, 3) ** 1.5}
    after = shift_logsumexp(Form.of({"d": wrong_way})).outputs
    assert np.allclose(evaluate([wrong_way], values)[0], evaluate(list(after.values()), values)[0])


def test_idempotent() -> None:
    z = Input("z", (n, 4))
    once = shift_logsumexp(Form.of({"p": sg.softmax(z, axis=-1)}))
    assert shift_logsumexp(once).outputs == once.outputs
