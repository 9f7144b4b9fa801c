"""The definition in the user's own words: the statements of the file that made the tensors.

Statements that only define what these use stand with them: a layer, a size, a class.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from symgrad.expr.cells import text_of_cell
from symgrad.report.record.definition import Excerpt

FORMULA = "--formula"
MOST_LINES = 90  # beyond these, of long statements only the lines that made tensors are shown


def excerpts(locations: Iterable[str]) -> tuple[Excerpt, ...]:
    """The statements at `locations` ("file:line"), file by file, where they can be read."""
    lines: dict[str, set[int]] = {}
    for location in locations:
        file, _, line = location.rpartition(":")
        if file and line.isdecimal():
            lines.setdefault(file, set()).add(int(line))
    found = (_excerpt(file, numbers) for file, numbers in lines.items())
    return tuple(excerpt for excerpt in found if excerpt is not None)


def of_formula(text: str) -> tuple[Excerpt, ...]:
    """A formula that was given on the command line."""
    return (Excerpt(FORMULA, tuple((str(n), t) for n, t in enumerate(text.splitlines(), 1))),)


def _excerpt(file: str, numbers: set[int]) -> Excerpt | None:
    try:
        text = text_of_cell(file) or Path(file).read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError):
        return None
    wanted = _with_what_they_use(tree, numbers)
    if len(wanted) > MOST_LINES:
        wanted = _within_statements(tree, numbers)
    source = text.splitlines()
    shown: list[tuple[str, str]] = []
    previous = 0
    for number in sorted(n for n in wanted if 1 <= n <= len(source)):
        if previous and any(line.strip() for line in source[previous : number - 1]):
            shown.append(("", ""))  # lines are left out
        shown.append((str(number), source[number - 1]))
        previous = number
    return Excerpt(file, tuple(shown)) if shown else None


def _with_what_they_use(tree: ast.Module, numbers: set[int]) -> set[int]:
    """The lines of the file's statements at `numbers`, and of those that define their names."""
    binding: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _names_bound(statement):
            binding.setdefault(name, []).append(statement)
    waiting = [s for s in tree.body if numbers.intersection(_span(s))]
    found: dict[ast.stmt, None] = {}
    while waiting:
        statement = waiting.pop()
        if statement in found:
            continue
        found[statement] = None
        used = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        waiting += [s for name in used for s in binding.get(name, ())]
    return {line for statement in found for line in _span(statement)}


def _names_bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _within_statements(tree: ast.Module, numbers: set[int]) -> set[int]:
    """All lines of the innermost simple statements that hold `numbers`."""
    found = set(numbers)
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt) and not hasattr(statement, "body"):
            if numbers.intersection(_span(statement)):
                found.update(_span(statement))
    return found


def _span(statement: ast.stmt) -> range:
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(d.lineno for d in decorators)])
    return range(first, (statement.end_lineno or statement.lineno) + 1)
