"""The printers: what LaTeX takes, what a browser takes, and the user's text as text."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from catalogue import CASES
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symgrad.expr.leaf import Named
from symgrad.expr.walk import postorder
from symgrad.report.notation import (
    CONVENTIONS,
    Math,
    Partial,
    Words,
    equations_of,
    latex,
    mathml,
    symbol,
    text,
)  # fmt: skip
from symgrad.report.notation import formula as m

ELEMENTS = {
    "math", "semantics", "annotation", "mrow", "mi", "mn", "mo", "mtext", "msub", "msup", "munder",
    "mfrac", "msqrt", "mroot", "mover", "mtable", "mtr", "mtd",
}  # fmt: skip
CHILDREN = {"msub": 2, "msup": 2, "munder": 2, "mfrac": 2, "mroot": 2, "mover": 2}
NASTY = [
    "</annotation>", "<script>alert(1)</script>", "a&b", '"x"', "'", "\\input{x}", "$x$", "%", "}",
    "{", "a_b^c", "\\", "]]>", "é", "#1", "~", "W_<b>", "layers.0.$w", "\x00", "a\nb", "α", "日本",
]  # fmt: skip


def _catalogue() -> Iterator[Math]:
    for case in CASES:
        root = case.build(*case.leaves())
        names = {x: symbol(x.name) for x in postorder([root]) if isinstance(x, Named)}
        found = equations_of(root, {**names, root: Partial(symbol("W_hh"))}.get)
        yield from (found.indices, *found.range_relations())
        if found.matrix is not None:
            yield found.matrix


def _of_every_class() -> list[Math]:
    x, one = m.Symbol("x", ("hh", "1")), m.Number("1e-05")
    return [
        m.Power(m.Indexed(x, (one,)), m.Power(one, x)), m.Power(m.Entries(x, (x, x)), one),
        m.Transposed(m.Indexed(x, (one,))), m.SecondPartial(x, m.Symbol("omega"), 1),
        m.Along(m.Partial(x)), m.Cases(((x, m.Relation("<", x, one)), (one, None))),
        m.Chained(("<=", "<"), (one, x, one)), m.Listed((x, one)), m.Words("so"), m.Root(x, 3),
        m.Inverted(m.Sum((x, one)), True), m.Between("norm", (x,)), m.Between("inner", (x, one)),
        m.Big("argmax", (x,), one), m.Big("max", (x,), one, (m.Relation("!=", x, one),)),
        m.OneHot(x, one), m.Ones(one), m.Unit(one), m.Repeated(x, "row"), m.Negative(m.Fraction(x, x)),
        m.Apply("log2", (x,)), m.Apply("singular values", (x,)), m.Symbol("", ()), symbol(""),
        m.Symbol("∞", (), True), m.Apply("σ", (x,)), m.Transposed(m.Blocks(((x, m.Zeros(one, one)),))),
        m.Indexed(x, (m.Span(), m.Span(one, m.Sum((x, one))), m.Span(None, None, m.Negative(one)))),
        m.Blocks(((x,) * 12,)), m.Blocks(((x,), (m.Sum((x, m.Power(x, one))),))),
    ]  # fmt: skip


def _classes(base: type[Math] = Math) -> set[type[Math]]:
    return {c for child in base.__subclasses__() for c in {child, *_classes(child)}}


FORMULAS = [*_catalogue(), *_of_every_class(), *(sign for sign, _ in CONVENTIONS)]


def test_every_class_is_printed() -> None:
    seen = {type(part) for formula in FORMULAS for part in m.parts_of(formula)}
    assert seen == _classes()


def test_latex_is_balanced() -> None:
    for formula in FORMULAS:
        _check_balance(latex(formula))


def _check_balance(source: str) -> None:
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", source):
        depth += 1 if brace == "{" else -1
        assert depth >= 0, source
    assert depth == 0, source
    assert len(re.findall(r"\\left\b", source)) == len(re.findall(r"\\right\b", source)), source
    assert source.count(r"\begin{cases}") == source.count(r"\end{cases}")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX here")
def test_latex_compiles(tmp_path: Path) -> None:
    named = [symbol(name) for name in NASTY[:16]] + [Words(name) for name in NASTY[:16]]
    lines = "\n".join(rf"\[ {latex(formula)} \]" for formula in [*FORMULAS, *named])
    source = rf"""\documentclass{{article}}\usepackage[T1]{{fontenc}}\usepackage{{amsmath}}
\begin{{document}}
{lines}
\end{{document}}
"""
    (tmp_path / "all.tex").write_text(source, encoding="utf-8")
    run = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-1500:]


def test_mathml_is_what_browsers_draw() -> None:
    for formula in FORMULAS:
        _check_mathml(formula)


def _check_mathml(formula: Math) -> None:
    root = ElementTree.fromstring(mathml(formula))
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        assert tag in ELEMENTS, tag
        assert len(element) == CHILDREN.get(tag, len(element)), (tag, mathml(formula))
    (semantics,) = root
    shown, annotation = semantics
    assert annotation.text == root.get("alttext")
    assert annotation.get("encoding") == "application/x-tex"
    assert "".join(shown.itertext()) or not text(formula)


TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(NASTY)


@given(name=TEXT)
@example("</annotation>")
@example("\\")
@example("…")
@example("∞")
@settings(max_examples=200, deadline=None)
def test_a_name_is_text(name: str) -> None:
    """In all printers, as a name, below a name and as words."""
    for formula in (symbol(name), Words(name), m.Symbol("x", (name,)), m.Apply(name, (m.ONE,)),
                    m.Symbol(name, (), True), m.Symbol(name)):  # fmt: skip
        source = latex(formula)
        _check_balance(source)
        commands = set(re.findall(r"\\[A-Za-z]+", source))
        assert commands <= KNOWN, commands
        assert not re.search(r"(?<!\\)[$%&#~]", source), source
        assert "\n" not in source
        _check_mathml(formula)
        assert "\n" not in text(formula)


GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau"
KNOWN = {
    "\\" + word
    for word in f"""
    mathrm text textbackslash textasciitilde textasciicircum textless textgreater textbar
    textquotedbl textquotesingle left right operatorname sin cos tan sinh cosh tanh exp log max min
    det arcsin arccos arctan upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma
    dots infty Upsilon Phi Psi Omega {GREEK}
    """.split()
}
