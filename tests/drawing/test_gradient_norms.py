"""The plot of gradient norms: well-formed, escaped, in the page's colours, with words."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree

import pytest

from symgrad import nn
from symgrad.drawing.gradient_norms import INK, gradient_norms
from symgrad.errors import UnsupportedError
from symgrad.health import Health, health
from symgrad.measuring import measure
from symgrad.model.model_file import load_model
from tests.health.nets import deep

F = nn.functional
SVG = "{http://www.w3.org/2000/svg}"


def test_predicted_and_measured() -> None:
    model = deep(F.sigmoid, 6, 64)
    found = health(model)
    text = gradient_norms(found, measure(model, {"n": 8}, range(2), found))
    root = ElementTree.fromstring(text)
    assert "Vanishing" in root.attrib["aria-label"] and root.attrib["role"] == "img"
    words = " ".join(t.text or "" for t in root.iter(f"{SVG}text"))
    assert "predicted" in words and "measured, 2 draws" in words and "vanishing" in words
    assert "l3" in words  # the layers' names are text
    assert "currentColor" in text and INK not in text
    assert "background" not in text and "<metadata" not in text


def test_ids_are_the_plots_own_and_all_references_lead_somewhere() -> None:
    texts = [gradient_norms(health(deep(F.tanh, depth, 8))) for depth in (3, 20)]
    for text in texts:
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids)) and all(name.startswith("health-deep-") for name in ids)
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)) <= {
            pair for name in ids for pair in ((name, ""), ("", name))
        }


def test_what_is_unknown_leaves_a_gap() -> None:
    text = gradient_norms(health(load_model("examples/digits_cnn.py")))
    assert "nan" not in text.lower().replace("nanum", "")


def test_names_with_markup_are_text() -> None:
    found = health(deep(F.tanh, 2, 8))
    nasty = Health("<b>&$x_1$", found.layers, found.verdict, None, None, None, ())
    root = ElementTree.fromstring(gradient_norms(nasty))
    assert "<b>&$x_1$" in root.attrib["aria-label"]


def test_it_is_the_same_every_time() -> None:
    found = health(deep(F.tanh, 3, 8))
    assert gradient_norms(found) == gradient_norms(found)


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UnsupportedError, match="matplotlib, which is not installed"):
        gradient_norms(health(deep(F.tanh, 2, 8)))
