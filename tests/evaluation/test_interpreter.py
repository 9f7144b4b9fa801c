"""The interpreter of the package against the tests' own, on every case of the catalogue."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from catalogue import CASES, FORMULA_ONLY, SCALARS, Case, Operand
from numpy_evaluator import evaluate

import symgrad.evaluation
from symgrad.errors import CheckError
from symgrad.evaluation.carried import change, moving
from symgrad.evaluation.interpreter import Evaluation
from symgrad.evaluation.nodes import RULES
from symgrad.evaluation.sizes import Sizes
from symgrad.expr import functions as f
from symgrad.expr.leaf import Input
from symgrad.expr.map import Map
from symgrad.expr.slots import slot


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_the_tests_interpreter(case: Case) -> None:
    rng = np.random.default_rng(3)
    leaves = case.leaves()
    root = case.build(*leaves)
    given = dict(zip(leaves, case.values(rng), strict=True))
    (expected,) = evaluate([root], given, case.sizes)
    found = Evaluation(given, Sizes(case.sizes)).value(root)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [*SCALARS, *FORMULA_ONLY])
def test_functions_and_their_slopes_agree(name: str) -> None:
    """Values with the tests' interpreter; what is carried along with central differences."""
    domains = (SCALARS | FORMULA_ONLY)[name]
    construct = f.FUNCTIONS[name].construct if name in f.FUNCTIONS else getattr(f, name)
    rng = np.random.default_rng(5)
    operands = [
        Operand((40,), *domain) if isinstance(domain, tuple) else Operand((40,), dtype="bool")
        for domain in domains
        if not isinstance(domain, int)
    ]
    arguments = [slot(k) for k in range(len(operands))]
    arguments += [domain for domain in domains if isinstance(domain, int)]
    leaves = [Input(f"x{k}", (40,), operand.dtype) for k, operand in enumerate(operands)]
    given = {x: o.values(rng) for x, o in zip(leaves, operands, strict=True)}
    root = Map(construct(*arguments), *leaves)
    sizes = Sizes({})
    np.testing.assert_allclose(
        Evaluation(given, sizes).value(root), evaluate([root], given)[0], rtol=1e-12, atol=1e-14
    )
    for leaf in leaves:
        if leaf.dtype != "float" or root.dtype != "float":
            continue
        carried = Evaluation(given | {leaf: moving(given[leaf], 1.0)}, sizes).value(root)
        np.testing.assert_allclose(
            carried.real, Evaluation(given, sizes).value(root), rtol=1e-12, atol=1e-14
        )
        ahead, behind = (
            Evaluation(given | {leaf: given[leaf] + step}, sizes).value(root)
            for step in (1e-6, -1e-6)
        )
        slope = change(carried)
        if name == "raised":  # differentiates as x, by decision
            continue
        np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-7)


def test_every_node_class_has_a_meaning() -> None:
    scans = {"Scan", "Final", "Stacked", "Bound"}
    assert {case.node_class.__name__ for case in CASES} - {c.__name__ for c in RULES} <= scans


def test_roots_share_their_work_and_need_their_leaves() -> None:
    x, y = Input("x", (3,)), Input("y", (3,))
    values = Evaluation({x: np.ones(3)}, Sizes({}))
    doubled = Map(2 * slot(0), x)
    assert values.value(Map(slot(0) + 1, doubled)).tolist() == [3.0, 3.0, 3.0]
    assert values.value(doubled) is values.value(doubled)
    with pytest.raises(CheckError, match="no value is given for y"):
        values.value(Map(slot(0) + slot(1), x, y))
    assert values.value_if_given(y) is None


INDEPENDENT = ("carried", "sizes", "scalars", "matrices", "nodes", "interpreter")


@pytest.mark.parametrize("name", INDEPENDENT)
def test_what_computes_knows_no_derivative(name: str) -> None:
    """A rule is judged by what shares nothing with it."""
    source = (Path(symgrad.evaluation.__file__).parent / f"{name}.py").read_text()
    imported = [
        part
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for part in [node.module or ""]
        if part.startswith("symgrad.")
    ]
    rooms = {part.split(".")[1] for part in imported}
    assert rooms <= {"errors", "expr", "evaluation"}
    within = {part.split(".")[2] for part in imported if part.startswith("symgrad.evaluation.")}
    assert within <= set(INDEPENDENT)
