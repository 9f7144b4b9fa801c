"""`symgrad derive`: every format, level and function, from files and formulas, into files."""

from __future__ import annotations

import re
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from symgrad.calculus.rules.registry import ADJOINTS
from symgrad.expr.map import Map

DEEP = """
import symgrad as sg

x = sg.input("x", (sg.dim("n"), 8))
h = sg.tanh(x @ sg.parameter("W1", (8, 8)))
model = sg.Model("deep", loss=sg.mean(sg.tanh(h @ sg.parameter("W2", (8, 8))) ** 2))
"""


def sections(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith(" ")]


def test_text(run: Any) -> None:
    result = run("derive", "small.py")
    assert (result.exit_code, result.stderr) == (0, "")
    headings = [line for line in sections(result.stdout) if not line.startswith("How the loss")]
    assert headings == [
        "small: the derivation of value_and_grad",
        "The definition",
        "Given",
        "The forward equations, numbered as in the module",
        "Rewritten for accuracy, before anything is differentiated",
        "Step by step",
        "What simplification changed",
        "The derivatives, as they stand on paper",
        "What value_and_grad returns",
        "The code, equation by equation",
        "What one call costs",
        "The rules",
    ]
    assert "h = tanh(" in result.stdout and "# small.py:8" in result.stdout
    assert "     8  h = sg.tanh(x @ W + b)" in result.stdout


def test_the_numbers_are_those_of_the_module(run: Any) -> None:
    run("compile", "small.py")
    module = Path("generated/small.py").read_text()
    told = run("derive", "small.py").stdout
    numbers = set(re.findall(r"^  (\(\d+\)) ", told, re.MULTILINE))
    assert numbers and numbers <= set(re.findall(r"# (\(\d+\)) ", module))


def test_levels(run: Any) -> None:
    summary, steps, every = (
        run("derive", "small.py", "--level", level).stdout for level in ("summary", "steps", "every")
    )
    assert "Step by step" not in summary and "The derivatives, as they stand" in summary
    assert len(summary) < len(steps) < len(every)


def test_the_format_follows_the_file(run: Any) -> None:
    starts = {"small.md": "# small: the derivation of value\\_and\\_grad\n",
              "small.html": "<!doctype html>\n", "small.tex": "\\documentclass[11pt]{article}\n",
              "small.txt": "small: the derivation of value_and_grad\n"}  # fmt: skip
    for name, start in starts.items():
        result = run("derive", "small.py", "-o", name)
        text = Path(name).read_text(encoding="utf-8")
        assert result.stdout == f"wrote {name}: {len(text.splitlines())} lines\n"
        assert text.startswith(start)
    assert run("derive", "small.py", "--format", "html").stdout.startswith("<!doctype html>\n")


def test_an_ending_that_says_nothing(run: Any) -> None:
    result = run("derive", "small.py", "-o", "small.pdf")
    assert result.exit_code == 2 and not Path("small.pdf").exists()
    assert "the ending of small.pdf is none of .html, .htm, .md, .tex, .txt" in result.stderr
    assert run("derive", "small.py", "-o", "small.pdf", "--format", "text").exit_code == 0
    assert run("derive", "small.py", "-o", "small").exit_code == 0


def test_every_function(run: Any) -> None:
    for function in ("forward", "loss", "jvp", "vjp", "hvp", "hessian", "jacobian",
                     "per_example_grad", "input_grad"):  # fmt: skip
        result = run("derive", "small.py", "--function", function)
        assert result.exit_code == 0
        assert result.stdout.startswith(f"small: the derivation of {function}\n")


def test_a_formula_is_its_own_definition(run: Any) -> None:
    arguments = ("--formula", "sum(tanh(X @ w)**2)", "--shape", "X=n d", "--shape", "w=d")
    text = run("derive", *arguments, "--wrt", "w").stdout
    assert "  --formula\n      1  sum(tanh(X @ w)**2)\n" in text
    assert "∂L/∂w = " in text


