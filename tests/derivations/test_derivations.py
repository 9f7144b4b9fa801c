"""`sg.derive`: formats, files, values, checks, the graph and gradient health of a derivation."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import html5lib
import numpy as np
import pytest
from click.testing import CliRunner

import symgrad as sg
from symgrad import derivation_pages
from symgrad.cli import main
from symgrad.derivations import SUFFIXES
from symgrad.errors import CheckError, DefinitionError, OutputError, UnsupportedError
from symgrad.model.model_file import load_model

SVG = "{http://www.w3.org/2000/svg}"
VALUES = {
    "inputs": np.array([0.05, 0.1]),
    "targets": np.array([0.01, 0.99]),
    "W1": np.array([[0.15, 0.2], [0.25, 0.3]]),
    "W2": np.array([[0.4, 0.45], [0.5, 0.55]]),
}


def textbook() -> sg.Model:
    return load_model("examples/textbook_2_2_2.py")


def deep(depth: int = 3) -> sg.Model:
    n = sg.dim("n")
    h = x = sg.input("x", (n, 8))
    for k in range(depth):
        h = sg.nn.functional.relu(h @ sg.parameter(f"W{k}", (8, 8), init=sg.he_normal()))
    return sg.Model("deep", loss=sg.mean((h - x) ** 2))


def headings(page: str) -> list[str]:
    root = html5lib.HTMLParser(strict=True).parse(page)
    return [(e.text or "") for e in root.iter("{http://www.w3.org/1999/xhtml}h2")]


def test_formats_are_those_of_the_command(tmp_path: Path) -> None:
    derivation = sg.derive(textbook(), at="random", seed=3)
    writers = {".html": derivation.html, ".md": derivation.markdown, ".tex": derivation.latex,
               ".txt": derivation.text}  # fmt: skip
    options = ["examples/textbook_2_2_2.py", "--at", "random", "--seed", "3"]
    for suffix, write in writers.items():
        path = derivation.save(tmp_path / f"page{suffix}")
        assert path.read_text(encoding="utf-8") == write()
        result = CliRunner().invoke(main, ["derive", *options, "-o", str(path)])
        assert result.exit_code == 0 and path.read_text(encoding="utf-8") == write()
    assert str(derivation) == derivation.text()


def test_a_folder_and_an_ending_that_cannot_be(tmp_path: Path) -> None:
    derivation = sg.derive(textbook(), level="summary", verify=False)
    with pytest.raises(OutputError, match="does not say what to write") as error:
        derivation.save(tmp_path / "page.pdf")
    assert all(suffix in str(error.value) for suffix in SUFFIXES)
    with pytest.raises(OutputError, match="No such file or directory"):
        derivation.save(tmp_path / "none" / "page.html")


def test_arrays_beside_the_equations() -> None:
    text = sg.derive(textbook(), at=VALUES).text()
    for numbers in ("[0.3775 0.3925]", "[0.59326999 0.59688438]", "[0.75136507 0.77292847]",
                    "0.29837111"):  # fmt: skip
        assert f"= {numbers}" in text


def test_the_same_from_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "values.npz", **VALUES)
    from_file = sg.derive(textbook(), at=tmp_path / "values.npz")
    assert from_file.text() == sg.derive(textbook(), at=VALUES).text()
    assert sg.derive(textbook(), at="random").text() != from_file.text()


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(CheckError, match="`at` does not give the values"):
        sg.derive(textbook(), at={"W1": np.zeros(3)})
    with pytest.raises(DefinitionError, match="there is no level 'all'"):
        sg.derive(textbook(), level="all")
    with pytest.raises(DefinitionError, match="there is no function 'gradient'"):
        sg.derive(textbook(), "gradient")


def test_every_step_is_verified_unless_it_is_not_wanted() -> None:
    derivation = sg.derive(deep())
    steps = [step for chapter in derivation.record.chapters for step in chapter.items]
    assert steps and all(step.verified is not None and step.verified.holds for step in steps)
    assert derivation.failures == () and "all hold" in repr(derivation)
    assert "verified" not in sg.derive(deep(), verify=False).text()


def test_functions_and_levels() -> None:
    model = deep(2)
    texts = {sg.derive(model, level=level).text() for level in ("summary", "steps", "every")}
    assert len(texts) == 3
    assert sg.derive(model, "hvp").record.function == "hvp"


def test_the_graph_is_drawn_or_its_absence_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = sg.derive(deep()).record.graph
    assert drawn is not None and ElementTree.fromstring(drawn.svg).tag == f"{SVG}svg"

    def missing(*_: Any, **__: Any) -> str:
        raise UnsupportedError("drawing needs igraph, which is not installed",
                               fix='pip install "symgrad[report]"')  # fmt: skip

    monkeypatch.setattr(derivation_pages, "computation_graph", missing)
    page = sg.derive(deep()).html()
    assert "drawing needs igraph, which is not installed: pip install &#34;symgrad[report]" in page


def test_gradient_health_where_layers_can_be_compared() -> None:
    derivation = sg.derive(deep())
    section = derivation.record.health
    assert section is not None and [row.layer for row in section.rows] == ["W0", "W1", "W2"]
    assert section.measured == "" and section.plot is not None
    assert ElementTree.fromstring(section.plot.svg).tag == f"{SVG}svg"
    assert "Gradient health" in headings(derivation.html())
    for text in (derivation.text(), derivation.markdown(), derivation.latex()):
        assert "Gradient health" in text and section.summary.split(":")[0] in text
    assert "E[f'(z)^2] = 1/2" in derivation.text()


def test_gradient_health_measured() -> None:
    derivation = sg.derive(deep(), measure=True)
    section = derivation.record.health
    assert section is not None and section.measured.startswith("measured: the mean of 5 draws")
    assert all(float(row.measured) > 0 for row in section.rows)
    assert derivation.html() == sg.derive(deep(), measure=True).html()


def test_no_health_without_layers_or_a_loss_to_lower() -> None:
    one = sg.Model("one", loss=sg.sum(sg.input("x", (3,)) @ sg.parameter("w", (3,))))
    assert sg.derive(one).record.health is None
    assert sg.derive(deep(), "loss").record.health is None


def test_what_is_too_large_is_not_computed() -> None:
    x, W = sg.input("x", (sg.dim("n"), 64)), sg.parameter("W", (64, 128))
    derivation = sg.derive(sg.Model("wide", loss=sg.mean(sg.tanh(x @ W))), "hessian")
    assert "no step was computed: a tensor of shape [64, 128, 64, 128] has" in repr(derivation)
