"""The first page of the gallery, as HTML and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

LEAD = (
    "Derivations printed by symgrad from small model files. Nothing on these pages is typed by "
    "hand: equations, reasons and code come from the journal of the compiler, and every step was "
    "computed on both sides at random points."
)


@dataclass(frozen=True)
class Entry:
    """A page of the gallery. `result`: what it arrives at. `command`: what prints it."""

    file: str
    title: str
    result: str
    command: str


def readme(entries: Sequence[Entry]) -> str:
    """The list for a reader of the repository."""
    lines = ["# Gallery of derivations", "", f"{LEAD}", ""]
    lines += ["`python -m examples.gallery` writes all of them. Open them in a browser:", ""]
    lines += [f"- [{e.title}]({e.file}): {e.result}. `{e.command}`" for e in entries]
    return "\n".join(lines) + "\n"


def index_page(entries: Sequence[Entry]) -> str:
    """The list for a browser."""
    items = "\n".join(
        f'<li><a href="{escape(e.file)}">{escape(e.title)}</a>: {escape(e.result)}.'
        f"<br><code>{escape(e.command)}</code></li>"
        for e in entries
    )
    return _PAGE.replace("{lead}", escape(LEAD)).replace("{items}", items)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gallery of derivations</title>
<style>
:root { color-scheme: light dark; }
body { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem; line-height: 1.6;
  font-family: Georgia, "DejaVu Serif", serif; color: light-dark(#1d1d1f, #e6e6e3);
  background: light-dark(#fdfdfb, #17181a); }
h1 { line-height: 1.2; }
ul { padding-left: 1.2rem; }
a { color: light-dark(#1f5a9c, #8ab8ee); }
li { margin: 0.8rem 0; }
code { font-size: 0.8rem; overflow-wrap: anywhere; color: light-dark(#555, #aaa); }
</style>
</head>
<body>
<main>
<h1>Gallery of derivations</h1>
<p>{lead}</p>
<ul>
{items}
</ul>
</main>
</body>
</html>
"""
