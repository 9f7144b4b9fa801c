"""Every pass on every family of nodes, on every operation and on random programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from catalogue import CASES, SIZES, Case, actual_shape
from laws import Broken, check_laws
from operation_catalogue import OPERATION_CASES

from symgrad.calculus.derivatives import hessian
from symgrad.calculus.reverse import gradients
from symgrad.expr.contraction import sum_over
from symgrad.expr.dimension import dim
from symgrad.expr.formula import slot
from symgrad.expr.leaf import Constant, Input
from symgrad.expr.map import Map
from symgrad.expr.node import FLOAT, Node
from symgrad.passes.form import Form
from symgrad.passes.pipeline import AFTER_DERIVATION, BEFORE_DERIVATION

sys.path.append(str(Path(__file__).parent.parent / "calculus"))
from random_programs import LEAVES, program

SMALL = 6  # entries of a leaf of which the Hessian is taken, too


def check_pipelines(
    output: Node, leaves: Sequence[Node], values: dict[Any, Any], sizes: dict[str, int]
) -> None:
    """The passes before derivation on `output`, those after it on value and derivatives."""
    rng = np.random.default_rng(7)
    form = check_laws(Form.of({"output": output}), BEFORE_DERIVATION, values, sizes)
    output = form.outputs["output"]
    outputs = {"output": output}
    floats = [leaf for leaf in leaves if leaf.dtype == FLOAT]
    if output.dtype == FLOAT and floats:
        weights = Input("weights", output.shape)
        values = values | {weights: rng.normal(size=actual_shape(output.shape, sizes))}
        loss = sum_over(Map(slot(0) * slot(1), weights, output), range(output.ndim))
        slopes = gradients(loss, floats)
        outputs |= {f"d_{leaf.name}": g for leaf, g in zip(floats, slopes, strict=True)}
        if np.prod(actual_shape(floats[0].shape, sizes)) <= SMALL:
            outputs["hessian"] = hessian(loss, floats[0])
    check_laws(Form.of(outputs), AFTER_DERIVATION, values, sizes)


@pytest.mark.parametrize("case", [*CASES, *OPERATION_CASES], ids=str)
def test_operations(case: Case) -> None:
    leaves = case.leaves()
    rng = np.random.default_rng(3)
    values = dict(zip(leaves, case.values(rng), strict=True))
    check_pipelines(case.build(*leaves), leaves, values, case.sizes)


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = {leaf: rng.normal(size=actual_shape(leaf.shape)) for leaf in LEAVES}
    check_pipelines(program(seed, 13), LEAVES, values, SIZES)


# The checks themselves: each of these passes breaks one law.

X = Input("x", (dim("n"),))
COUNTER = count()


def slightly_wrong(node: Node) -> Node:
    return Map(slot(0) * (1 + sympy.Rational(1, 10**6)), X)


def never_done(node: Node) -> Node:
    return Map(slot(0) + slot(1), node, Constant(0))


def of_unknown_symbol(node: Node) -> Node:
    return Map(sympy.Symbol("q") * slot(0), X)


def different_each_time(node: Node) -> Node:
    return Map(slot(0) + slot(1), X, Constant(0, (sympy.Integer(1),) * (next(COUNTER) % 2)))


@pytest.mark.parametrize(
    ("build", "law"),
    [
        (slightly_wrong, "changes y"),
        (never_done, "is not idempotent"),
        (of_unknown_symbol, "fails on"),
        (different_each_time, "is not deterministic"),
    ],
)
def test_broken_passes_are_found(build: Callable[[Node], Node], law: str) -> None:
    def broken(form: Form) -> Form:
        return form.rewritten({node: build(node) for node in form.outputs.values()})

    form = Form.of({"y": Map(slot(0) + 0, X)})
    with pytest.raises(Broken, match=law):
        check_laws(form, [broken], {"x": [1.5, -2.0]})
