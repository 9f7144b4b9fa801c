"""Loops on a page: how they start, the index of a state in another loop, one direction at a time."""

from __future__ import annotations

from typing import Any

import pytest

import symgrad as sg
from symgrad import nn
from symgrad.derivation_pages import derivation_of
from symgrad.report.notation import Math, text
from symgrad.report.record.derivation import DerivationRecord
from symgrad.report.record.equation import Equation, Prose
from symgrad.report.record.steps import StepRecord


def record_of(model: sg.Model, function: str | None = None) -> DerivationRecord:
    return derivation_of(model, function, "steps")[0]


def items(groups: Any) -> list[Any]:
    return [item for group in groups for item in group.items]


def said(prose: Prose) -> str:
    return "".join(text(part) if isinstance(part, Math) else part for part in prose)


def written(equation: Equation) -> str:
    formula = equation.either or equation.name
    assert formula is not None
    return text(formula)


def starts(model: sg.Model) -> list[str]:
    return [said(e.intro) for e in items(record_of(model).forward) if e.intro]


def recurrence(length: Any = 3, reverse: bool = False) -> sg.Model:
    start, w = sg.parameter("start", (2,)), sg.parameter("w", (2, 2))
    x = sg.input("x", (length, 2))
    last, _ = sg.scan(lambda h, x: (sg.tanh(h @ w + x), None), start, x, reverse=reverse)
    return sg.Model("recurrence", loss=sg.sum(sg.sin(last)))


@pytest.mark.parametrize(
    ("length", "reverse", "intro"),
    [
        (3, False, "for t = 0, ..., 2, from h[-1] = start"),
        (3, True, "for t = 2, ..., 0, from h[3] = start"),
        (sg.dim("n"), False, "for t = 0, ..., n - 1, from h[-1] = start"),
    ],
    ids=["numbered", "backwards", "symbolic"],
)
def test_a_loop_tells_its_steps_and_its_start(length: Any, reverse: bool, intro: str) -> None:
    assert starts(recurrence(length, reverse)) == [intro]


def test_a_start_without_a_name_is_written_out() -> None:
    x, h, c = sg.input("x", (5, 2, 3)), sg.input("h_0", (1, 2, 4)), sg.input("c_0", (1, 2, 4))
    outputs, _ = nn.LSTM(3, 4)(x, (h, c))
    (intro,) = starts(sg.Model("lstm", loss=sg.sum(outputs**2)))
    assert "h[-1, i, j] = h_0[0, i, j]" in intro or "h[-1] = h_0[0]" in intro
    assert "c[-1, i, j] = c_0[0, i, j]" in intro or "c[-1] = c_0[0]" in intro


def test_what_the_steps_are_given_without_a_name_is_written_out() -> None:
    start, w = sg.parameter("start", (2,)), sg.parameter("w", (2, 1))
    last, _ = sg.scan(lambda h, k: (sg.tanh(h) + k * w[:, 0], None), start, sg.arange(4))
    (intro,) = starts(sg.Model("counted", loss=sg.sum(last**2)))
    beginning, _, given = intro.partition(", with ")
    assert beginning == "for t = 0, ..., 3, from h[-1] = start"
    assert given == "k[i] = i, fixed = w"


def test_the_derivative_by_what_a_loop_leaves_is_told_before_the_loop() -> None:
    start, x = sg.parameter("start", (2,)), sg.input("x", (3, 2))

    def step(h: Any, x: Any) -> Any:
        return sg.tanh(h) + x, sg.sin(h) * x

    last, kept = sg.scan(step, start, x)
    model = sg.Model("both", loss=sg.sum(last**2) + sg.sum(kept * kept))
    steps: list[StepRecord] = items(record_of(model).chapters)
    (position,) = [k for k, each in enumerate(steps) if each.inner is not None]
    told = {text(a.equation.name) for each in steps[:position] for a in each.arrivals
            if a.equation.name is not None}  # fmt: skip
    arriving = {text(e.name) for e in steps[position].before if e.name is not None}
    assert arriving and arriving <= told


def test_a_loop_is_told_in_one_direction_at_a_time() -> None:
    loops = [s for s in items(record_of(recurrence(), "hvp").chapters) if s.inner is not None]
    verbs = [{s.verb for s in loop.inner.steps if s.verb.startswith("start")} for loop in loops]
    assert verbs[0] == {"start from"} and verbs[1:] and all(v == {"start along"} for v in verbs[1:])


