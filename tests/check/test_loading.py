"""What cannot be checked is refused with one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad.check.sizes import NoSuchSize, names_in, shape_of, size_of
from symgrad.check.subject import Subject, load_module
from symgrad.errors import CheckError


def refused(path: Path) -> str:
    with pytest.raises(CheckError) as caught:
        Subject(load_module(path))
    return str(caught.value).replace(str(path), "FILE")


def test_a_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.py") == "there is no file FILE"


def test_a_file_that_is_not_python(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    assert refused(path) == (
        "FILE is not a Python file\n  fix  give the path of a generated module"
    )


def test_a_file_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import no_such_module_at_all\n")
    assert refused(path) == (
        "FILE cannot be loaded\n"
        "  cause  ModuleNotFoundError: No module named 'no_such_module_at_all'"
    )


def test_a_file_with_a_syntax_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def f(:\n")
    assert refused(path) == (
        "FILE cannot be loaded\n  cause  SyntaxError: invalid syntax (broken.py, line 1)"
    )


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("x = 1\n", "PARAMETERS = {name: (shape, dtype)}"),
        ("PARAMETERS = {}\n", "INPUTS = {name: (shape, dtype)}"),
        ("PARAMETERS = {'a': 3}\nINPUTS = {}\n", "PARAMETERS = {name: (shape, dtype)}"),
        (
            "PARAMETERS = {}\nINPUTS = {}\n",
            "init_params and one of forward, loss, value_and_grad, input_grad, jvp, vjp, hvp, "
            "hessian, jacobian, per_example_grad",
        ),
    ],
)
def test_a_module_of_another_kind(tmp_path: Path, text: str, lacks: str) -> None:
    path = tmp_path / "other.py"
    path.write_text(text)
    assert refused(path) == (
        "FILE is not a module that symgrad generated\n"
        f"  lacks  {lacks}\n"
        "  fix    write one with: symgrad compile MODEL.py"
    )


def test_sizes() -> None:
    assert shape_of((3, "n", "2*n + 1", "-1 + n**2", "n//2", "Min(n, 3)"), {"n": 4}) == (
        3, 4, 9, 15, 2, 3,
    )  # fmt: skip
    assert names_in(("n*m", 3, "floor(k/2)")) == ["n", "m", "k"]
    with pytest.raises(NoSuchSize):
        size_of("n/2", {"n": 5})


@pytest.mark.parametrize("text", ["n +", "f(n)", "n.real", "[n]", "__import__('os')"])
def test_a_size_is_never_evaluated(text: str) -> None:
    with pytest.raises(CheckError) as caught:
        size_of(text, {"n": 5})
    assert str(caught.value) == f"the module declares a size that cannot be read: {text!r}"
