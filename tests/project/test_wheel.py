"""The wheel: built, installed in a fresh environment, and used there from an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MODEL = """\
import symgrad as sg
from symgrad import nn

n = sg.dim("n")
x = sg.input("x", (n, 3))
y = sg.input("y", (n, 1))
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
model = sg.Model("wheel_model", loss=nn.functional.mse_loss(net(x), y), outputs={"p": net(x)})
"""


def run(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(
        [str(c) for c in command], cwd=cwd, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_wheel_compiles_a_model_from_a_fresh_environment(tmp_path: Path) -> None:
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    run(
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "-o",
        tmp_path,
        ROOT,
        cwd=tmp_path,
    )
    (wheel,) = tmp_path.glob("*.whl")
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    (work / "wheel_model.py").write_text(MODEL)
    run(python, "-m", "symgrad", "compile", "wheel_model.py", "-o", "out", "--check", cwd=work)
    table = run(python, work / "out" / "wheel_model.py", cwd=work)
    assert "all gradients agree" in table
