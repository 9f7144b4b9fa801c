"""Equations one below the other, aligned at their signs, with shapes beside: for a notebook.

Notebooks bring their own fonts and colours; here are only tables and formulas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from symgrad.report.conventions import below_each_other
from symgrad.report.notation import Math, Relation, Symbol, latex, mathml
from symgrad.report.record.equation import Equation, Prose

CELL = "text-align: left; vertical-align: baseline; padding: 0.2em 0.3em; border: 0"
LEFT = CELL.replace("left", "right", 1)
NOTE = f"{CELL}; padding-left: 1.5em; opacity: 0.75"
NOTHING = Symbol("")
SPECIAL = {
    "\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
    "%": r"\%", "~": r"\sim ", "^": r"\wedge ", "<": r"\lt ", ">": r"\gt ",
}  # fmt: skip


@dataclass(frozen=True)
class _Row:
    """`left` = `right`, or only `right`, or words in the place of both."""

    left: Math | None
    right: Math | None
    words: Prose
    notes: Prose


def aligned_latex(equations: Sequence[Equation], most: int) -> str:
    """The last `most` of `equations` as one display for MathJax; dots stand for the others."""
    rows = list(_rows(below_each_other(equations[-most:])))
    lines = [_latex_row(row) for row in rows]
    if len(equations) > most:
        lines.insert(0, r"& \;\;\vdots &&")
    body = " \\\\\n".join(lines)
    return f"$\\displaystyle \\begin{{aligned}}\n{body}\n\\end{{aligned}}$"


def aligned_html(equations: Sequence[Equation], most: int, folds: bool = False) -> str:
    """The same as a table of MathML. `folds`: the others can be unfolded."""
    earlier, last = equations[:-most], equations[-most:]
    count = f"{len(earlier)} equation{'s' if len(earlier) != 1 else ''} before"
    before = ""
    if earlier and folds:
        before = f"<details><summary>{count}</summary>{_table(earlier)}</details>"
    elif earlier:
        before = f'<div style="opacity: 0.75">{count}</div>'
    return f"{before}{_table(last)}"


def _table(equations: Sequence[Equation]) -> str:
    told = below_each_other(equations)
    rows = "".join(f'<tr style="background: none">{_cells(row)}</tr>' for row in _rows(told))
    style = "border: 0; border-collapse: collapse; margin: 0.3em 0"
    return f'<table role="presentation" style="{style}"><tbody>{rows}</tbody></table>'


def _rows(equations: Sequence[Equation]) -> Iterator[_Row]:
    for equation in equations:
        if equation.intro:
            yield _Row(None, None, equation.intro, ())
            yield from _rows(equation.steps)
            continue
        formula = equation.either if equation.either is not None else equation.name
        notes = list[Prose]()
        if equation.shape:
            notes.append((equation.shape,))
        if equation.matrix is not None:
            notes += [(remark,) for remark in equation.remarks]
        elif equation.index is not None:
            notes += [(limits,) for limits in equation.ranges]
        told = tuple(part for k, note in enumerate(notes) for part in ((", ",) if k else ()) + note)
        if isinstance(formula, Relation) and formula.operator == "=" and formula.left != NOTHING:
            yield _Row(formula.left, formula.right, (), told)
        else:
            yield _Row(None, formula, (), told)


def _latex_row(row: _Row) -> str:
    notes = _latex_prose(row.notes)
    if row.words:
        return rf"& {_latex_prose(row.words)} &&"
    left = "" if row.left is None else f"{latex(row.left)} "
    sign = "= " if row.left is not None else ""
    right = "" if row.right is None else latex(row.right)
    return f"{left}& {sign}{right} && {notes}".rstrip()


def _latex_prose(parts: Prose) -> str:
    found, words = "", ""
    for part in (*parts, NOTHING):
        if isinstance(part, Math):
            found += _words(words) + (latex(part) if part != NOTHING else "")
            words = ""
        else:
            words += part
    return found


def _words(text: str) -> str:
    r"""Text in which no character is a command.

    MathJax knows no escapes within \text, so what needs them stands beside it.

    >>> print(_words("b_0 stands"))
    \text{b}\_\text{0 stands}
    """
    parts = re.split(r"([\\{}$&#_%~^<>])", text)
    return "".join(SPECIAL.get(part, rf"\text{{{part}}}") for part in parts if part)


def _cells(row: _Row) -> str:
    if row.words:
        return f'<td colspan="3" style="{CELL}">{html_prose(row.words)}</td>'
    notes = f'<td style="{NOTE}">{html_prose(row.notes)}</td>'
    right = "" if row.right is None else _math(row.right)
    if row.left is None:
        return f'<td colspan="2" style="{CELL}">{right}</td>{notes}'
    right = "" if row.right is None else _math(Relation("=", NOTHING, row.right))
    return f'<td style="{LEFT}">{_math(row.left)}</td><td style="{CELL}">{right}</td>{notes}'


def _math(formula: Math) -> str:
    """A formula as large as on a line of its own."""
    return mathml(formula).replace("<math ", '<math displaystyle="true" ', 1)


def html_prose(parts: Prose) -> str:
    """A sentence for a page, in which no character is markup."""
    return "".join(mathml(part) if isinstance(part, Math) else escape(part) for part in parts)
