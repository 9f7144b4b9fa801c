"""The gallery in a real browser: complete, legible, self-contained, at every width and in print."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.browser.conftest import sync_api
from tests.browser.probes import CONTRASTS, FILES, GLYPHS, LINKS, MATHML, OUTLINE, PICTURES, VISIBLE

DESKTOP, PHONE = 1280, 390


def opened(browser: sync_api.Browser, path: Path, **options: object) -> sync_api.Page:
    """The page; fails on an error in the console and on anything read from elsewhere."""
    page = browser.new_page(**options)
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
    page.on("request", lambda r: problems.append(r.url) if r.url != path.as_uri() else None)
    page.goto(path.as_uri())
    assert problems == []
    return page


def test_nothing_sticks_out(browser: sync_api.Browser, page_file: Path) -> None:
    page = opened(browser, page_file, viewport={"width": DESKTOP, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.body.innerText.length") > 500
    page.close()


def test_it_reads_well(browser: sync_api.Browser, page_file: Path) -> None:
    page = opened(browser, page_file, viewport={"width": DESKTOP, "height": 900})
    page.add_style_tag(content="* { content-visibility: visible !important }")
    headings = page.evaluate(OUTLINE)
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert page.evaluate(LINKS) == []
    for file in page.evaluate(FILES):
        assert (page_file.parent / file).is_file(), file
    assert page.evaluate(PICTURES) == []
    assert page.evaluate(GLYPHS) == []
    if page_file.name != "index.html":
        count, empty = page.evaluate(MATHML)
        assert count > 20 and empty == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser: sync_api.Browser, page_file: Path, scheme: str) -> None:
    page = opened(browser, page_file, color_scheme=scheme)
    assert page.evaluate(CONTRASTS, 4.5) == []
    page.close()


def test_it_prints_with_all_parts_unfolded(browser: sync_api.Browser, page_file: Path) -> None:
    page = opened(browser, page_file, viewport={"width": 800, "height": 1100})
    page.emulate_media(media="print")
    printed = page.evaluate(VISIBLE)
    page.emulate_media(media="screen")
    page.evaluate("document.querySelectorAll('details.chapter').forEach(d => d.open = true)")
    assert printed >= page.evaluate(VISIBLE) > 0
    page.close()


def test_a_hundred_layers_open_in_under_a_second(
    browser: sync_api.Browser, deep_page: Path
) -> None:
    times = []
    for _ in range(3):
        page = browser.new_page(viewport={"width": DESKTOP, "height": 900})
        start = time.perf_counter()
        page.goto(deep_page.as_uri(), wait_until="load")
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        times.append(time.perf_counter() - start)
        page.close()
    assert min(times) < 1
