"""The record of a derivation: what is told, in which order, and that numbers and shapes agree."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import wraps
from typing import Any

import pytest

import symgrad as sg
from symgrad.calculus.rules.registry import ADJOINTS, TANGENTS
from symgrad.derivation_pages import derivation_of as told_with_numbers
from symgrad.expr.node import Node
from symgrad.expr.reduction import LogSumExp
from symgrad.passes.pipeline import AFTER_BATCHING, BEFORE_DERIVATION, FOR_THE_MACHINE
from symgrad.report.derivation import LEVELS
from symgrad.report.explanations import FAMILIES
from symgrad.report.notation import text
from symgrad.report.reasons import REASONS
from symgrad.report.record.derivation import DerivationRecord
from symgrad.report.record.equation import Equation
from symgrad.report.record.steps import StepRecord


def derivation_of(
    model: sg.Model, function: str | None = None, level: str = "steps", **options: Any
) -> DerivationRecord:
    record, _ = told_with_numbers(model, function, level, **options)
    return record


def items(groups: Any) -> list[Any]:
    return [item for group in groups for item in group.items]


def written(equation: Equation) -> str:
    formula = equation.either or equation.name
    assert formula is not None
    return text(formula)


def small_model() -> sg.Model:
    n = sg.dim("n")
    x, t = sg.input("x", (n, 3)), sg.input("t", (n, 2))
    W, b = sg.parameter("W", (3, 2)), sg.parameter("b", (2,))
    h = sg.tanh(x @ W + b)
    return sg.Model("small", loss=sg.mean((h - t) ** 2), outputs={"h": h})


def softmax_regression() -> sg.Model:
    n = sg.dim("n")
    X, y = sg.input("X", (n, 3)), sg.input("y", (n,), dtype="int")
    W = sg.parameter("W", (3, 4))
    Z = (X @ W).named("Z")
    return sg.Model("softmax_regression", loss=sg.nn.functional.cross_entropy(Z, y))


def recurrent_model() -> sg.Model:
    n = sg.dim("n")
    x, h0 = sg.input("x", (5, n, 3)), sg.input("h0", (n, 4))
    W, U = sg.parameter("W", (3, 4)), sg.parameter("U", (4, 4))

    def step(h: Node, x_t: Node) -> tuple[Node, Node]:
        new = sg.tanh(x_t @ W + h @ U)
        return new, new

    last, _ = sg.scan(step, h0, x)
    return sg.Model("recurrent", loss=sg.mean(last**2))


@pytest.fixture(scope="module")
def record() -> DerivationRecord:
    return derivation_of(small_model())


def test_what_is_given(record: DerivationRecord) -> None:
    assert [(g.kind, g.called, g.shape) for g in record.given] == [
        ("parameter", "W", "[3, 2]"), ("parameter", "b", "[2]"),
        ("input", "x", "[n, 3]"), ("input", "t", "[n, 2]"),
    ]  # fmt: skip
    (excerpt,) = record.definition
    assert excerpt.file.endswith("test_derivation.py")
    assert any("h = sg.tanh(x @ W + b)" in line for _, line in excerpt.lines)


def test_the_steps_of_a_small_network(record: DerivationRecord) -> None:
    steps: list[StepRecord] = items(record.chapters)
    (tanh,) = [s for s in steps if s.verb == "through" and text(s.about) == "h"]
    assert tanh.equation is not None and written(tanh.equation).startswith("h = tanh(")
    assert [text(e.name) for e in tanh.before if e.name] == ["∂L/∂h"]
    assert [cause.family for cause in tanh.causes] == ["map"]
    (affine,) = [s for s in steps if s.equation and " = x W + b" in written(s.equation)]
    assert {cause.family for cause in affine.causes} == {"map", "broadcast", "contraction"}
    gives = {text(a.receiver): written(a.equation) for a in affine.arrivals}
    assert set(gives) == {"W", "b"}
    assert gives["W"].startswith("∂L/∂W = xᵀ ")
    assert all(a.fits and a.shape == a.expected for s in steps for a in s.arrivals)


def test_every_level_tells_every_entry_of_the_journal_once() -> None:
    told = derivation_of(small_model(), level="every")
    counted: list[int] = []
    for step in items(told.chapters):
        first, _, last = step.number.partition(" to ")
        counted += range(int(first), int(last or first) + 1)
    assert counted == list(range(1, len(counted) + 1))
    fewer = items(derivation_of(small_model(), level="steps").chapters)
    assert len(items(told.chapters)) > len(fewer) > 0
    assert derivation_of(small_model(), level="summary").chapters == ()


def test_softmax_minus_onehot_stands_on_paper() -> None:
    record = derivation_of(softmax_regression())
    on_paper = {text(e.name): e for e in items(record.derivatives) if e.name is not None}
    told = on_paper["∂L/∂Z"]
    assert written(told) == "∂L/∂Z = (softmax(Z) - onehot(y))/n"
    (block,) = [b for b in items(record.code) if b.number == told.number]
    assert block.rewritten and block.equation is not None
    assert "softmax" not in written(block.equation)
    (change,) = [r for r in items(record.simplifications) if r.after.name == told.name]
    assert change.reasons


def test_what_was_rewritten_is_said_with_its_reason() -> None:
    (change,) = derivation_of(softmax_regression()).rewritings
    assert written(change.before) != written(change.after)
    assert change.reasons[0].name == "gather_first" and change.reasons[0].text


def test_numbers_lead_from_equations_to_code_and_back(record: DerivationRecord) -> None:
    equations = [e for e in (*items(record.forward), *items(record.derivatives)) if e.number]
    assert len({e.anchor for e in equations}) == len(equations)
    lines = {b.number: b for b in items(record.code) if b.number}
    for equation in equations:
        block = lines[equation.number]
        assert (block.anchor, block.target) == (f"code-{equation.number}", equation.anchor)
        assert any(line.strip().startswith(f"# ({equation.number})") for line in block.lines)
    assert {r.key for r in record.results} == {"loss", "W", "b"}
    assert {r.target for r in record.results} <= {e.anchor for e in equations}


def test_all_lines_of_the_module_are_there() -> None:
    model = small_model()
    source = sg.compile(model).source
    body = [
        line for block in items(derivation_of(model).code) for line in block.lines if line.strip()
    ]
    assert body and all(f"    {line}\n" in source for line in body)


def test_costs_add_up(record: DerivationRecord) -> None:
    assert record.costs is not None
    forward, backward, total = record.costs.totals
    assert [row.part for row in record.costs.totals] == ["forward", "backward", "total"]
    number = [int(row.sample[0].replace("\u202f", "")) for row in record.costs.totals]
    assert number[0] + number[1] == number[2] > 0
    peaks = [int(row.sample[2].replace("\u202f", "")) for row in (forward, backward, total)]
    assert max(peaks[:2]) == peaks[2]
    assert record.costs.sizes == "n = 64"


def test_the_step_of_a_scan_has_a_derivation_of_its_own() -> None:
    record = derivation_of(recurrent_model())
    (scan,) = [s for s in items(record.chapters) if s.inner is not None]
    assert scan.inner is not None
    equations = [written(e) for e in scan.inner.equations]
    assert equations == ["h_in[t] = x[t] W + h[t - 1] U", "h[t] = tanh(h_in[t])"]
    inside = [written(a.equation) for step in scan.inner.steps for a in step.arrivals]
    assert any(e.startswith("∂L/∂h[t - 1] = ") for e in inside)
    assert any(e.startswith("∂L/∂U[t] = h[t - 1]ᵀ ") for e in inside)
    given = [written(a.equation) for a in scan.arrivals]
    assert "∂L/∂U = Σ_t ∂L/∂U[t]" in given


def test_values_and_checks_stand_beside_equations_and_steps() -> None:
    record = derivation_of(recurrent_model(), at="random", is_checked=True)
    assert all(e.values for e in items(record.forward) if not e.intro)
    assert all(g.values for g in record.given)
    steps = items(record.chapters)
    inner = [step for outer in steps if outer.inner for step in outer.inner.steps]
    assert all(s.verified is not None and s.verified.holds for s in (*steps, *inner))
    assert "all hold" in record.verification


def test_a_wrong_rule_is_named_at_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ADJOINTS[LogSumExp]

    @wraps(right)
    def wrong(g: Node, node: Node, x: Node) -> Any:
        return tuple(1.001 * each for each in right(g, node, x))

    monkeypatch.setitem(ADJOINTS, LogSumExp, wrong)
    record = derivation_of(softmax_regression(), is_checked=True)
    broken = [s for s in items(record.chapters) if s.verified and not s.verified.holds]
    assert [cause.rule for s in broken for cause in s.causes if cause.family == "reduction"] == [
        "logsumexp_adjoint"
    ]
    assert len(broken) == 1 and "logsumexp_adjoint" in record.verification


def test_deep_models_fold_by_layer_in_linear_space() -> None:
    x, h = sg.input("x", (3,)), None
    h = x
    for k in range(60):
        h = sg.tanh(h * sg.parameter(f"w{k}", (3,)))
    record = derivation_of(sg.Model("deep", loss=sg.sum(h)))
    titles = [group.title for group in record.chapters]
    assert {f"layer {k}" for k in range(60)} <= set(titles)
    assert len(items(record.chapters)) < 60 * 4


def test_records_are_frozen_all_the_way(record: DerivationRecord) -> None:
    def check(part: Any) -> None:
        if isinstance(part, tuple):
            for each in part:
                check(each)
        elif is_dataclass(part) and not isinstance(part, type):
            assert part.__dataclass_params__.frozen  # type: ignore[attr-defined]
            for field in fields(part):
                check(getattr(part, field.name))
        else:
            assert not isinstance(part, list | dict | set)

    check(record)
    assert replace(record, title="other").title == "other"


def test_every_rule_family_is_explained() -> None:
    for table in (ADJOINTS, TANGENTS):
        assert {rule.__module__.rpartition(".")[2] for rule in table.values()} <= set(FAMILIES)
    assert all(title and paragraphs and source for title, paragraphs, source in FAMILIES.values())


def test_every_pass_gives_its_reason() -> None:
    passes = {each.__name__ for each in (*BEFORE_DERIVATION, *AFTER_BATCHING, *FOR_THE_MACHINE)}
    assert passes == set(REASONS)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("function", ["jvp", "vjp", "hvp", "hessian", "jacobian", "per_example_grad"])
def test_every_function_is_told(function: str, level: str) -> None:
    record = derivation_of(small_model(), function, level)
    assert items(record.code) and record.results
    assert bool(record.chapters) == (level != "summary")
