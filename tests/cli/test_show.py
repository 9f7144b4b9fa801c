"""`symgrad show`: every stage as text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from symgrad.cli import first_difference
from symgrad.passes.form import Form
from symgrad.passes.pipeline import AFTER_DERIVATION, BEFORE_DERIVATION

TINY = ("--formula", "sum((X @ w)**2)/n", "--shape", "X=n 3", "--shape", "w=3", "--wrt", "w")


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in lines(text)]


def test_definition(run: Any) -> None:
    result = run("show", "small.py", "--stage", "definition")
    assert (result.exit_code, result.stderr) == (0, "")
    assert squeezed(result.stdout) == [
        "input x [n, 3] # small.py:4",
        "parameter W [3, 2] # small.py:6",
        "parameter b [2] # small.py:7",
        "input y [n] int # small.py:5",
        *squeezed(result.stdout)[4:-2],
        "return p",
        "return loss",
    ]


def test_derived_and_simplified(run: Any) -> None:
    shown = squeezed(run("show", *TINY, "--stage", "derived").stdout)
    assert shown[0].startswith("input X [n, 3]")
    assert shown[-2:] == ["return loss", "return w = d_w"]
    shown = squeezed(run("show", *TINY).stdout)
    assert any(line.startswith("d_w = ") for line in shown)


def test_program_and_schedule(run: Any) -> None:
    program = squeezed(run("show", *TINY, "--stage", "program").stdout)
    assert program[:2] == ["X [n, 3]", "w [3]"]
    assert program[2].startswith("1 ") and "dot(X, w)" in program[2]
    assert program[-2].startswith("return loss = loss")
    assert program[-1].startswith("return w = d_w")
    schedule = squeezed(run("show", *TINY, "--stage", "schedule").stdout)
    assert squeezed(run("show", "small.py", "--stage", "definition").stdout)[4].startswith(
        "h = tanh("
    )
    labels = [line.split()[0] for line in schedule[-3:]]
    assert labels == ["FLOPs", "memory", "traffic"]
    assert any("in place of" in line for line in squeezed(run("show", "small.py", "--stage",
                                                              "schedule").stdout))  # fmt: skip


def test_module(run: Any) -> None:
    run("compile", "small.py")
    shown = run("show", "small.py", "--stage", "module").stdout
    assert shown == Path("generated/small.py").read_text()


def test_passes(run: Any) -> None:
    shown = lines(run("show", "small.py", "--passes").stdout)
    titles = [line for line in shown if line and not line.startswith(" ")]
    assert titles[0] == "the definition"
    assert "value_and_grad, derived" in titles
    assert any(title.startswith("after fold") for title in titles)
    passes = [each.__name__ for each in (*BEFORE_DERIVATION, *AFTER_DERIVATION)]
    assert [t.split()[1].rstrip(":") for t in titles if t.startswith("after ")] == passes


@pytest.mark.parametrize("stage", ["definition", "stabilised", "derived", "simplified", "program",
                                   "schedule", "module"])  # fmt: skip
def test_every_stage_of_every_function(run: Any, stage: str) -> None:
    for function in ("forward", "hessian", "jvp", "vjp"):
        result = run("show", "small.py", "--stage", stage, "--function", function)
        assert result.exit_code == 0 and result.stdout


def test_wrong_use(run: Any) -> None:
    result = run("show", "small.py", "--stage", "nothing")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: Invalid value for '--stage': 'nothing' is not one of 'definition', 'stabilised', "
        "'derived', 'simplified', 'program', 'schedule', 'module'."
    )


def test_first_difference(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [each.__name__ for each in (*BEFORE_DERIVATION, *AFTER_DERIVATION)]
    result = run("show", "small.py", "--first-difference")
    assert result.exit_code == 0
    shown = lines(result.stdout)
    assert [line.split(":")[0] for line in shown[:-1]] == names
    assert shown[-1] == "no pass changes a value"

    def wrong(form: Form) -> Form:
        return replace(form, outputs=form.outputs | {"b": form.outputs["b"] * 1.001})

    passes = (AFTER_DERIVATION[0], wrong, *AFTER_DERIVATION[1:])
    monkeypatch.setattr(first_difference, "passes_after", lambda function: passes)
    result = run("show", "small.py", "--first-difference")
    assert result.exit_code == 1
    last = lines(result.stdout)[-1]
    assert last.startswith("wrong CHANGES VALUES by 1.0e-03 in [1]['b']: ")
