"""The pages: well formed, escaped, every link leads somewhere, and all formats hold all of it."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import html5lib
import pytest

import symgrad as sg
from symgrad.emit.module import templates_folder
from symgrad.report.excerpts import of_formula
from symgrad.report.notation import Math, Symbol
from symgrad.report.notation import formula as m
from symgrad.report.printing import PRINTERS
from symgrad.report.record.definition import Drawing
from symgrad.report.record.derivation import DerivationRecord
from symgrad.report.render import FORMATS, TEMPLATES, render_derivation
from tests.report.test_derivation import (
    derivation_of,
    recurrent_model,
    small_model,
    softmax_regression,
)

HTML = "{http://www.w3.org/1999/xhtml}"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
MARKUP = "</code><script>alert(1)</script>`$x$`\\end{a}&"
LATEX_MARK = r"\textless{}script"


def parsed(page: str) -> ElementTree.Element:
    """The page as HTML5 reads it; fails on the first error."""
    return html5lib.HTMLParser(strict=True).parse(page)


@pytest.fixture(scope="module", params=["small", "softmax", "recurrent"])
def record(request: pytest.FixtureRequest) -> DerivationRecord:
    models = {"small": small_model, "softmax": softmax_regression, "recurrent": recurrent_model}
    return derivation_of(models[request.param](), at="random", is_checked=True)


def test_html_is_well_formed_and_says_its_language(record: DerivationRecord) -> None:
    root = parsed(render_derivation(record, "html"))
    assert root.get("lang") == "en"
    headings = [int(e.tag[-1]) for e in root.iter() if re.fullmatch(rf"{HTML}h[1-6]", e.tag)]
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert not list(root.iter(f"{HTML}script"))


def test_every_link_leads_somewhere(record: DerivationRecord) -> None:
    root = parsed(render_derivation(record, "html"))
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    links = [e.get("href", "") for e in root.iter(f"{HTML}a")]
    assert links and {link for link in links if not link.startswith("#")} == set()
    assert {link[1:] for link in links} <= set(ids)
    assert {f"#code-{b.number}" for g in record.code for b in g.items if b.target} <= set(links)
    labels = {e.get("for") for e in root.iter(f"{HTML}label")}
    assert labels == {e.get("id") for e in root.iter(f"{HTML}input")}


def test_formulas_are_mathml_with_their_latex(record: DerivationRecord) -> None:
    root = parsed(render_derivation(record, "html"))
    formulas = list(root.iter(f"{MATHML}math"))
    assert len(formulas) > 30
    for formula in formulas:
        (source,) = formula.iter(f"{MATHML}annotation")
        assert source.get("encoding") == "application/x-tex" and source.text
        assert formula.get("alttext")
    copies = [e for e in root.iter(f"{HTML}details") if e.get("class") == "tex"]
    assert copies


def test_html_reads_nothing_from_elsewhere(record: DerivationRecord) -> None:
    page = render_derivation(record, "html")
    assert "src=" not in page and "<link" not in page and "@import" not in page
    assert "url(" not in page


LINKS = {"anchor", "target", "family", "key", "level", "svg"}


def hostile(part: Any, field: str = "") -> Any:
    """`part` with markup in the place of every word and every name."""
    if isinstance(part, Symbol):
        return Symbol(MARKUP, (MARKUP,))
    if isinstance(part, str):
        return part if field in LINKS else MARKUP
    if isinstance(part, tuple):
        return tuple(hostile(each, field) for each in part)
    if is_dataclass(part) and not isinstance(part, Math | type):
        return replace(part, **{f.name: hostile(getattr(part, f.name), f.name) for f in fields(part)})
    return part


def test_markup_shows_as_text_in_html(record: DerivationRecord) -> None:
    root = parsed(render_derivation(hostile(record), "html"))
    assert not list(root.iter(f"{HTML}script"))
    plain = render_derivation(record, "html")
    tags = {e.tag for e in parsed(plain).iter()}
    assert {e.tag for e in root.iter()} <= tags
    assert MARKUP in "".join(root.itertext())


def test_markup_shows_as_text_in_markdown(record: DerivationRecord) -> None:
    page = render_derivation(hostile(record), "markdown")
    outside = re.sub(r"(`{3,}).*?\1|\$(`+).*?\2\$", "", page, flags=re.DOTALL)
    assert "<script" not in outside.replace("\\<script", "")


def test_markup_shows_as_text_in_latex(record: DerivationRecord) -> None:
    document = render_derivation(hostile(record), "latex")
    assert "$x$" not in document and "<script>" not in document
    assert LATEX_MARK in document


def test_a_drawing_stands_in_the_page_with_its_words(record: DerivationRecord) -> None:
    drawn = replace(record, graph=Drawing("<svg><title>g</title></svg>", 'x goes "to" <h>'))
    root = parsed(render_derivation(drawn, "html"))
    (figure,) = [e for e in root.iter(f"{HTML}figure") if e.get("class") == "graph"]
    assert figure.get("aria-label") == 'x goes "to" <h>'
    assert len(list(figure.iter("{http://www.w3.org/2000/svg}svg"))) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_templates_use_every_field_and_no_other(form: str) -> None:
    source = (templates_folder() / TEMPLATES[form]).read_text()
    names = {field.name for field in fields(DerivationRecord)} - {"level", "health"}
    unused = {name for name in names if not re.search(rf"\b{name}\b", source)}
    # the HTML page's title is made of the model's and the function's names
    unshown = {"model"} if form != "html" else set()
    assert unused == unshown | ({"graph"} if form == "text" else set())


@pytest.mark.parametrize("form", FORMATS)
def test_pages_are_deterministic_and_end_in_one_line_feed(
    form: str, record: DerivationRecord
) -> None:
    page = render_derivation(record, form)
    assert page == render_derivation(record, form)
    assert page.endswith("\n") and not page.endswith("\n\n")
    prose = render_derivation(replace(record, code=()), form)
    assert "None" not in prose and "namespace(" not in prose


def test_latex_has_balanced_braces_and_environments(record: DerivationRecord) -> None:
    document = render_derivation(record, "latex")
    bare = re.sub(r"\\[{}]", "", document)
    assert bare.count("{") == bare.count("}")
    opened = re.findall(r"\\begin{(\w+)}", document)
    closed = re.findall(r"\\end{(\w+)}", document)
    assert sorted(opened) == sorted(closed) and "document" in opened


@pytest.mark.parametrize(
    ("form", "shown"),
    [("text", "below 1e-12"), ("markdown", "below 1e-12"), ("latex", "below $10^{-12}$"),
     ("html", "<msup><mn>10</mn><mn>−12</mn></msup>")],
)  # fmt: skip
def test_errors_are_powers_of_ten_where_a_format_has_them(
    form: str, shown: str, record: DerivationRecord
) -> None:
    measured = replace(record, verification="of 1e5_layers <b> 2.5e-9, below 1e-12")
    page = render_derivation(measured, form)
    assert shown in page
    assert ("1e-12" in page) == (form in ("text", "markdown"))
    if form == "html":
        whole = "".join(parsed(page).itertext())
        assert "of 1e5_layers <b> 2.5·10−9" in whole


def test_the_notation_is_one_group_of_named_choices(record: DerivationRecord) -> None:
    root = parsed(render_derivation(record, "html"))
    (group,) = root.iter(f"{HTML}fieldset")
    (legend,) = group.iter(f"{HTML}legend")
    assert legend.text == "Equations in"
    choices = [e for e in group.iter(f"{HTML}input") if e.get("type") == "radio"]
    assert len(choices) == 3 and len({e.get("name") for e in choices}) == 1


def test_terms_of_costs_are_broken_between_terms_only() -> None:
    n, d = m.Symbol("n"), m.Symbol("d")
    costs = m.Sum((m.Product((m.Number("8"), d, n)), m.Product((m.Number("2"), n))))
    assert PRINTERS["html"].small(costs) == "8\u00a0d\u00a0n + 2\u00a0n"
    bracketed = m.Apply("max", (m.Number("0"), m.Sum((n, d))))
    assert "left" not in PRINTERS["latex"].small(bracketed)
    assert PRINTERS["latex"].small(costs) == r"$8 \, d \, n + 2 \, n$"


GOLDEN = Path(__file__).parent / "golden" / "line.txt"


def test_the_text_is_the_one_that_was_read(request: pytest.FixtureRequest) -> None:
    """Of sum of squares, linear in w; a change of it is to be read before it is accepted."""
    n = sg.dim("n")
    X, y = sg.input("X", (n, 3)), sg.input("y", (n,))
    w = sg.parameter("w", (3,))
    r = (X @ w - y).named("r")
    model = sg.Model("line", loss=sg.sum(r**2) / (2 * n))
    definition = of_formula("r = X @ w - y\nloss = sum(r**2)/(2*n)")
    page = render_derivation(derivation_of(model, definition=definition), "text")
    page = re.sub(r"   # \S+:\d+", "", page)
    if request.config.getoption("--update-golden"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(page, encoding="utf-8")
    assert page == GOLDEN.read_text(encoding="utf-8")
