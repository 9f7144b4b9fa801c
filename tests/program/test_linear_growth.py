"""Compilation grows linearly: instructions, lines and statements, counted and never timed.

The cases are those of the benchmark. A number of parts must add the same wherever it is added.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np
import pytest

import symgrad as sg
from benchmarks.growth import balanced, chain, dense, nested
from symgrad.compiler import Compiled
from symgrad.emit.identifiers import Names
from symgrad.program.verify import verify

Build = Callable[[int], sg.Model]


def embedded(count: int) -> sg.Model:
    """Entries of one parameter used one by one, but for the last: its gradient is scattered."""
    x, w = sg.input("x", (sg.dim("n"),)), sg.parameter("w", (count + 1,))
    total = x
    for k in range(count):
        total = total + sg.sin(w[k] * x)
    return sg.Model("embedded", loss=sg.mean(total))


CASES = {"dense": dense, "chain": chain, "balanced": balanced, "nested": nested, "w": embedded}


def compiled(build: Build, size: int) -> Compiled:
    return sg.compile(build(size), emit=["value_and_grad"])


def counts(build: Build, size: int) -> tuple[int, int]:
    """Instructions of the program, and statements of the module."""
    model = compiled(build, size)
    (plan,) = model.plans
    tree = ast.parse(model.source)
    statements = sum(isinstance(node, ast.stmt) for node in ast.walk(tree))
    return len(plan.program.instructions), statements


@pytest.mark.parametrize("case", CASES)
def test_parts_add_the_same_anywhere(case: str) -> None:
    """Sums are cut into pieces of a limited length, so they grow in steps."""
    sizes = [counts(CASES[case], size) for size in (60, 180, 300)]
    for small, middle, large in zip(*sizes, strict=True):
        assert large - middle == pytest.approx(middle - small, rel=0.05)


@pytest.mark.parametrize("case", CASES)
def test_text_grows_with_the_parts(case: str) -> None:
    """Names grow by the digits of their numbers; no line grows with the model."""
    small, large = (compiled(CASES[case], size).source for size in (100, 400))
    assert len(large) < 4.6 * len(small)
    for text in (small, large):
        assert max(map(len, text.splitlines())) < 160


@pytest.mark.parametrize("case", ["chain", "nested"])
def test_no_statement_nests_with_the_model(case: str) -> None:
    def depth(tree: ast.AST) -> int:
        return 1 + max(map(depth, ast.iter_child_nodes(tree)), default=0)

    small, large = (depth(ast.parse(compiled(CASES[case], size).source)) for size in (20, 200))
    assert large == small


def test_a_sum_of_a_thousand_terms_is_right() -> None:
    model = compiled(chain, 1000)
    verify(model.plans[0])
    x = np.random.default_rng(0).standard_normal(5)
    loss, grads = model.load().value_and_grad({"a": np.array(0.3)}, x=x)
    k = np.arange(1, 1001)[:, None]
    assert loss == pytest.approx(np.sin(k * 0.3 * x).sum(axis=0).mean(), abs=1e-9)
    assert grads["a"] == pytest.approx((k * x * np.cos(k * 0.3 * x)).sum(axis=0).mean(), rel=1e-9)


def test_scatters_of_one_sum_share_their_zeros() -> None:
    model = compiled(embedded, 40)
    lines = model.plans[0].program.instructions
    zeros = [line for line in lines if line.op == "full" and line.result.shape == (41,)]
    assert len(zeros) == 1
    x = np.random.default_rng(0).standard_normal(5)
    w = np.random.default_rng(1).standard_normal(41)
    _, grads = model.load().value_and_grad({"w": w}, x=x)
    expected = (x * np.cos(w[:, None] * x)).mean(axis=1)
    assert np.allclose(grads["w"], [*expected[:40], 0], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["dense", "nested"])
def test_five_thousand_parts_meet_no_recursion_limit(case: str) -> None:
    module = compiled(CASES[case], 5000).load()
    assert callable(module.value_and_grad)


def test_the_ten_thousandth_name_costs_what_the_first_does() -> None:
    class Counted(set[str]):
        looked_up = 0

        def __contains__(self, name: object) -> bool:
            Counted.looked_up += 1
            return super().__contains__(name)

    names = Names()
    names._taken = Counted()
    assert [names.unique("part") for _ in range(10_000)][-1] == "part_10000"
    assert Counted.looked_up < 3 * 10_000
