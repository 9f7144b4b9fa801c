"""The questions asked of pages: each finds what is wrong on a page made wrong for it."""

from __future__ import annotations

import pytest

from tests.browser.conftest import sync_api
from tests.browser.probes import COLLISIONS, CONTRASTS, E_NUMBERS, SILENT

BOX = '<g><rect x="{x}" y="0" width="40" height="20"/><text x="{x}" y="12">{word}</text></g>'
PICTURE = '<svg class="graph" width="300" height="60">{}</svg>'
LABEL = '<text x="{x}" y="{y}">[n, 3]</text>'


@pytest.mark.parametrize(
    ("probe", "wrong", "right"),
    [
        (COLLISIONS, PICTURE.format(BOX.format(x=0, word="a") + LABEL.format(x=10, y=14)),
         PICTURE.format(BOX.format(x=0, word="a") + LABEL.format(x=60, y=14))),
        (COLLISIONS, PICTURE.format(LABEL.format(x=0, y=40) + LABEL.format(x=10, y=42)),
         PICTURE.format(LABEL.format(x=0, y=40) + LABEL.format(x=90, y=42))),
        (COLLISIONS, PICTURE.format(BOX.format(x=0, word="wider than its box")),
         PICTURE.format(BOX.format(x=0, word="a"))),
        (SILENT, "<p>outside</p>", "<main><p>inside</p></main>"),
        (SILENT, "<main><table><tr><th></th></tr></table></main>",
         "<main><table><tr><th>a</th></tr></table></main>"),
        (SILENT, '<main><figure role="img"><a href="#">a</a></figure></main>',
         '<main><figure><a href="#">a</a></figure></main>'),
        (E_NUMBERS, '<p class="check">below 1e-12</p>', '<p class="check">below 10</p>'),
    ],
)  # fmt: skip
def test_it_finds_what_is_wrong(
    browser: sync_api.Browser, probe: str, wrong: str, right: str
) -> None:
    page = browser.new_page()
    page.set_content(wrong)
    assert page.evaluate(probe) != []
    page.set_content(right)
    assert page.evaluate(probe) == []
    page.close()


def test_pale_parts_have_little_contrast(browser: sync_api.Browser) -> None:
    page = browser.new_page()
    page.set_content('<p style="color: #555">a</p>')
    assert page.evaluate(CONTRASTS, 4.5) == []
    page.set_content('<div style="opacity: 0.6"><p style="color: #555">a</p></div>')
    assert page.evaluate(CONTRASTS, 4.5) != []
    page.close()
