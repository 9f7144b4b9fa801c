"""What notebooks show of expressions and models, and a notebook that runs."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from xml.etree import ElementTree

import html5lib
import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import symgrad as sg
from symgrad.expr.node import Node
from symgrad.model.model_file import load_model
from symgrad.notebooks import OF_EXPRESSION, OF_MODEL
from tests.catalogue import CASES, Case

MATHML = "{http://www.w3.org/1998/Math/MathML}"
MARKUP = "<script>alert(1)</script>$x$\\end{aligned}&\"'_^%#{}~`"


def parsed(html: str) -> ElementTree.Element:
    """A fragment as HTML5 reads it; fails on the first error."""
    return html5lib.HTMLParser(strict=True).parse(f"<!doctype html><title>.</title>{html}")


def formulas(html: str) -> list[str]:
    """The LaTeX of every formula of a fragment."""
    elements = parsed(html).iter(f"{MATHML}annotation")
    return ["".join(e.itertext()) for e in elements]


def lines(latex: str) -> list[str]:
    start, *found, end = latex.split("\n")
    assert (start, end) == ("$\\displaystyle \\begin{aligned}", "\\end{aligned}$")
    return found


def layer() -> tuple[Node, Node]:
    n = sg.dim("n")
    x, W = sg.input("x", (n, 3)), sg.parameter("W", (3, 2))
    b = sg.parameter("b_1", (2,))
    z = (x @ W + b).named("z")
    return z, sg.tanh(z).named("h")


def test_an_expression_with_what_it_comes_from() -> None:
    _, h = layer()
    assert lines(h._repr_latex_()) == [
        r"z & = x \, W + b_{1} && \text{[n, 2], b}\_\text{1 stands in every row} \\",
        r"h & = \tanh\left(z\right) && \text{[n, 2]}",
    ]
    assert formulas(h._repr_html_()) == ["z", r"\mathrm{} = x \, W + b_{1}", "h",
                                         r"\mathrm{} = \tanh\left(z\right)"]  # fmt: skip
    assert "b_1 stands in every row" in h._repr_html_()


def test_what_has_no_name_stands_alone() -> None:
    z, _ = layer()
    assert lines((z * 2)._repr_latex_())[-1] == r"& 2 \, z && \text{[n, 2]}"
    assert lines(sg.input("x", (3,))._repr_latex_()) == [r"& x && \text{[3]}"]


def test_printing_stays() -> None:
    _, h = layer()
    assert str(h) == repr(h) == "<h float [n, 2]>"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_kind_of_expression(case: Case) -> None:
    node = case.build(*case.leaves())
    assert formulas(node._repr_html_()) and lines(node._repr_latex_())


def test_of_a_long_expression_the_end_is_shown() -> None:
    x = sg.input("x", (3,))
    for k in range(30):
        x = sg.tanh(x + k).named(f"h{k}")
    shown = lines(x._repr_latex_())
    assert len(shown) == OF_EXPRESSION + 1
    assert r"\vdots" in shown[0] and shown[-1].startswith("h_{29} &")
    assert f"{30 - OF_EXPRESSION} equations before" in x._repr_html_()
    model = sg.Model("deep", outputs={"y": x})
    root = parsed(model._repr_html_())
    (folded,) = root.iter("{http://www.w3.org/1999/xhtml}details")
    assert len(list(folded.iter(f"{MATHML}math"))) == 2 * (30 - OF_MODEL)


@pytest.mark.parametrize("name", ["digits_mlp", "char_lstm", "tiny_transformer"])
def test_models(name: str) -> None:
    model = load_model(f"examples/{name}.py")
    html = model._repr_html_()
    assert formulas(html) and f"<strong>{name}</strong>" in html
    assert lines(model._repr_latex_())[-1].startswith("L &")


def test_a_loop_is_shown_step_by_step() -> None:
    x, W = sg.input("x", (5, 3)), sg.parameter("W", (3, 3))
    last, _ = sg.scan(lambda h, u: (sg.tanh(h @ W + u), None), sg.input("h0", (3,)), x)
    model = sg.Model("recurrent", outputs={"last": last})
    text = model._repr_latex_()
    assert r"\text{for }t\text{ = 0, ..., }" in text and r"h_{t}" in text and r"h_{t - 1}" in text
    assert "for " in "".join(parsed(model._repr_html_()).itertext())


def test_the_users_text_is_text() -> None:
    h = sg.tanh(sg.input("x", (3,))).named(MARKUP)
    root = parsed(h._repr_html_())
    assert not [e for e in root.iter() if e.tag.endswith(("script", "}b"))]
    assert MARKUP.split("$")[0] in "".join(root.itertext())
    latex = h._repr_latex_()
    assert latex.count("$") == 2 + latex.count(r"\$")
    assert latex.count(r"\end{aligned}") == 1


CELLS = (
    "import symgrad as sg\nfrom symgrad import nn",
    "n = sg.dim('n')\nx, y = sg.input('x', (n, 4)), sg.input('y', (n,), dtype='int')\n"
    "net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))\n"
    "scores = net(x)\nscores",
    "model = sg.Model('net', loss=nn.functional.cross_entropy(scores, y))\nmodel",
    "sg.derive(model, at='random')",
    "try:\n    x @ x\nexcept sg.SymgradError as error:\n    print(error)",
)


@pytest.fixture(scope="module")
def outputs() -> list[Any]:
    """What the cells of a notebook give."""
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    nbformat.validate(notebook)
    return [cell.outputs[0] if cell.outputs else None for cell in notebook.cells]


def test_a_notebook_shows_equations(outputs: list[Any]) -> None:
    expression, model = outputs[1].data, outputs[2].data
    assert lines(expression["text/latex"])[-1].startswith(r"\mathrm{scores} & = ")
    assert r"\mathrm{scores}" in formulas(expression["text/html"])
    assert lines(model["text/latex"])[-1].startswith("L & = ")
    assert expression["text/plain"] == "<linear_2 float [n, 3]>"


def test_a_notebook_shows_the_page_in_a_frame(outputs: list[Any]) -> None:
    data = outputs[3].data
    root = parsed(data["text/html"])
    (frame,) = root.iter("{http://www.w3.org/1999/xhtml}iframe")
    page = frame.get("srcdoc", "")
    assert page.startswith("<!doctype html>") and "<script" not in page
    text = re.sub(r"\s+", " ", "".join(parsed_page(page).itertext()))
    assert "In[2]" in text and "net = nn.Sequential(nn.Linear(4, 8)" in text
    assert "$$" in data["text/markdown"] and lines(data["text/latex"])


def parsed_page(page: str) -> ElementTree.Element:
    return html5lib.HTMLParser(strict=True).parse(page)


def test_errors_name_the_cell(outputs: list[Any]) -> None:
    assert "In[5]:2" in unescape(outputs[4].text)
