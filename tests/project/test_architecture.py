"""The import rules of the design: each room sees only what it may."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "symgrad"

# room -> rooms of symgrad that it may import (itself always)
ALLOWED = {
    "errors": set(),
    "expr": {"errors"},
    "model": {"errors", "expr"},
    "calculus": {"errors", "expr"},
    "passes": {"errors", "expr", "calculus"},
    "program": {"errors", "expr"},
    "emit": {"errors", "expr", "program"},
    "check": {"errors", "expr", "program"},
    "writing": set(),
    "weights": {"errors", "expr", "model", "writing"},
    "torch_import": {"errors", "expr", "model", "weights"},
    "health": {"errors", "expr", "model", "calculus", "passes", "differentiation"},
    "drawing": {"errors", "expr", "health"},
    "report": {"errors", "expr", "calculus", "passes", "model", "derivation", "emit"},
    "evaluation": {"errors", "expr", "calculus", "passes", "weights"},
}
# room -> packages from outside that it must not import
FORBIDDEN = {
    "expr": {"numpy", "jinja2"},
    "model": {"numpy", "jinja2"},
    "calculus": {"numpy", "jinja2"},
    "passes": {"numpy", "jinja2"},
    "program": {"jinja2"},
    "weights": {"jinja2"},
    "torch_import": {"jinja2"},
    "evaluation": {"jinja2"},
}
# room -> packages that are extras: it imports them where they are used, and not before
EXTRAS = {"weights": {"safetensors"}, "torch_import": {"torch"}}
CORE_DEPENDENCIES = {"sympy", "numpy", "jinja2", "opt_einsum", "click", "rich", "mpmath"}


def imports_of(source: str) -> set[str]:
    """The dotted names of all modules that `source` imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def violations(room: str, source: str) -> list[str]:
    """Imports of `source`, a file of `room`, that the table forbids."""
    wrong = []
    for name in sorted(imports_of(source)):
        parts = name.split(".")
        if parts[0] == "symgrad" and room in ALLOWED and len(parts) > 1:
            if parts[1] != room and parts[1] not in ALLOWED[room]:
                wrong.append(name)
        elif parts[0] in FORBIDDEN.get(room, ()):
            wrong.append(name)
    return wrong


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_table(path: Path) -> None:
    assert violations(room_of(path), path.read_text()) == []


def test_a_forbidden_import_is_seen() -> None:
    assert violations("calculus", "from symgrad.model.model import Model") != []
    assert violations("expr", "def f():\n    import numpy as np\n") == ["numpy"]
    assert violations("emit", "import symgrad.calculus.reverse") != []


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_declared_dependencies(path: Path) -> None:
    outside = {name.split(".")[0] for name in imports_of(path.read_text())}
    extras = EXTRAS.get(room_of(path), set())
    unknown = outside - sys.stdlib_module_names - CORE_DEPENDENCIES - {"symgrad"} - extras
    assert unknown == set()
    at_the_top = {
        name.split(".")[0]
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imports_of(ast.unparse(node))
    }
    assert not at_the_top & extras, "an extra is imported where it is used"


@pytest.mark.parametrize("path", sorted((ROOT / "generated").glob("*.py")), ids=lambda p: p.name)
def test_generated_modules_need_only_numpy(path: Path) -> None:
    outside = {name.split(".")[0] for name in imports_of(path.read_text())}
    assert outside - sys.stdlib_module_names <= {"numpy"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 420, "reshape the room"
