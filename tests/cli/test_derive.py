"""`symgrad derive`: the derivation as text, as Markdown, into a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any


def sections(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith(" ")]


def test_text(run: Any) -> None:
    result = run("derive", "small.py")
    assert (result.exit_code, result.stderr) == (0, "")
    assert sections(result.stdout) == [
        "small: the derivation of value_and_grad",
        "Given",
        "The definition",
        "Rewritten for accuracy, before it is differentiated",
        "What is differentiated",
        "Step by step",
        "The rules",
        "The values, numbered as in the module",
        "The derivatives after simplification, numbered as in the module",
        "What value_and_grad returns",
        "What one call costs",
    ]
    assert "h = tanh(" in result.stdout and "# small.py:8" in result.stdout


def test_the_numbers_are_those_of_the_module(run: Any) -> None:
    run("compile", "small.py")
    comments = re.findall(r"# (\(\d+\) \w+ = )", Path("generated/small.py").read_text())
    told = re.findall(r"^  (\(\d+\) \w+ = )", run("derive", "small.py").stdout, re.MULTILINE)
    assert told and set(told) <= set(comments)


def test_markdown_into_a_file(run: Any) -> None:
    result = run("derive", "small.py", "--format", "markdown", "-o", "small.md")
    text = Path("small.md").read_text()
    assert result.stdout == f"wrote small.md: {len(text.splitlines())} lines\n"
    assert text.startswith("# small: the derivation of value\\_and\\_grad\n")
    assert "\n## Step by step\n" in text


def test_every_function(run: Any) -> None:
    for function in ("forward", "loss", "jvp", "vjp", "hvp", "hessian", "jacobian",
                     "per_example_grad", "input_grad"):  # fmt: skip
        result = run("derive", "small.py", "--function", function)
        assert result.exit_code == 0
        assert result.stdout.startswith(f"small: the derivation of {function}\n")


def test_what_does_not_matter_is_said(run: Any) -> None:
    arguments = (
        "--formula",
        "sum(a @ w) + c",
        "--shape",
        "a=n d",
        "--shape",
        "w=d",
        "--shape",
        "c=",
    )
    text = run("derive", *arguments, "--wrt", "w,c", "--function", "hessian").stdout
    part = text[text.index("What does not matter") :].split("\n\n")[1].splitlines()
    assert part[:3] == [
        "  w is not read: no result depends on it",
        "  c is not read: no result depends on it",
        "  a is not read: no result depends on it",
    ]
    assert part[3:] == [
        f"  what hessian returns for {block} is identically zero"
        for block in ("w w", "w c", "c w", "c c")
    ]


def test_a_file_that_cannot_be_written(run: Any) -> None:
    result = run("derive", "small.py", "-o", "no/such/folder.md")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "OutputError: cannot write no/such/folder.md: No such file or directory\n"
    )
