"""The gallery in a real browser: complete, legible, self-contained, at every width and in print."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.browser.conftest import sync_api
from tests.browser.probes import (
    COLLISIONS,
    CONTRASTS,
    E_NUMBERS,
    FILES,
    GLYPHS,
    LINKS,
    MATHML,
    OUTLINE,
    PICTURES,
    SILENT,
    VISIBLE,
)

DESKTOP, TABLET, PHONE = 1280, 768, 360
ZOOMED = DESKTOP // 2  # what a page of a zoom of 200% has


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
    for width in (DESKTOP, TABLET, ZOOMED, PHONE):
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
    assert page.evaluate(SILENT) == []
    assert page.evaluate(COLLISIONS) == []
    assert page.evaluate(E_NUMBERS) == []
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


def test_it_prints_in_the_colours_of_paper(browser: sync_api.Browser, deep_page: Path) -> None:
    """Whoever reads in the dark prints in black on white."""
    page = opened(browser, deep_page, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate(CONTRASTS, 4.5) == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.close()


def test_the_notation_is_chosen_by_keyboard_alone(
    browser: sync_api.Browser, hostile_page: Path
) -> None:
    page = opened(browser, hostile_page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the derivation"
    page.keyboard.press("Tab")
    (group,) = page.get_by_role("group", name="Equations in").all()
    assert group.get_by_role("radio", name="matrix form").is_checked()
    outline = "getComputedStyle(document.activeElement.nextElementSibling).outlineStyle"
    assert page.evaluate(outline) == "solid"
    matrix, index = page.locator(".matrix-form.other"), page.locator(".index-form.other")
    assert matrix.first.is_visible() and not index.first.is_visible()
    page.keyboard.press("ArrowRight")
    assert index.first.is_visible() and not matrix.first.is_visible()
    page.keyboard.press("ArrowRight")
    assert index.first.is_visible() and matrix.first.is_visible()
    page.close()


def test_the_bar_hides_no_target_of_a_link(browser: sync_api.Browser, hostile_page: Path) -> None:
    page = opened(browser, hostile_page, viewport={"width": DESKTOP, "height": 700})
    for target in ("#forward", "#steps", "#code-1", "#rules"):
        page.evaluate("target => { location.hash = target }", target)
        top = page.evaluate("t => document.querySelector(t).getBoundingClientRect().top", target)
        bar = page.evaluate("document.querySelector('.tools').getBoundingClientRect().bottom")
        assert bar <= top + 1 or page.evaluate(
            "scrollY + innerHeight >= document.documentElement.scrollHeight - 1"
        )
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
