r"""Text that stays text in Markdown.

>>> escaped("a_b * <c> | d")
'a\\_b \\* \\<c\\> \\| d'
>>> code("a`b"), code("x|y")
('`` a`b ``', '`x|y`')
"""

from __future__ import annotations

import re

MARKS = re.compile(r"([\\`*_\[\]<>#|~&])")


def escaped(text: str) -> str:
    """Prose in which no character is markup."""
    return MARKS.sub(r"\\\1", text.replace("\n", " "))


def code(text: str) -> str:
    """A code span, fenced with more backticks than it holds in a row."""
    text = text.replace("\n", " ")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"{fence}{text}{fence}"
