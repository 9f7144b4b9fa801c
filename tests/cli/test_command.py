"""The command as a whole: help, version, and as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from symgrad import __version__


@pytest.mark.parametrize("command", ["compile", "check", "derive", "show"])
def test_help_has_an_example(run: Any, command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"  symgrad {command} " in result.stdout
    assert "Example" in result.stdout


def test_help_lists_the_commands(run: Any) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert all(
        f"  {command} " in result.stdout for command in ("check", "compile", "derive", "show")
    )


def test_version(run: Any) -> None:
    assert run("--version").stdout == f"symgrad, version {__version__}\n"


def test_no_command_is_wrong_use(run: Any) -> None:
    assert run().exit_code == 2
    result = run("invent")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "Error: No such command 'invent'."


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "symgrad", *arguments], capture_output=True, text=True, check=False
    )


def test_as_a_process_it_is_quiet_in_a_pipe(run: Any) -> None:
    done = process("compile", "small.py", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("wrote generated/small.py: ")
    text = Path("generated/small.py").read_text()
    Path("wrong.py").write_text(text.replace('"W": d_W', '"W": 0 * d_W'))
    assert process("check", "generated/small.py", "wrong.py").returncode == 1


def test_as_a_process_errors_are_no_tracebacks(run: Any) -> None:
    Path("bad.py").write_text(
        "import symgrad as sg\nx = sg.input('x', (3,)) @ sg.input('y', (4,))\n"
    )
    done = process("compile", "bad.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ShapeError: ")
    assert "Traceback" not in done.stderr
