"""A derivation record as text: plain, or Markdown. The templates only lay it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from symgrad.emit.module import environment
from symgrad.report.derivation_record import DerivationRecord, Row
from symgrad.report.markdown import code, escaped

LABEL_WIDTH = 10
FORMATS = ("text", "markdown")


def render_derivation(record: DerivationRecord, form: str = "text") -> str:
    """The record in one of FORMATS."""
    view = _markdown_view(record) if form == "markdown" else _text_view(record)
    template = {"text": "derivation.txt.j2", "markdown": "derivation.md.j2"}[form]
    shown = {field.name: getattr(view, field.name) for field in fields(view)}
    return environment().get_template(template).render(shown)


def _text_view(record: DerivationRecord) -> DerivationRecord:
    """Labels and numbers padded, so that what follows them is aligned."""
    shaped: DerivationRecord = _walk(record, lambda owner, field, text: _padded(owner, field, text))
    return shaped


def _padded(owner: Any, field: str, text: str) -> str:
    if isinstance(owner, Row) and field == "label":
        return text.ljust(LABEL_WIDTH)
    return text


PROSE = frozenset({"title", "function", "label", "number", "where"})


def _markdown_view(record: DerivationRecord) -> DerivationRecord:
    """Formulas as code, prose escaped: nothing in a name can become markup."""

    def shaped(owner: Any, field: str, text: str) -> str:
        if not text:
            return text
        is_prose = field in PROSE or owner is record
        return escaped(text) if is_prose else code(text)

    result: DerivationRecord = _walk(record, shaped)
    return result


def _walk(part: Any, shape: Callable[[Any, str, str], str], owner: Any = None, name: str = "") -> Any:
    """A copy of a record with every string passed through `shape(record, field, string)`."""
    if isinstance(part, str):
        return shape(owner, name, part)
    if isinstance(part, tuple):
        return tuple(_walk(each, shape, owner, name) for each in part)
    assert is_dataclass(part) and not isinstance(part, type)
    return type(part)(
        **{f.name: _walk(getattr(part, f.name), shape, part, f.name) for f in fields(part)}
    )
