"""A derivation record as text: plain, or Markdown. The templates only lay it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from symgrad.emit.module import environment
from symgrad.report.derivation_record import DerivationRecord, Row
from symgrad.report.markdown import code, escaped

TEMPLATES = {"text": "derivation.txt.j2", "markdown": "derivation.md.j2"}
FORMATS = tuple(TEMPLATES)
PROSE = frozenset(
    {"title", "function", "label", "number", "where", "independent", "zeros", "shape"}
)


def render_derivation(record: DerivationRecord, form: str = "text") -> str:
    """The record in one of FORMATS."""
    view = _marked(record) if form == "markdown" else _aligned(record)
    shown = {field.name: getattr(view, field.name) for field in fields(view)}
    return environment().get_template(TEMPLATES[form]).render(shown)


def _aligned(record: DerivationRecord) -> DerivationRecord:
    """Labels that stand below each other get the same width."""
    return replace(
        record,
        steps=tuple(replace(step, rows=_padded(step.rows)) for step in record.steps),
        costs=_padded(record.costs),
    )


def _padded(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    width = max((len(row.label) for row in rows), default=0)
    return tuple(replace(row, label=row.label.ljust(width)) for row in rows)


def _marked(record: DerivationRecord) -> DerivationRecord:
    """Formulas as code, prose escaped: nothing in a name can become markup."""

    def shaped(field: str, text: str) -> str:
        if not text:
            return text
        return escaped(text) if field in PROSE else code(text)

    result: DerivationRecord = _walked(record, shaped)
    return result


def _walked(part: Any, shape: Callable[[str, str], str], field: str = "") -> Any:
    """A copy of a record with every string passed through `shape(its field, it)`."""
    if isinstance(part, str):
        return shape(field, part)
    if isinstance(part, tuple):
        return tuple(_walked(each, shape, field) for each in part)
    assert is_dataclass(part) and not isinstance(part, type)
    return replace(
        part, **{f.name: _walked(getattr(part, f.name), shape, f.name) for f in fields(part)}
    )
