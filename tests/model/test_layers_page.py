"""The table of `torch.nn`'s names is complete, true and current.

After a change: `pytest tests/model/test_layers_page.py --update-golden`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from layers_page import STRUCTURE, classes_of, functions_of, page, supported_classes, version
from registry import entries, runs

from symgrad import nn
from symgrad.torch_import import reasons

torch = pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "layers.md"


def skip_for_another_pytorch() -> None:
    """Other versions have other names; that all of theirs are explained is tested with any."""
    if f"PyTorch {version(torch)}." not in PAGE.read_text():
        pytest.skip("docs/layers.md is about another version of PyTorch")


def test_every_class_is_there_or_has_a_reason() -> None:
    ours, theirs = supported_classes(), set(classes_of(torch))
    assert sorted(theirs - ours - set(reasons.CLASSES)) == [], "neither supported nor explained"
    assert sorted(ours & set(reasons.CLASSES)) == [], "supported, and yet explained away"
    skip_for_another_pytorch()
    assert sorted(set(reasons.CLASSES) - theirs) == [], "no name of torch.nn"
    assert sorted(ours - theirs) == [], "a name that torch.nn does not have"


def test_every_function_is_there_or_has_a_reason() -> None:
    ours, theirs = set(nn.functional.__all__), set(functions_of(torch))
    assert sorted(theirs - ours - set(reasons.FUNCTIONS)) == [], "neither supported nor explained"
    assert sorted(ours & set(reasons.FUNCTIONS)) == [], "supported, and yet explained away"
    skip_for_another_pytorch()
    assert sorted(set(reasons.FUNCTIONS) - theirs) == [], "no name of torch.nn.functional"


@pytest.mark.parametrize("name", sorted(supported_classes()))
def test_what_is_supported_has_cases(name: str) -> None:
    if name in STRUCTURE:
        used = re.compile(rf"\b(nn|m|module)\.{name}\b")
        tests = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
        assert name not in entries() and any(used.search(text) for text in tests)
    else:
        assert sum(1 for entry in entries().get(name, ()) for _ in runs(entry)) >= 1


def test_the_page_is_current(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page(torch))
    skip_for_another_pytorch()
    assert "not said" not in PAGE.read_text()
    assert PAGE.read_text() == page(torch), "write it again with --update-golden, read the diff"
