"""`symgrad check`: the table and the exit status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def module(run: Any) -> Path:
    run("compile", "small.py")
    return Path("generated/small.py")


def test_a_right_module(run: Any, module: Path) -> None:
    result = run("check", str(module))
    assert (result.exit_code, result.stderr) == (0, "")
    rows = result.stdout.splitlines()
    assert rows[0].rstrip() == "generated/small.py"
    assert rows[1].split() == ["function", "compared", "claimed", "measured", "error"]
    assert "MISMATCH" not in result.stdout
    assert rows[-1] == f"generated/small.py: all {len(rows) - 3} comparisons agree"


def test_a_wrong_gradient(run: Any, module: Path) -> None:
    text = module.read_text()
    assert text.count('"b": d_b') == 1
    Path("wrong.py").write_text(text.replace('"b": d_b', '"b": 1.001 * d_b'))
    result = run("check", str(module), "wrong.py", "--quiet")
    assert result.exit_code == 1
    rows = result.stdout.splitlines()
    assert rows[0].endswith("comparisons agree")
    assert rows[1].rstrip() == "wrong.py"
    assert rows[3].split()[:3] == ["value_and_grad", "along", "b"]
    assert rows[3].split()[5:] == ["5.0e-04", "MISMATCH"]
    assert rows[-1].startswith("wrong.py: ") and rows[-1].endswith(" comparisons DISAGREE")


def test_what_cannot_be_checked(run: Any, module: Path) -> None:
    result = run("check", str(module), "none.py")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "CheckError: there is no file none.py\n"
    Path("other.py").write_text("x = 1\n")
    result = run("check", "other.py")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "CheckError: other.py is not a module that symgrad generated\n"
        "  lacks  PARAMETERS = {name: (shape, dtype)}\n"
        "  fix    write one with: symgrad compile MODEL.py\n"
    )


def test_no_module_is_wrong_use(run: Any) -> None:
    result = run("check")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "Error: Missing argument 'MODULE.py...'."