def test_a_state_has_the_index_of_its_own_loop_in_the_backward_loop() -> None:
    loops = [s for s in items(record_of(recurrence(), "hvp").chapters) if s.inner is not None]
    backward = [[written(e) for e in loop.inner.equations] for loop in loops][-1]
    assert "h_in[t] = wᵀ h[t - 1] + x[t]" in backward
    assert any(line.startswith("∂L/∂h[t - 1] = ") for line in backward)


def test_the_index_of_a_known_step_is_a_number() -> None:
    start = sg.parameter("start", (2,))
    record = record_of(sg.Model("kept", loss=_of_third_state(start)))
    entries = [text(e.index) for e in items(record.forward) if e.index is not None]
    assert any("h[1, i]" in line for line in entries)
    assert not any("2 - 1" in line for line in entries)


def _of_third_state(start: Any) -> Any:
    return sg.sum(sg.exp(sg.scan(lambda h, _: (sg.sin(h), h), start, length=4)[1][2]))


def nested() -> sg.Model:
    x, w, h0 = sg.input("x", (4, 3, 2)), sg.parameter("w", (2,)), sg.input("h0", (2,))

    def outer(h: Any, rows: Any) -> Any:
        def inner(g: Any, row: Any) -> Any:
            g = sg.tanh(g * w + row)
            return g, None

        g, _ = sg.scan(inner, h, rows)
        h = g * 0.5
        return h, h

    _, every = sg.scan(outer, h0, x)
    return sg.Model("nested", loss=sg.sum(every * every))


def test_a_loop_within_a_loop_counts_with_a_letter_of_its_own() -> None:
    record = record_of(nested())
    (outer,) = [e for e in items(record.forward) if e.intro]
    assert said(outer.intro) == "for t = 0, ..., 3, from h[-1] = h_0"
    inner, *after = outer.steps
    assert said(inner.intro) == "for s = 0, ..., 2, from g[-1] = h[t - 1]"
    assert [written(e) for e in inner.steps] == [
        "g_in[s] = g[s - 1] ⊙ w + x[t, s]", "g[s] = tanh(g_in[s])",
    ]  # fmt: skip
    assert [written(e) for e in after] == ["g[t] = g[2]", "h[t] = g[t]/2"]
    (loop,) = [step.inner for step in items(record.chapters) if step.inner is not None]
    (within,) = [step for step in loop.steps if step.inner is not None]
    arrivals = [written(a.equation) for a in within.arrivals]
    assert "∂L/∂h[t - 1] = ∂L/∂g[-1]" in arrivals and "∂L/∂w[t] = Σ_s ∂L/∂w[s]" in arrivals
    deepest = [written(a.equation) for step in within.inner.steps for a in step.arrivals]
    assert "∂L/∂w[s] = g[s - 1] ⊙ (∂L/∂g_in[s])" in deepest


def test_steps_are_counted_by_a_letter_that_nothing_else_is_called() -> None:
    t = sg.dim("t")
    x, w = sg.input("x", (t, 2)), sg.parameter("w", (2,))
    last, _ = sg.scan(lambda h, x: (sg.tanh(h * w + x), None), x[0], x)
    record = record_of(sg.Model("length_t", loss=sg.sum(last)))
    (loop,) = [said(e.intro) for e in items(record.forward) if e.intro]
    assert loop.startswith("for s = 0, ..., t - 1, from h[-1]")
    (weight,) = [
        written(e) for e in items(record.derivatives) if written(e).startswith("∂L/∂w")
    ]
    assert weight == "∂L/∂w = Σ_s h[s - 1] ⊙ (∂L/∂h_in[s])"


def test_states_of_a_tuple_are_called_as_the_step_calls_them() -> None:
    x, h0, c0 = sg.input("x", (3, 2)), sg.input("h0", (2,)), sg.input("c0", (2,))
    w = sg.parameter("w", (2,))

    def step(state: Any, x: Any) -> Any:
        h, c = state
        c = c * w + x
        h = h * sg.tanh(c)
        return (h, c), None

    (last, _), _ = sg.scan(step, (h0, c0), x)
    (loop,) = starts(sg.Model("pair", loss=sg.sum(last)))
    assert loop == "for t = 0, ..., 2, from h[-1] = h_0, c[-1] = c_0"