def test_an_output_alone_is_told_forwards(run: Any) -> None:
    text = run("derive", "--formula", "tanh(x)", "--shape", "x=n").stdout
    assert text.startswith("formula: the derivation of forward\n")


def test_a_worked_example(run: Any) -> None:
    text = run("derive", "small.py", "--at", "random", "--seed", "3").stdout
    assert re.search(r"\n      = \[-?\d", text) and "all hold" in text
    other = run("derive", "small.py", "--no-verify").stdout
    assert "verified" not in other


FORMULA = ("--formula", "sum(X @ w)", "--shape", "X=n d", "--shape", "w=d", "--wrt", "w")


@pytest.mark.parametrize(
    "options", [("--size", "n=128", "--size", "d=784"), ("--size", "n=128 d=784")], ids=" ".join
)
def test_sizes(run: Any, options: tuple[str, ...]) -> None:
    text = run("derive", *FORMULA, "--no-verify", *options).stdout
    assert "the numbers where n = 128, d = 784." in text


@pytest.mark.parametrize("size", ["k=3", "n=-1", "n=0", "n=2.5", "n=many"])
def test_sizes_that_cannot_be(run: Any, size: str) -> None:
    result = run("derive", *FORMULA, "--size", size)
    assert (result.exit_code, result.stdout) == (2, "")
    first, wrong, known, _ = result.stderr.splitlines()
    assert first == "DefinitionError: formula cannot have these sizes"
    name, _, number = size.partition("=")
    told = "there is no dimension k" if name == "k" else f"n is {number}"
    assert (wrong, known) == (f"  wrong  {told}", "  known  n, d")


@pytest.mark.parametrize("options", [("n",), ("n=",), ("",), ("=3",), ("n=2", "n=3")], ids=str)
def test_sizes_that_are_not_written_so(run: Any, options: tuple[str, ...]) -> None:
    result = run("derive", *FORMULA, *(part for o in options for part in ("--size", o)))
    assert result.exit_code == 2 and "Invalid value for --size" in result.stderr


def test_values_that_cannot_be_read(run: Any) -> None:
    result = run("derive", "small.py", "--at", "none.npz")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[:2] == [
        "WeightsError: cannot read none.npz: No such file or directory",
        '  fix  name an .npz file, or "random" for small numbers',
    ]


def test_a_step_that_does_not_hold(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    right = ADJOINTS[Map]

    @wraps(right)
    def wrong(*arguments: Any) -> Any:
        return tuple(g if g is None else 1.01 * g for g in right(*arguments))

    monkeypatch.setitem(ADJOINTS, Map, wrong)
    result = run("derive", "small.py", "-o", "page.html")
    assert result.exit_code == 1
    assert result.stderr.startswith("a step does not hold: ") and "map_adjoint" in result.stderr
    assert "the sides differ" in Path("page.html").read_text(encoding="utf-8")


def test_measured_gradients(run: Any) -> None:
    Path("deep.py").write_text(DEEP)
    plain, measured = run("derive", "deep.py").stdout, run("derive", "deep.py", "--measure").stdout
    assert "Gradient health" in plain and "measured" not in plain
    assert "measured: the mean of 5 draws" in measured


def test_what_does_not_matter_is_said(run: Any) -> None:
    shapes = [part for shape in ("a=n d", "w=d", "c=") for part in ("--shape", shape)]
    arguments = ("--formula", "sum(a @ w) + c", *shapes, "--wrt", "w,c", "--function", "hessian")
    text = run("derive", *arguments).stdout
    part = text[text.index("What does not matter") :].split("\n\n")[1].splitlines()
    assert part[:3] == [f"  {name} is not read: no result depends on it" for name in "wca"]
    assert len(part[3:]) == 4 and all(line.endswith(" is 0 everywhere") for line in part[3:])


def test_a_file_that_cannot_be_written(run: Any) -> None:
    result = run("derive", "small.py", "-o", "no/such/folder.md")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "OutputError: cannot write no/such/folder.md: No such file or directory\n"
    )
