"""The record of a derivation, and that its renderings hold all of it."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest

import symgrad as sg
from symgrad.cli.stages import before_derivation, compiled_with
from symgrad.emit.module import templates_folder
from symgrad.report.derivation import derivation_record
from symgrad.report.derivation_record import Change, DerivationRecord, Row
from symgrad.report.render import FORMATS, TEMPLATES, render_derivation


def record_of(model: sg.Model, function: str = "value_and_grad") -> DerivationRecord:
    compiled, position = compiled_with(model, function)
    return derivation_record(
        model, compiled.derived[position], before_derivation(model), compiled.equations[position].names,
        compiled.equations[position].numbers, [("FLOPs", "3*n")],
    )  # fmt: skip


@pytest.fixture(scope="module")
def record() -> DerivationRecord:
    n = sg.dim("n")
    x, t = sg.input("x", (n, 3)), sg.input("t", (n, 2))
    W, b = sg.parameter("W", (3, 2)), sg.parameter("b", (2,))
    h = sg.tanh(x @ W + b)
    return record_of(sg.Model("small", loss=sg.mean((h - t) ** 2), outputs={"h": h}))


def test_the_definition(record: DerivationRecord) -> None:
    assert [line.text for line in record.given] == [
        "parameter W", "parameter b", "input x", "input t"
    ]  # fmt: skip
    assert [line.shape for line in record.given] == [
        "[3, 2] float", "[2] float", "[n, 3] float", "[n, 2] float"
    ]  # fmt: skip
    texts = [line.text for line in record.definition]
    assert texts[:2] == ["t1 = x @ W", "t2 = t1 + b"]
    assert "h = tanh(t2)" in texts
    assert all(re.match(r".*test_derivation\.py:\d+$", line.where) for line in record.definition)
    assert record.changes == () and record.start == ()


def test_the_steps(record: DerivationRecord) -> None:
    first = record.steps[0]
    assert (first.title, first.about, first.rows) == (
        "start from",
        "loss",
        (Row("given", "d_loss = 1"),),
    )
    (tanh,) = [step for step in record.steps if step.about.startswith("h = tanh(")]
    assert tanh.rows == (
        Row("rule", "map_adjoint"),
        Row("from", "d_h  [n, 2]"),
        Row("t2 gets", "d_t2 = d_h * (1 - tanh(t2)**2)  [n, 2]"),
    )
    (bias,) = [step for step in record.steps if step.about.startswith("t2 = t1 + b")]
    assert bias.rows[2:] == (
        Row("t1 gets", "d_t2"),
        Row("b gets", "d_t2, summed over what was stretched: d_b = sum(d_t2, axis=0)  [2]"),
    )
    (product,) = [step for step in record.steps if step.about.startswith("t1 = x @ W")]
    assert product.rows[-1] == Row("W gets", "d_W = x.T @ d_t2  [3, 2]")
    assert {row.label for row in record.rules} >= {"map_adjoint", "contraction_adjoint"}
    assert all(row.text for row in record.rules)


def test_numbers_count_the_journal(record: DerivationRecord) -> None:
    counted: list[int] = []
    for step in record.steps:
        start, _, end = step.number.partition("-")
        counted += range(int(start), int(end or start) + 1)
    assert counted == list(range(1, len(counted) + 1))


def test_the_results(record: DerivationRecord) -> None:
    assert [line.text.split(":")[0] for line in record.results] == ["loss", "b", "W"]
    numbers = [line.number for line in (*record.values, *record.gradients)]
    assert len(set(numbers)) == len(numbers)
    assert {line.number for line in record.results} <= set(numbers)


def test_every_name_is_explained_before_it_is_used() -> None:
    n = sg.dim("n")
    x, y = sg.input("x", (n, 3)), sg.input("y", (n,), dtype="int")
    W = sg.parameter("W", (3, 4))
    log_p = sg.log_softmax(sg.tanh(x @ W), axis=1)
    loss = -sg.mean(sg.take_along_axis(log_p, y[:, None], axis=1)) + sg.sum(W**2)
    for function in ("value_and_grad", "hvp", "hessian"):
        record = record_of(sg.Model("picked", loss=loss), function)
        told = {line.text.split()[1] for line in record.given}
        told |= {f"d_{line.text.split()[0]}" for line in record.definition if "loss" in line.text}
        told |= {line.text.split()[0] for line in (*record.definition, *record.start)}
        for step in record.steps:
            for row in (Row("", step.about), *step.rows):
                if row.label == "rule":
                    continue
                text = row.text.split(": ")[-1]
                name, _, formula = text.partition(" = ")
                used = re.findall(r"\bt\d+\b", formula or name)
                assert set(used) <= told, (function, step)
                told.add(name)


def test_what_was_rewritten_is_said() -> None:
    n = sg.dim("n")
    x, y = sg.input("x", (n, 3)), sg.input("y", (n,), dtype="int")
    W = sg.parameter("W", (3, 4))
    z = x @ W
    picked = sg.take_along_axis(sg.log_softmax(z, axis=1), y[:, None], axis=1)
    record = record_of(sg.Model("picked", loss=-sg.mean(picked)))
    (change,) = record.changes
    assert isinstance(change, Change)
    assert change.before.startswith("picked = take_along_axis(")
    assert change.after.startswith("picked = ")
    assert record.start


@pytest.mark.parametrize("form", FORMATS)
def test_templates_use_every_field_and_no_other(form: str) -> None:
    text = (templates_folder() / TEMPLATES[form]).read_text()
    used = set(re.findall(r"{{ (?:equations\()?(\w+)\)? }}", text))
    used |= set(re.findall(r"{% for \w+ in (\w+) %}", text)) | set(re.findall(r"{% if (\w+)", text))
    used |= set(re.findall(r" or (\w+) %}", text))
    names = {field.name for field in fields(DerivationRecord)}
    assert names <= used
    assert used - names <= {"lines", "line"}


def test_markdown_keeps_names_as_they_are(record: DerivationRecord) -> None:
    text = render_derivation(record, "markdown")
    assert "`t2 = t1 + b`" in text
    assert "# small: the derivation of value\\_and\\_grad" in text


def test_text_has_no_blank_surprises(record: DerivationRecord) -> None:
    for form in FORMATS:
        text = render_derivation(record, form)
        assert not text.startswith("\n") and text.endswith("\n")
        assert "\n\n\n" not in text


def test_records_are_frozen(record: DerivationRecord) -> None:
    with pytest.raises(AttributeError):
        record.title = "other"  # type: ignore[misc]


def test_deep_models_are_told_in_linear_space() -> None:
    x = sg.input("x", (3,))
    w = sg.parameter("w", (3,))
    h: Any = x
    for _ in range(400):
        h = sg.tanh(h * w)
    text = render_derivation(record_of(sg.Model("deep", loss=sg.sum(h))))
    assert len(text) < 400 * 2000


def test_what_only_another_function_numbers_is_not_told() -> None:
    """`loss` gives the terms of a cross-entropy a line of their own; the gradient needs none."""
    n = sg.dim("n")
    x, y = sg.input("x", (n, 4)), sg.input("y", (n,), dtype="int")
    logits = x @ sg.parameter("W", (4, 3))
    loss = sg.nn.functional.cross_entropy(logits, y)
    model = sg.Model("net", loss=loss, outputs={"p": sg.softmax(logits, axis=-1)})
    compiled = sg.compile(model)
    position = [each.name for each in compiled.derived].index("value_and_grad")
    equations = compiled.equations[position]
    told = derivation_record(
        model, compiled.derived[position], before_derivation(model), equations.names,
        equations.numbers, [],
    )  # fmt: skip
    assert [line.text for line in told.values if line.text.startswith("None")] == []
    assert all(line.number for line in told.values)
