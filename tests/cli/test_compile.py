"""`symgrad compile`: what it writes, prints and refuses."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.compiler import MARK, Compiled
from symgrad.errors import OutputError

LOGISTIC = (
    "--formula", "sum(log(1 + exp(-y * (X @ w)))) + lam/2*sum(w**2)", "--shape", "X=n d",
    "--shape", "y=n", "--shape", "w=d", "--shape", "lam=",
)  # fmt: skip


def imported(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_model_file(run: Any) -> None:
    result = run("compile", "small.py", "-o", "out")
    assert (result.exit_code, result.stderr) == (0, "")
    shown = [line.split() for line in result.stdout.splitlines()]
    assert shown[0] == ["small"]
    assert shown[1] == ["function", "lines", "FLOPs", "peak", "bytes,", "float64"]
    assert [row[0] for row in shown[2:5]] == ["forward", "loss", "value_and_grad"]
    assert all("*n" in row[2] for row in shown[2:5])
    text = Path("out/small.py").read_text()
    assert result.stdout.splitlines()[-1] == f"wrote out/small.py: {len(text.splitlines())} lines"
    module = imported(Path("out/small.py"))
    x, y = np.ones((4, 3)), np.zeros(4, int)
    value, grads = module.value_and_grad(module.init_params(), x=x, y=y)
    assert value > 0 and list(grads) == ["W", "b"]


def test_the_module_is_the_same_every_time(run: Any) -> None:
    run("compile", "small.py", "-o", "one")
    run("compile", "small.py", "-o", "two")
    assert Path("one/small.py").read_bytes() == Path("two/small.py").read_bytes()


def test_stdout(run: Any) -> None:
    run("compile", "small.py")
    result = run("compile", "small.py", "--stdout", "--check")
    assert result.exit_code == 0
    assert result.stdout == Path("generated/small.py").read_text()


@pytest.mark.parametrize("emit", [["--emit", "loss,hvp"], ["--emit", "loss", "--emit", "hvp"]])
def test_emit(run: Any, emit: list[str]) -> None:
    assert run("compile", "small.py", *emit).exit_code == 0
    module = imported(Path("generated/small.py"))
    assert callable(module.hvp) and not hasattr(module, "value_and_grad")


def test_check_compares_also_what_is_emitted_alone(run: Any) -> None:
    result = run(
        "compile", "small.py", "--emit", "hessian,jacobian,vjp,per_example_grad", "--check"
    )
    assert result.exit_code == 0
    first = result.stdout.splitlines()[0]
    assert first.startswith("small: all ") and first.endswith(" comparisons agree")


def test_a_formula(run: Any) -> None:
    result = run("compile", *LOGISTIC, "--wrt", "w", "--name", "logistic", "--check")
    assert result.exit_code == 0
    module = imported(Path("generated/logistic.py"))
    assert module.PARAMETERS == {"w": (("d",), "float")}
    assert list(module.INPUTS) == ["X", "y", "lam"]
    assert list(imported_formula(run).PARAMETERS) == ["X", "y", "w", "lam"]  # --wrt: all floats


def imported_formula(run: Any) -> Any:
    assert run("compile", *LOGISTIC).exit_code == 0
    return imported(Path("generated/formula.py"))


def test_a_formula_with_whole_numbers(run: Any) -> None:
    arguments = ("--formula", "take(t, i, axis=0)**2", "--shape", "t=5 2", "--shape", "i=n int")
    assert run("compile", *arguments, "--emit", "forward,jacobian", "--check").exit_code == 0
    module = imported(Path("generated/formula.py"))
    assert module.PARAMETERS == {"t": ((5, 2), "float")}
    assert module.forward({"t": np.eye(5, 2)}, i=np.array([1])).tolist() == [[0.0, 1.0]]


def test_a_failed_check_leaves_nothing(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Compiled.source.func  # type: ignore[attr-defined]
    monkeypatch.setattr(
        Compiled, "source", property(lambda self: right(self).replace('"b": d_b', '"b": 2 * d_b'))
    )
    result = run("compile", "small.py", "-o", "out", "--check")
    assert result.exit_code == 1
    assert not Path("out").exists()
    assert "MISMATCH" in result.stdout and "DISAGREE" in result.stdout
    assert "small: its own check fails" in result.stdout


def test_another_file_is_not_overwritten(run: Any) -> None:
    Path("out").mkdir()
    Path("out/small.py").write_text("mine = 1\n")
    result = run("compile", "small.py", "-o", "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "OutputError: out/small.py was not written by symgrad and would be lost\n"
        "  fix  choose another folder, or pass --force (force=True) to overwrite it\n"
    )
    assert Path("out/small.py").read_text() == "mine = 1\n"
    assert run("compile", "small.py", "-o", "out", "--force").exit_code == 0
    assert MARK in Path("out/small.py").read_text()
    assert run("compile", "small.py", "-o", "out").exit_code == 0


def test_a_folder_that_cannot_be_written(run: Any) -> None:
    Path("out").write_text("a file")
    result = run("compile", "small.py", "-o", "out")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[
        0
    ] == f"{OutputError.__name__}: cannot write out/small.py: " + (
        os.strerror(17) if "File exists" in result.stderr else os.strerror(20)
    )
    assert Path("out").read_text() == "a file"


REFUSED = [
    (
        ["none.py"],
        "ModelFileError: there is no file none.py\n",
    ),
    (
        ["small.py:other"],
        "ModelFileError: small.py defines no model called other\n  models  model (small)\n",
    ),
    (
        ["small.py", "--emit", "gradient"],
        "DefinitionError: there is no function 'gradient' to emit\n"
        "  known  forward, loss, value_and_grad, input_grad, jvp, vjp, hvp, hessian, jacobian, "
        "per_example_grad\n"
        "  fix    choose from these\n",
    ),
    (
        ["small.py", "--emit", "input_grad", "--inputs", "z"],
        "DefinitionError: small has no input 'z'\n  inputs  x, y\n",
    ),
    (
        ["small.py", "--inputs", "x"],
        "DefinitionError: the inputs x are chosen for input_grad, which is not emitted\n"
        "  fix  emit input_grad, or choose no inputs\n",
    ),
    (
        ["--formula", "sum(x * z)", "--shape", "x=n"],
        "FormulaError: the name z is not known\n"
        "  in   sum(x * z)\n"
        "               ^\n"
        '  fix  give its shape: shapes={"z": "n d"}\n',
    ),
    (
        ["--formula", "sum(x)", "--shape", "x=n", "--emit", "forward"],
        "DefinitionError: forward needs outputs, and the model formula has none\n"
        '  fix  give sg.Model outputs={"name": tensor}, or emit without forward\n',
    ),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_bad_input(run: Any, arguments: list[str], message: str) -> None:
    result = run("compile", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", message)
    assert not Path("generated").exists()


USAGE = [
    ([], "Error: give either a model file or --formula TEXT\n"),
    (["small.py", "--formula", "x"], "Error: give either a model file or --formula TEXT\n"),
    (["small.py", "--shape", "x=n"], "Error: --shape, --wrt and --name belong to --formula\n"),
    (["small.py", "--name", "other"], "Error: --shape, --wrt and --name belong to --formula\n"),
    (
        ["--formula", "sum(x)", "--shape", "x=n", "--shape", "x=m"],
        "Error: Invalid value for --shape: x is given twice\n",
    ),
    (
        ["--formula", "x", "--shape", "x"],
        'Error: Invalid value for --shape: \'x\' is not NAME=SIZES, such as "X=n d", "y=n int" or '
        '"lam="\n',
    ),
    (
        ["--formula", "sum(x)", "--shape", "x=n", "--wrt", "w"],
        "Error: Invalid value for --wrt: w has no --shape; known: x\n",
    ),
    (["small.py", "--nonsense"], "Error: No such option '--nonsense'.\n"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE)
def test_wrong_use(run: Any, arguments: list[str], message: str) -> None:
    result = run("compile", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "Usage: symgrad compile [OPTIONS] [MODEL.py[:NAME]]\n"
        "Try 'symgrad compile --help' for help.\n\n" + message
    )
