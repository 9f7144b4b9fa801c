"""A real browser for the pages: the system's Chromium, driven by Playwright; skipped without."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.gallery import GALLERY
from symgrad.derivation_pages import derivation_of
from symgrad.report.render import render_derivation
from tests.browser.deep_network import deep_network
from tests.browser.hostile_network import hostile_network

try:
    from playwright import sync_api
except ImportError:  # an extra of the tests
    sync_api = None
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
PAGES = sorted(GALLERY.glob("*.html"))


@pytest.fixture(scope="session")
def browser() -> Iterator[sync_api.Browser]:
    if sync_api is None or CHROMIUM is None:
        pytest.skip("there is no Chromium, or no Playwright to drive it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def deep_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The derivation of a network of 100 layers."""
    record, _ = derivation_of(deep_network(100))
    path = tmp_path_factory.mktemp("deep") / "deep.html"
    path.write_text(render_derivation(record, "html"), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The derivation of a network with names of markup and long ones, with numbers and checks."""
    record, _ = derivation_of(hostile_network(), at="random", is_checked=True)
    path = tmp_path_factory.mktemp("hostile") / "hostile.html"
    path.write_text(render_derivation(record, "html"), encoding="utf-8")
    return path


@pytest.fixture(params=[*(page.name for page in PAGES), "100 layers", "hostile names"])
def page_file(request: pytest.FixtureRequest) -> Path:
    """Each page of the gallery, that of a deep network, and one of names that try to break it."""
    if request.param == "100 layers":
        return request.getfixturevalue("deep_page")
    if request.param == "hostile names":
        return request.getfixturevalue("hostile_page")
    return GALLERY / request.param
