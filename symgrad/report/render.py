"""A derivation record through a template: text, Markdown, LaTeX or one HTML file."""

from __future__ import annotations

import re

import jinja2

from symgrad.emit.module import environment
from symgrad.report.conventions import on_a_page
from symgrad.report.printing import printed
from symgrad.report.record.derivation import DerivationRecord

TEMPLATES = {
    "text": "derivation.txt.j2",
    "markdown": "derivation.md.j2",
    "latex": "derivation.tex.j2",
    "html": "derivation.html.j2",
}
FORMATS = tuple(TEMPLATES)
BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")


def render_derivation(record: DerivationRecord, form: str = "text") -> str:
    """The record in one of FORMATS."""
    page = _environment(form).get_template(TEMPLATES[form]).render(printed(on_a_page(record), form))
    return BLANK_LINES.sub("\n\n", page).strip("\n") + "\n"


def _environment(form: str) -> jinja2.Environment:
    """Jinja for one format: HTML is escaped, and LaTeX keeps its own brackets."""
    base = environment()
    if form == "html":
        return base.overlay(autoescape=True)
    if form == "latex":
        return base.overlay(
            block_start_string="<%", block_end_string="%>",
            variable_start_string="<<", variable_end_string=">>",
            comment_start_string="<#", comment_end_string="#>",
        )  # fmt: skip
    return base
