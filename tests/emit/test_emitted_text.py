"""The text of emitted modules, read the way a reviewer reads it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from emitted_models import MODELS

import symgrad as sg
from symgrad import nn
from symgrad.derivation import BUILDERS
from symgrad.emit.layout import broken
from symgrad.errors import DefinitionError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ("digits_mlp", "house_prices_hidden", "house_prices_linear", "logistic_regression",
            "textbook_2_2_2")  # fmt: skip


@cache
def text_of(name: str) -> str:
    """The module of an example or of one of MODELS, with every function that it can have."""
    if name in EXAMPLES:
        return sg.compile(sg.load_model(ROOT / "examples" / f"{name}.py")).source
    model = MODELS[name]()
    functions = []
    for function in BUILDERS:
        try:
            sg.compile(model, [function])
        except DefinitionError:
            continue
        functions.append(function)
    return sg.compile(model, functions).source


each_text = pytest.mark.parametrize("name", [*EXAMPLES, *MODELS])


def functions_of(source: str) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            yield node


def unread_assignments(function: ast.FunctionDef) -> set[str]:
    """Locals that are assigned but never read."""
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return stored - {node.id for node in names if isinstance(node.ctx, ast.Load)} - {"_"}


def twice_assigned(function: ast.FunctionDef) -> set[str]:
    """Locals that plain assignments give two values; outside the door, which converts arguments."""
    arguments = {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
    targets = [
        target.id
        for node in function.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    return {t for t in targets if targets.count(t) > 1 or t in arguments} - {
        t
        for t in targets
        if t in arguments and targets.count(t) == 1 and _is_conversion(function, t)
    }


def _is_conversion(function: ast.FunctionDef, name: str) -> bool:
    return f"{name} = {name}.astype(np.intp, copy=False)" in ast.unparse(function)


def needless(function: ast.FunctionDef) -> list[str]:
    """Arithmetic that does nothing: `* 1`, `+ 0`, `/ 1`, `** 1`."""
    wrong: list[str] = []
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp):
            op, sides = node.op, (node.left, node.right)
        elif isinstance(node, ast.AugAssign):
            op, sides = node.op, (node.value,)
        else:
            continue
        numbers = [s.value for s in sides if isinstance(s, ast.Constant)]
        right = sides[-1].value if isinstance(sides[-1], ast.Constant) else None
        if (isinstance(op, ast.Mult) and 1 in numbers) or (
            isinstance(op, ast.Add) and 0 in numbers
        ):
            wrong.append(ast.unparse(node))
        if isinstance(op, ast.Div | ast.Pow | ast.FloorDiv) and right == 1:
            wrong.append(ast.unparse(node))
    return wrong


@each_text
def test_every_line_has_a_use(name: str) -> None:
    for function in functions_of(text_of(name)):
        assert unread_assignments(function) == set(), function.name
        if function.name in BUILDERS:
            assert twice_assigned(function) == set(), function.name
            assert needless(function) == [], function.name


def test_the_reader_sees_what_is_wrong() -> None:
    (function,) = functions_of(
        "def f(x):\n    a = x * 1\n    a = x + 0\n    b = a / 1\n    return a"
    )
    assert unread_assignments(function) == {"b"}
    assert twice_assigned(function) == {"a"}
    assert needless(function) == ["x * 1", "x + 0", "a / 1"]


@each_text
def test_lines_are_short_and_end_cleanly(name: str) -> None:
    source = text_of(name)
    assert [line for line in source.splitlines() if len(line) > 100] == []
    assert [line for line in source.splitlines() if line != line.rstrip()] == []
    assert source.endswith("\n") and not source.endswith("\n\n") and "\n\n\n\n" not in source


@pytest.mark.parametrize("name", EXAMPLES)
def test_products_are_no_einsums(name: str) -> None:
    assert "einsum" not in text_of(name)


def test_the_linter_has_nothing_to_say(tmp_path: Path) -> None:
    ruff = shutil.which("ruff") or str(Path(sys.executable).with_name("ruff"))
    if not Path(ruff).exists():
        pytest.skip("ruff is not installed")
    for name in (*EXAMPLES, *MODELS):
        (tmp_path / f"{name}.py").write_text(text_of(name))
    n = sg.dim("n")
    loss = sg.mean((sg.input("x", (n, 2)) @ sg.parameter("I", (2,))).named("l") ** 2)
    (tmp_path / "misread.py").write_text(sg.compile(sg.Model("misread", loss=loss)).source)
    result = subprocess.run(
        [ruff, "check", "--isolated", "--extend-select", "E741", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout


DETERMINISM = """
import sys; sys.path.insert(0, "tests")
import hashlib, symgrad as sg
from emitted_models import MODELS
for name in ("classifier", "counted", "symbolic"):
    text = sg.compile(MODELS[name](), ["value_and_grad", "hvp"]).source
    print(name, hashlib.sha256(text.encode()).hexdigest())
"""


def test_the_text_does_not_depend_on_hash_order() -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", DETERMINISM], cwd=ROOT, text=True, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        )
        for seed in ("0", "1", "2")
    ]  # fmt: skip
    first, *others = [run.communicate()[0] for run in runs]
    assert len(first.splitlines()) == 3
    assert all(other == first for other in others)


def deep(count: int) -> str:
    """The module of a network with `count` hidden layers."""
    n = sg.dim("n")
    layers = [layer for _ in range(count) for layer in (nn.Linear(4, 4), nn.Tanh())]
    h = nn.Sequential(*layers)(sg.input("x", (n, 4)))
    return sg.compile(sg.Model("deep", loss=sg.mean(h**2))).source


def test_the_text_grows_with_the_model_and_no_faster() -> None:
    short, middle, long = (len(deep(k).splitlines()) for k in (10, 20, 40))
    per_layer = (middle - short) / 10
    assert long - middle <= 20 * per_layer * 1.05
    letters = [len(deep(k)) for k in (10, 20, 40)]
    assert letters[2] - letters[1] <= 2.2 * (letters[1] - letters[0])


def test_nothing_of_the_machine_is_in_the_text() -> None:
    for name in (*EXAMPLES, *MODELS):
        assert str(ROOT) not in text_of(name) and str(Path.home()) not in text_of(name)


LONG = (
    "total = np.add(first.reshape((n, 3)), second_of_them, out=third)",
    "np.subtract(first.reshape((n, 4, 3)).transpose(1, 2, 0), second, out=second)",
    "product = first.transpose(2, 0, 1, 3).reshape((n, 12)) @ second.transpose(1, 0)[:, :, None]",
    "total += (first.sum() * second.sum()) + (third.dot(fourth[:, None]) - fifth_of_them)",
    "total[:1, 2:] += np.where(first < second, third_of_them, fourth_of_them)",
    "_check_indices('f', 'y', first + second_of_them_all, 0, some_size)",
    'h = np.einsum("abc,(ab + cd)->a", first[:, None], second, third_of, optimize=True)',
    "short = 1",
)


@pytest.mark.parametrize("statement", LONG)
@pytest.mark.parametrize("width", [24, 40, 60])
def test_long_statements_are_broken_and_stay_what_they_are(statement: str, width: int) -> None:
    lines = broken(statement, width)
    assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse(statement))
    if width >= 40:
        assert max(map(len, lines)) <= width
