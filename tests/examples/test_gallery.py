"""The gallery is made whole, of moderate size, and the check sees what is not current."""

from __future__ import annotations

from pathlib import Path

from examples.gallery import GALLERY, PAGES, differences, sources


def test_it_is_current() -> None:
    assert differences(sources()) == []


def test_pages_are_of_moderate_size_and_name_no_machine() -> None:
    assert len(PAGES) >= 12
    for page in PAGES:
        text = (GALLERY / page.file).read_text(encoding="utf-8")
        assert len(text.encode()) < 500_000, page.file
        assert str(Path.home()) not in text and str(GALLERY.parent.parent) not in text


def test_the_check_sees_each_difference(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text("old")
    (tmp_path / "c.html").write_text("extra")
    texts = {"a.html": "new", "b.html": "new"}
    assert differences(texts, tmp_path) == [
        "a.html is missing", "c.html is not of the gallery", "b.html differs",
    ]  # fmt: skip
