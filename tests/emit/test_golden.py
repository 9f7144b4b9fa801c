"""Whole modules, as they were when a person last read them.

After a change that is meant: `pytest tests/emit/test_golden.py --update-golden`, and read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from emitted_models import MODELS

import symgrad as sg

GOLDEN = Path(__file__).with_name("golden")
CASES = {
    "classifier": ("forward", "loss", "value_and_grad"),
    "ridge": ("value_and_grad", "hvp", "hessian"),
    "two_outputs": ("forward", "jvp", "vjp"),
}


def body_of(source: str) -> str:
    """The part of a module that is its own: up to the helpers, which all modules share."""
    return source[: source.index("\n\n\ndef _")] + "\n"


@pytest.mark.parametrize("name", CASES)
def test_the_module_is_the_one_that_was_read(name: str, request: pytest.FixtureRequest) -> None:
    text = body_of(sg.compile(MODELS[name](), CASES[name]).source)
    path = GOLDEN / f"{name}.py.txt"
    if request.config.getoption("--update-golden"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_there_are_no_other_files(request: pytest.FixtureRequest) -> None:
    expected = {f"{name}.py.txt" for name in CASES}
    if request.config.getoption("--update-golden"):
        for path in GOLDEN.glob("*.py.txt"):
            if path.name not in expected:
                path.unlink()
    assert {path.name for path in GOLDEN.iterdir()} == expected
