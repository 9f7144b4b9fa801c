"""Every scalar function of the language, and its slopes, are written as what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from catalogue import FORMULA_ONLY, LOGICAL, SCALARS
from notation_value import Reader
from numpy_evaluator import evaluate

from symgrad.expr import functions as f
from symgrad.expr.formula import partial, slot, slots_of
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.report.notation import Symbol, equations_of, latex, mathml, symbol, text

FUNCTIONS = {name: (f.FUNCTIONS[name], ranges) for name, ranges in SCALARS.items()} | {
    f"formula_only_{name}": (getattr(f, name), ranges) for name, ranges in FORMULA_ONLY.items()
}
UNSPELLED = {"unit", "root", "where", "less", "softplus", "expm1", "log1p", "relu", "clip"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_and_its_slopes(name: str) -> None:
    build, ranges = FUNCTIONS[name]
    rng = np.random.default_rng(len(name))
    kinds = ["bool" if r == LOGICAL else "float" for r in ranges]
    drawn = [r for r in ranges if isinstance(r, tuple) or r == LOGICAL]
    leaves = [Input(f"x{k}", (3, 2), kinds[k]) for k in range(len(drawn))]
    values = [_drawn(r, rng) for r in drawn]
    slots = [slot(k) for k in range(len(drawn))]
    numbers = [r for r in ranges if not isinstance(r, tuple) and r != LOGICAL]
    formula = sympy.sympify(build(*slots, *numbers))
    for each in [formula, *(partial(formula, k) for k, r in enumerate(drawn) if r != LOGICAL)]:
        if slots_of(each):
            _check(each, leaves, values)


def _drawn(limits: Any, rng: np.random.Generator) -> Any:
    if limits == LOGICAL:
        return rng.integers(0, 2, (3, 2)).astype(bool)
    return rng.uniform(*limits, (3, 2))


def _check(formula: sympy.Expr, leaves: list[Any], values: list[Any]) -> None:
    node = Map(formula, *leaves)
    (expected,) = evaluate([node], dict(zip(leaves, values, strict=True)))
    names = {leaf: symbol(leaf.name) for leaf in leaves} | {node: Symbol("Z")}
    found = equations_of(node, names.get)
    known = {names[leaf]: value for leaf, value in zip(leaves, values, strict=True)}
    assert found.matrix is not None
    for written in (found.matrix, found.indices):
        assert not UNSPELLED & set(text(written).replace("(", " ").split()), text(written)
        assert latex(written) and mathml(written)
    whole = np.asarray(Reader(known, {}).value(found.matrix.right), float)
    np.testing.assert_allclose(whole, expected, rtol=1e-9, atol=1e-12, err_msg=text(found.matrix))
    reader = Reader(known, found.ranges)
    for places in np.ndindex(3, 2):
        reader.names.update(zip(found.indices.left.indices, places, strict=True))
        entry = float(reader.value(found.indices.right))
        assert entry == pytest.approx(float(expected[places]), rel=1e-9, abs=1e-12)
