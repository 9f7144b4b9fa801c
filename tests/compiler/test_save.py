"""Writing a module: whole or not at all, and never over a file of another kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from emitted_models import MODELS

import symgrad as sg
from symgrad.compiler import write_generated
from symgrad.errors import OutputError


def test_saved_and_loaded_are_the_same(tmp_path: Path) -> None:
    compiled = sg.compile(MODELS["ridge"]())
    path = compiled.save(tmp_path / "made" / "here")
    assert path == tmp_path / "made" / "here" / "ridge.py"
    assert path.read_text() == compiled.source
    assert [p.name for p in path.parent.iterdir()] == ["ridge.py"]
    module = compiled.load()
    assert module.__name__ == "ridge" and "ridge" not in sys.modules
    assert compiled.load() is not module
    assert list(module.__all__) == sorted(
        module.__all__, key=lambda name: (not name.isupper(), name)
    )
    assert all(hasattr(module, name) for name in module.__all__)


def test_a_generated_file_is_written_over(tmp_path: Path) -> None:
    compiled = sg.compile(MODELS["ridge"]())
    path = compiled.save(tmp_path)
    path.write_text(path.read_text() + "# edited\n")
    compiled.save(tmp_path)
    assert path.read_text() == compiled.source


def test_a_file_of_another_kind_is_not(tmp_path: Path) -> None:
    compiled = sg.compile(MODELS["ridge"]())
    path = tmp_path / "ridge.py"
    path.write_text("precious = 1\n")
    with pytest.raises(OutputError) as caught:
        compiled.save(tmp_path)
    assert str(caught.value) == (
        f"{path} was not written by symgrad and would be lost\n"
        "  fix  choose another folder, or pass --force (force=True) to overwrite it"
    )
    assert path.read_text() == "precious = 1\n"
    compiled.save(tmp_path, force=True)
    assert path.read_text() == compiled.source


def test_a_file_that_is_no_text_is_not(tmp_path: Path) -> None:
    path = tmp_path / "ridge.py"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(OutputError, match="was not written by symgrad"):
        write_generated(path, "text")
    assert path.read_bytes() == bytes(range(256))


def refusal(path: Path) -> str:
    with pytest.raises(OutputError) as caught:
        write_generated(path, "text")
    return str(caught.value)


FIX = "\n  fix  choose a folder that exists and can be written, with -o"


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")
    path = tmp_path / "folder" / "ridge.py"
    assert refusal(path) == f"cannot write {path}: Not a directory{FIX}"


def test_a_file_that_is_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "ridge.py"
    path.mkdir()
    assert refusal(path) == f"cannot write {path}: Is a directory{FIX}"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write")
def test_a_folder_that_cannot_be_written() -> None:
    path = Path("/proc/self/ridge.py")
    assert refusal(path) == f"cannot write {path}: No such file or directory{FIX}"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    path = folder / "ridge.py"
    assert refusal(path) == f"cannot write {path}: Permission denied{FIX}"


@pytest.mark.parametrize("step", ["write", "replace"])
def test_nothing_is_left_of_a_failed_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = sg.compile(MODELS["ridge"]()).save(tmp_path)
    before = path.read_text()
    if step == "replace":

        def full(*arguments: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        assert refusal(path) == f"cannot write {path}: No space left on device{FIX}"
    else:
        with pytest.raises(UnicodeEncodeError):
            write_generated(path, "\ud800" * 10)
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_module_needs_nothing_but_numpy(tmp_path: Path) -> None:
    path = sg.compile(MODELS["classifier"]()).save(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {path.stem}; "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in ('symgrad', 'sympy')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_what_is_compiled_is_shown_in_a_line() -> None:
    x, w = sg.input("x", (3,)), sg.parameter("w", (3,))
    model = sg.Model("short", loss=sg.sum(w * x), outputs={"h": w + x})
    assert repr(model) == "<Model short: 1 parameter, 1 input>"
    assert repr(sg.compile(model)) == "<Compiled short: forward, loss, value_and_grad>"
