"""Every name on a page is introduced before it is read, at every level and to second order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from introduced import NOT_READ, problems

import symgrad as sg
from symgrad import nn
from symgrad.derivation_pages import derivation_of
from symgrad.report.notation import Symbol, symbol, text
from symgrad.report.notation import formula as m
from symgrad.report.record.derivation import DerivationRecord
from symgrad.report.record.equation import Equation


def record_of(model: sg.Model, function: str | None = None, level: str = "steps") -> DerivationRecord:
    return derivation_of(model, function, level)[0]


def perceptron() -> sg.Model:
    n = sg.dim("n")
    x, y = sg.input("x", (n, 3)), sg.input("y", (n,), dtype="int")
    logits = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))(x)
    return sg.Model("perceptron", loss=nn.functional.cross_entropy(logits, y))


def lstm() -> sg.Model:
    """With first states that are given, of which the loop reads a part."""
    x, h, c = sg.input("x", (5, 2, 3)), sg.input("h_0", (1, 2, 4)), sg.input("c_0", (1, 2, 4))
    outputs, (last, _) = nn.LSTM(3, 4)(x, (h, c))
    return sg.Model("lstm", loss=sg.sum(sg.sin(outputs)) + sg.sum(sg.sin(last)))


def last_state() -> sg.Model:
    """The loss reads what the loop leaves."""
    start, w, x = sg.parameter("start", (2,)), sg.parameter("w", (2, 2)), sg.input("x", (3, 2))
    last, _ = sg.scan(lambda h, x: (sg.tanh(h @ w + x), None), start, x)
    return sg.Model("last_state", loss=sg.sum(sg.sin(last)))


def counted() -> sg.Model:
    """The step is given numbers that nobody named, and a part of a tensor."""
    h, w = sg.parameter("h", (2,)), sg.parameter("w", (3, 2))
    last, _ = sg.scan(lambda h, k: (sg.tanh(h * w[0]) + k, None), h, sg.arange(4))
    return sg.Model("counted", loss=sg.sum(last**2))


def norm() -> sg.Model:
    x = sg.parameter("x", (3,))
    return sg.Model("norm", loss=sg.sum(sg.sin(sg.norm(x) * x)))


def log_softmax() -> sg.Model:
    """What arrives at the logarithm of a sum comes on two paths."""
    x, t = sg.parameter("x", (4, 3)), sg.input("t", (4, 3))
    scores = sg.log_softmax(x, axis=-1)
    return sg.Model("log_softmax", loss=sg.sum(t * scores) + sg.sum(sg.exp(scores) * scores))


MODELS = (perceptron, lstm, last_state, counted, norm, log_softmax)


@pytest.mark.parametrize("level", ["steps", "every"])
@pytest.mark.parametrize("build", MODELS, ids=lambda f: f.__name__)
def test_gradients(build: Callable[[], sg.Model], level: str) -> None:
    model = build()
    assert [str(p) for p in problems(record_of(model, level=level), model)] == []


@pytest.mark.parametrize("build", [perceptron, norm, lstm], ids=lambda f: f.__name__)
def test_second_order(build: Callable[[], sg.Model]) -> None:
    model = build()
    assert [str(p) for p in problems(record_of(model, "hvp"), model)] == []


def test_a_name_that_is_told_too_late_is_found() -> None:
    model = perceptron()
    record = record_of(model)
    (group,) = record.forward
    late = replace(record, forward=(replace(group, items=group.items[1:]),))
    removed = text(group.items[0].name)
    assert removed in {p.name for p in problems(late, model)}


def test_a_name_that_nothing_introduces_is_found() -> None:
    model = perceptron()
    record = record_of(model)
    (group,) = record.derivatives
    wrong = Equation(symbol("z"), m.Relation("=", symbol("z"), Symbol("u", ("99",))), None, "")
    changed = replace(record, derivatives=(replace(group, items=(*group.items, wrong)),))
    (problem,) = problems(changed, model)
    assert (problem.place, problem.name) == ("derivative", "u_99")


def test_an_equation_that_says_nothing_is_found() -> None:
    model = perceptron()
    record = record_of(model)
    W = record.given[0].symbol
    trivial = Equation(W, m.Relation("=", W, W), None, "")
    (group,) = record.forward
    changed = replace(record, forward=(replace(group, items=(*group.items, trivial)),))
    (problem,) = problems(changed, model)
    assert problem.name == NOT_READ


def test_a_loop_whose_start_is_not_told_is_found() -> None:
    model = last_state()
    record = record_of(model)
    (group,) = record.forward
    items = tuple(
        replace(e, intro=tuple(p for p in e.intro if not isinstance(p, m.Relation)))
        for e in group.items
    )
    changed = replace(record, forward=(replace(group, items=items),))
    assert {p.name for p in problems(changed, model) if p.place.startswith("forward")} == {"h"}
