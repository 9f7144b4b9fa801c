"""Puts this folder on the path, so that every test can use the catalogue and the interpreter.

Exhaustive tests are marked slow. They run with `-m slow`; `--slow-part KEY` runs an eighth of
them, another eighth for another key. Without `-m` they are left out, and Hypothesis draws the same
examples in every run.
"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import settings

PARTS = 8


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow-part", metavar="KEY", help="of the slow tests, those that KEY picks")
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("-m"):
        settings.register_profile("repeatable", derandomize=True)
        settings.load_profile("repeatable")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    key = config.getoption("--slow-part")
    skipped = []
    for item in items:
        slow = item.get_closest_marker("slow") is not None
        unasked = not config.getoption("-m") and "::" not in " ".join(config.args)
        if slow and (unasked or (key and _part(f"{item.nodeid} {key}"))):
            skipped.append(item)
    if skipped:
        config.hook.pytest_deselected(items=skipped)
        left_out = set(skipped)
        items[:] = [item for item in items if item not in left_out]


def _part(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0] % PARTS
