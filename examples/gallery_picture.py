"""Takes the picture of a derivation that the README shows; needs Playwright and Chromium.

python -m examples.gallery_picture    writes docs/derivation.png
"""

from __future__ import annotations

import shutil

from playwright.sync_api import sync_playwright

from examples.gallery import GALLERY, ROOT

PAGE, PART = "backpropagation.html", "step-6"
WIDTH, HEIGHT = 1280, 1000
PICTURE = ROOT / "docs" / "derivation.png"


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light"
        )
        page.goto(f"{(GALLERY / PAGE).as_uri()}#{PART}")
        page.screenshot(path=PICTURE)
        browser.close()
    print(f"wrote docs/{PICTURE.name}: {PICTURE.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
