"""A model file, and a runner of the command in its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from symgrad.cli import main

MODEL = """\
import symgrad as sg

n = sg.dim("n")
x = sg.input("x", (n, 3))
y = sg.input("y", (n,), dtype="int")
W = sg.parameter("W", (3, 2))
b = sg.parameter("b", (2,), init="zeros")
h = sg.tanh(x @ W + b)
picked = sg.take_along_axis(sg.log_softmax(h, axis=1), y[:, None], axis=1)
model = sg.Model("small", loss=-sg.mean(picked), outputs={"p": sg.softmax(h, axis=1)})
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `symgrad ARGUMENTS` in a folder that holds small.py."""
    monkeypatch.chdir(tmp_path)
    Path("small.py").write_text(MODEL)

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments), prog_name="symgrad")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
