"""A module's own check: it runs for every kind of model, and it fails where it must."""

from __future__ import annotations

import re
import subprocess
import sys
import types
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from emitted_models import MODELS

import symgrad as sg
from symgrad.derivation import BUILDERS
from symgrad.model.model import Model

DERIVATIVES = tuple(f for f in BUILDERS if f not in ("forward", "loss"))


def source_of(model: Model, *functions: str) -> str:
    return sg.compile(model, functions or None).source


def load(source: str) -> types.ModuleType:
    module = types.ModuleType("checked")
    exec(compile(source, "checked", "exec"), module.__dict__)
    return module


def run(source: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "module.py"
    path.write_text(source)
    return subprocess.run(
        [sys.executable, "-W", "error", str(path)], capture_output=True, text=True, cwd=folder
    )


def damaged(source: str, function: str, factor: str) -> str:
    """The module with what `function` returns multiplied by `factor`, in every derivative."""
    tail = f"""

def _wrong(function):
    def times(value):
        if isinstance(value, dict):
            return {{key: times(part) for key, part in value.items()}}
        if isinstance(value, tuple):
            return (value[0], times(value[1]))
        return value * {factor}

    def wrong(*arguments, **keywords):
        return times(function(*arguments, **keywords))

    wrong.__signature__ = inspect.signature(function)
    return wrong


{function} = _wrong({function})
"""
    marker = '\n\nif __name__ == "__main__":'
    assert marker in source
    return source.replace(marker, tail + marker)


def test_the_command_prints_a_table_and_exits_with_0(tmp_path: Path) -> None:
    done = run(source_of(MODELS["ridge"]()), tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["derivative", "analytic", "numeric", "error"]
    assert lines[-1] == "all gradients agree"
    assert [line.split()[1] for line in lines[1:-1]] == ["w"] * 3 + ["b"] * 3 + ["all"] * 3


@pytest.mark.parametrize("factor", ["0.999", "1.001", "0", "-1", "np.nan", "np.inf"])
def test_the_command_fails_where_a_gradient_is_wrong(tmp_path: Path, factor: str) -> None:
    done = run(damaged(source_of(MODELS["ridge"]()), "value_and_grad", factor), tmp_path)
    assert done.returncode == 1 and done.stderr == ""
    last = "GRADIENTS DO NOT AGREE"
    if "np" in factor:
        last = "no random arguments were found for which all functions are finite"
    assert done.stdout.splitlines()[-1] == last


EMITTED = ("forward", "loss", *DERIVATIVES)
CASES = [("classifier", f) for f in DERIVATIVES] + [("linear_part", f) for f in DERIVATIVES]


@pytest.mark.parametrize(("model", "function"), CASES)
@pytest.mark.parametrize("factor", ["0.999", "0", "np.nan"])
def test_every_derivative_is_checked(
    model: str, function: str, factor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = source_of(MODELS[model](), *EMITTED)
    assert load(source).check()
    assert not load(damaged(source, function, factor)).check()
    table = capsys.readouterr().out
    label = "gradient" if function == "value_and_grad" else function
    assert "nan" in factor or re.search(rf"^{label}, .*MISMATCH$", table, re.MULTILINE)


def test_a_wrong_line_of_one_gradient() -> None:
    source = source_of(MODELS["ridge"](), "value_and_grad")
    for right, wrong in (("2 / n", "2.002 / n"), ("2 * penalty", "1.999 * penalty")):
        assert right in source
        assert not load(source.replace(right, wrong)).check()


# Leaves by name: the same one at every call.
@cache
def x() -> sg.Node:
    return sg.input("x", (sg.dim("n"), 2))


@cache
def t() -> sg.Node:
    return sg.input("t", (sg.dim("n"),))


@cache
def w() -> sg.Node:
    return sg.parameter("w", (2,))


@cache
def b() -> sg.Node:
    return sg.parameter("b", ())


@cache
def index() -> sg.Node:
    return sg.input("index", (sg.dim("n"),), dtype="int")


@cache
def shifted() -> sg.Node:
    return sg.input("shifted", (sg.dim("n"),), dtype="int")


@cache
def table() -> sg.Node:
    return sg.parameter("table", (4, 2))


@cache
def v() -> sg.Node:
    return sg.parameter("v", (sg.dim("d"),))


@cache
def r() -> sg.Node:
    return sg.input("r", (sg.dim("n"), sg.dim("d")))


# Models whose inputs must lie somewhere, or that lack something.
DOMAINS: dict[str, Callable[[], Model]] = {
    "logs": lambda: sg.Model("logs", loss=sg.mean(sg.log(x()) @ w())),
    "roots": lambda: sg.Model("roots", loss=sg.sum(sg.sqrt(1 - x() ** 2) @ w())),
    "arccosh": lambda: sg.Model("arccosh", loss=sg.sum(sg.arccosh(x()) @ w())),
    "log_parameter": lambda: sg.Model("log_parameter", loss=sg.sum(sg.log(w()) * 2) + b() ** 2),
    "table": lambda: sg.Model("table", loss=sg.sum(sg.take(table(), index(), axis=0) ** 2)),
    "table_from_1": lambda: sg.Model(
        "table_from_1", loss=sg.sum(sg.take(table(), shifted() + 2, axis=0) ** 2)
    ),
    "two_limits": lambda: sg.Model(
        "two_limits",
        loss=sg.sum(sg.take(table(), index(), axis=0) ** 2) + sg.sum(sg.take(w(), index(), axis=0)),
    ),
    "symbolic_table": lambda: sg.Model(
        "symbolic_table", loss=sg.sum(sg.take(v(), index(), axis=0) ** 2)
    ),
    "scalars": lambda: sg.Model(
        "scalars", loss=(sg.input("a", ()) * b() + sg.input("c", (), dtype="int")) ** 2
    ),
    "sliced": lambda: sg.Model("sliced", loss=sg.sum((x()[8:] @ w()) ** 2)),
    "unbiased": lambda: sg.Model("unbiased", loss=sg.var(x() @ w(), ddof=1)),
    "symbolic": lambda: sg.Model("symbolic", loss=sg.mean((r() @ v()) ** 2)),
    "fixed": lambda: sg.Model("fixed", loss=sg.sum((sg.input("q", (2,)) * w()) ** 2)),
    "output_only_input": lambda: sg.Model(
        "output_only_input", loss=sg.sum((x() @ w()) ** 2), outputs={"gap": x() @ w() - t()}
    ),
    "no_inputs": lambda: sg.Model("no_inputs", loss=sg.sum(w() ** 4), outputs={"w": w()}),
    "constant_gradient": lambda: sg.Model("constant_gradient", loss=sg.sum(w()) + 3 * b()),
    "zero_gradient": lambda: sg.Model("zero_gradient", loss=sg.sum(sg.sign(w())) + b() ** 2),
}


@pytest.mark.parametrize("name", DOMAINS)
def test_models_whose_arguments_must_be_chosen_with_care(name: str) -> None:
    model = DOMAINS[name]()
    source = source_of(model)
    assert load(source).check()
    if name not in ("zero_gradient",):
        assert not load(damaged(source, "value_and_grad", "0.999")).check()
    functions = [f for f in EMITTED if can(model, f)]
    if name == "unbiased":  # one example has no variance
        functions.remove("per_example_grad")
    assert {"jvp", "hvp", "hessian"} <= set(functions)
    assert load(source_of(model, *functions)).check()


def can(model: Model, function: str) -> bool:
    try:
        sg.compile(model, [function])
    except sg.SymgradError:
        return False
    return True


def test_a_loss_that_is_finite_nowhere_fails(capsys: pytest.CaptureFixture[str]) -> None:
    w = sg.parameter("w", (2,))
    net = sg.compile(sg.Model("nowhere", loss=sg.sum(sg.log(sg.minimum(w, -1))))).load()
    assert not net.check()
    assert capsys.readouterr().out == (
        "no random arguments were found for which all functions are finite\n"
    )


def test_nothing_to_check(tmp_path: Path) -> None:
    x = sg.input("x", (3,))
    done = run(source_of(sg.Model("plain", outputs={"y": sg.tanh(x)})), tmp_path)
    assert done.returncode == 0
    assert done.stdout == "no derivative in this module that it could compare: nothing to check\n"


def test_a_distribution_stays_one() -> None:
    from symgrad import nn

    n = sg.dim("n")
    x, t = sg.input("x", (n, 3)), sg.input("t", (n, 4))
    logits = nn.Linear(3, 4)(x)
    model = sg.Model("soft", loss=nn.functional.cross_entropy(logits, t))
    assert load(source_of(model, "loss", "value_and_grad", "input_grad", "hvp")).check()
