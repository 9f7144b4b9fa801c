"""Models from files: what is found, what is said where it is not, and nothing left behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from messages import message_of

import symgrad as sg
from symgrad.expr.node import Node

GOOD = """
import symgrad as sg
x = sg.input("x", (sg.dim("n"), 3))
hidden = sg.tanh(x)
model = sg.Model("net", outputs={"h": sg.exp(hidden)})
"""
EXAMPLES = Path(__file__).parents[2] / "examples"
TWO = GOOD + 'second = sg.Model("other", outputs={"h": x * 2})\n'


def file_with(folder: Path, text: str, name: str = "net.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_model_is_loaded_and_nothing_stays_behind(tmp_path: Path) -> None:
    file_with(tmp_path, "width = 3", "my_sizes.py")
    path = file_with(tmp_path, "import my_sizes\n" + GOOD.replace("3)", "my_sizes.width)"))
    before, modules = list(sys.path), set(sys.modules)
    models = [sg.load_model(path), sg.load_model(str(path)), sg.load_model(f"{path}:model")]
    models.append(sg.load_model(path, "net"))
    assert [model.name for model in models] == ["net"] * 4
    assert all(list(model.names.values()) == ["x", "hidden", "h"] for model in models)
    assert sys.path == before
    assert set(sys.modules) == modules


def test_main_is_not_run(tmp_path: Path) -> None:
    path = file_with(tmp_path, GOOD + 'if __name__ == "__main__":\n    raise SystemExit(3)\n')
    assert sg.load_model(path).name == "net"


def test_one_of_two(tmp_path: Path) -> None:
    path = file_with(tmp_path, TWO)
    assert sg.load_model(f"{path}:second").name == "other"
    assert sg.load_model(f"{path}:other").name == "other"
    assert message_of(lambda: sg.load_model(path)) == (
        f"ModelFileError: {path} defines 2 models\n"
        "  models  model (net), second (other)\n"
        f"  fix     say which: {path}:model"
    )
    assert message_of(lambda: sg.load_model(f"{path}:third")) == (
        f"ModelFileError: {path} defines no model called third\n"
        "  models  model (net), second (other)"
    )


def test_files_that_are_not_models(tmp_path: Path) -> None:
    missing = tmp_path / "missing.py"
    assert message_of(lambda: sg.load_model(missing)) == (
        f"ModelFileError: there is no file {missing}"
    )
    text = file_with(tmp_path, GOOD, "net.txt")
    assert message_of(lambda: sg.load_model(text)) == (
        f"ModelFileError: {text} is not a Python file\n  fix  a model file ends in .py"
    )
    empty = file_with(tmp_path, "x = 1\n")
    assert message_of(lambda: sg.load_model(empty)) == (
        f"ModelFileError: {empty} defines no model\n"
        "  fix  assign sg.Model(...) to a variable of the file"
    )


def test_files_that_fail(tmp_path: Path) -> None:
    path = file_with(tmp_path, "import os\n\ndef width():\n    return 1 / 0\n\nn = width()\n")
    assert message_of(lambda: sg.load_model(path)) == (
        f"ModelFileError: {path} failed: ZeroDivisionError: division by zero\n"
        f"  at    {path}:4\n"
        "  line  return 1 / 0"
    )
    path = file_with(tmp_path, "import nowhere_to_be_found\n")
    assert message_of(lambda: sg.load_model(path)) == (
        f"ModelFileError: {path} failed: ModuleNotFoundError: No module named "
        "'nowhere_to_be_found'\n"
        f"  at    {path}:1\n"
        "  line  import nowhere_to_be_found"
    )
    path = file_with(tmp_path, "import sys\nsys.exit('enough')\n")
    assert message_of(lambda: sg.load_model(path)) == (
        f"ModelFileError: {path} failed: SystemExit: enough\n"
        f"  at    {path}:2\n"
        "  line  sys.exit('enough')"
    )
    path = file_with(tmp_path, "x = (1,\ny = = 2\n")
    text = message_of(lambda: sg.load_model(path))
    assert text.startswith(f"ModelFileError: {path} is not valid Python: ")
    assert f"  at    {path}:" in text


def test_an_error_of_the_definition_is_said_itself(tmp_path: Path) -> None:
    path = file_with(tmp_path, GOOD.replace("sg.tanh(x)", "x @ x"))
    text = message_of(lambda: sg.load_model(path))
    assert text.startswith("ShapeError: the inner sizes of a matrix product differ: 3 and n\n")
    assert f"{path}:4" in text


def test_an_error_that_knows_no_line_is_given_the_files(tmp_path: Path) -> None:
    table = "def table():\n    return nn.Embedding(5, 3, padding_idx=5)\n"
    path = file_with(tmp_path, f"from symgrad import nn\n\n\n{table}\n\ntable()\n")
    assert message_of(lambda: sg.load_model(path)) == (
        f"DefinitionError: padding_idx 5 is not one of the 5 rows\n  at  {path}:5"
    )


def test_models_of_one_file_may_share_its_parameters(tmp_path: Path) -> None:
    shared = """
import symgrad as sg
x = sg.input("x", (3,))
v, w = sg.parameter("v", (3,)), sg.parameter("w", (3,))
first = sg.Model("first", loss=x @ v)
second = sg.Model("second", loss=x @ w)
"""
    assert sg.load_model(file_with(tmp_path, shared), "first").name == "first"
    path = file_with(tmp_path, shared.replace("second = ", "# "))
    assert message_of(lambda: sg.load_model(path)) == (
        "DefinitionError: no model reads the parameter w\n"
        f"  at   {path}:4\n"
        "  fix  use it, remove it, or say which belong to the model: parameters=[...]"
    )


def test_names_do_not_leak_from_one_file_to_another(tmp_path: Path) -> None:
    named = GOOD.replace("hidden = sg.tanh(x)", 'hidden = sg.tanh(x).named("state")')
    first = sg.load_model(file_with(tmp_path, named, "first.py"))
    second = sg.load_model(file_with(tmp_path, GOOD, "second.py"))
    assert list(first.names.values()) == ["x", "state", "h"]
    assert list(second.names.values()) == ["x", "hidden", "h"]
    (hidden,) = (node for node, name in first.names.items() if name == "state")
    assert isinstance(hidden, Node) and hidden.label == "state"


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.name)
def test_examples(example: Path) -> None:
    if "sg.Model(" in example.read_text():
        assert sg.load_model(example).name == example.stem
