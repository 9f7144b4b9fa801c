"""A derivation record as finished strings: every formula and every word in one format.

    text      Unicode lines              markdown  LaTeX between $ and $$, prose escaped
    latex     for amsmath                html      MathML; words are escaped by the template
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from html import escape
from types import SimpleNamespace
from typing import Any

from symgrad.report.latex_text import latex_listing, latex_prose
from symgrad.report.markdown import escaped, fenced
from symgrad.report.notation import Math, latex, mathml, text
from symgrad.report.notation.formula import Number
from symgrad.report.record.definition import Excerpt
from symgrad.report.record.derivation import CodeBlock, DerivationRecord
from symgrad.report.record.equation import Equation

DISPLAYED = frozenset({"matrix", "index"})  # formulas that stand on a line of their own
LITERAL = frozenset({"anchor", "target", "family", "level"})  # these link and are not shown
SMALL = frozenset({"ranges", "flops", "traffic", "peak"})  # many and simple: a line of text will do
CODE = frozenset({"lines"})  # lines of code: a fence or a listing holds them
MEASURED = frozenset({"error", "verification"})  # words with numbers such as 1e-12 in them
INNER_SPACE = re.compile(r"(?<![-+,:;]) (?![-+])")  # not beside a sign, nor after a comma
E_NUMBER = re.compile(r"\b(\d+(?:\.\d+)?e[+-]?\d+)\b")


class Finished(str):
    """HTML that a template takes as it is; all else it escapes."""

    def __html__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Printer:
    """How a format sets a formula, alone or in a line, a word, and lines of code.

    measured: words whose numbers are set as powers of ten; None where they stay 1e-12.
    """

    displayed: Callable[[Math], str]
    inline: Callable[[Math], str]
    word: Callable[[str], str]
    listing: Callable[[Sequence[str]], str] = "\n".join
    small: Callable[[Math], str] | None = None
    measured: Callable[[str], str] | None = None


def _same(word: str) -> str:
    return word


def markdown_math(formula: Math) -> str:
    """Inline mathematics as GitHub reads it: between $` and `$ nothing else is markup."""
    return f"$`{latex(formula)}`$"


def _latex_inline(formula: Math) -> str:
    return f"${latex(formula)}$"


def _breakable(formula: Math) -> str:
    """Inline LaTeX that may be broken within its brackets too: what is long has to fit a column."""
    return _latex_inline(formula).replace(r"\left(", "(").replace(r"\right)", ")")


def _html_text(formula: Math) -> str:
    """A line of text that is broken between terms only."""
    return INNER_SPACE.sub("\u00a0", text(formula))


def _with_powers(words: str, word: Callable[[str], str], power: Callable[[Math], str]) -> str:
    parts = enumerate(E_NUMBER.split(words))  # words, number, words, ...
    return "".join(power(Number(part)) if k % 2 else word(part) for k, part in parts)


PRINTERS: Mapping[str, Printer] = {
    "text": Printer(text, text, _same),
    "markdown": Printer(latex, markdown_math, escaped, fenced),
    "latex": Printer(
        latex, _latex_inline, latex_prose, latex_listing,
        small=_breakable,
        measured=lambda words: _with_powers(words, latex_prose, _latex_inline),
    ),
    "html": Printer(
        lambda f: Finished(mathml(f, is_display=True)),
        lambda f: Finished(mathml(f)),
        _same,
        small=_html_text,
        measured=lambda words: Finished(_with_powers(words, escape, mathml)),
    ),
}  # fmt: skip


def printed(record: DerivationRecord, form: str) -> dict[str, Any]:
    """The fields of `record` as a template for `form` lays them out."""
    walk = _Walk(PRINTERS[form], record.definition)
    return {f.name: walk(getattr(record, f.name), f.name) for f in fields(record)}


class _Walk:
    """Every formula and word of a record through a printer."""

    def __init__(self, printer: Printer, definition: Sequence[Excerpt]) -> None:
        self.printer = printer
        self.places = {
            f"{excerpt.file}:{number}": f"line-{k}-{number}"
            for k, excerpt in enumerate(definition)
            for number, _ in excerpt.lines
            if number
        }
        self.files = [excerpt.file for excerpt in definition]

    def __call__(self, part: Any, field: str) -> Any:
        printer = self.printer
        if isinstance(part, Math):
            if field in SMALL and printer.small is not None:
                return printer.small(part)
            return (printer.displayed if field in DISPLAYED else printer.inline)(part)
        if isinstance(part, str):
            if field == "svg":
                return Finished(part)
            if field in MEASURED and printer.measured is not None:
                return printer.measured(part)
            return part if field in LITERAL | CODE else printer.word(part)
        if isinstance(part, tuple):
            return tuple(self(each, field) for each in part)
        if isinstance(part, Excerpt):
            anchor = f"line-{self.files.index(part.file)}"
            listing = printer.listing([f"{n or '...':>4}  {line}" for n, line in part.lines])
            return SimpleNamespace(
                file=printer.word(part.file), lines=part.lines, anchor=anchor, listing=listing
            )
        if not is_dataclass(part) or isinstance(part, type):
            return part
        shown = {f.name: self(getattr(part, f.name), f.name) for f in fields(part)}
        if isinstance(part, Equation):
            shown |= _sources(part, printer)
        if isinstance(part, CodeBlock):
            shown["listing"] = printer.listing(part.lines)
        if "where" in shown:
            shown["place"] = self._place(str(getattr(part, "where", "")))
        return SimpleNamespace(**shown)

    def _place(self, where: str) -> Any:
        """The user's line in few words, and the anchor of that line on the page."""
        if not where:
            return None
        file, _, line = where.rpartition(":")
        short = f"line {line}" if self.files == [file] else f"{file.rpartition('/')[2]}:{line}"
        word, anchor = self.printer.word, self.places.get(where, "")
        return SimpleNamespace(short=word(short), full=word(where), anchor=anchor)


def _sources(equation: Equation, printer: Printer) -> dict[str, Any]:
    """The LaTeX of an equation, for copying; and the form to show where there is place for one."""
    either = equation.either
    return {
        "alone": "" if equation.name is None else printer.displayed(equation.name),
        "either": None if either is None else printer.displayed(either),
        "matrix_source": "" if equation.matrix is None else latex(equation.matrix),
        "index_source": "" if equation.index is None else latex(equation.index),
    }
