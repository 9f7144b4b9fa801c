r"""Text that stays text in Markdown.

>>> escaped("a_b * <c> | d")
'a\\_b \\* \\<c\\> \\| d'
>>> fenced(["x = 1"])
'```python\nx = 1\n```'
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MARKS = re.compile(r"([\\`*_\[\]<>#|~&])")


def escaped(text: str) -> str:
    """Prose in which no character is markup."""
    return MARKS.sub(r"\\\1", text.replace("\n", " "))


def fenced(lines: Sequence[str]) -> str:
    """A block of code, fenced with more backticks than it holds in a row."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}python", *lines, fence])


MATHS = re.compile(r"\$`(.*?)`\$")


def for_notebooks(page: str) -> str:
    r"""A page whose mathematics stands as GitHub reads it, as Jupyter reads it.

    >>> for_notebooks("costs 3$: $`x^2`$")
    'costs 3\\$: $x^2$'
    """
    lines, fence, is_math = list[str](), "", False
    for line in page.split("\n"):
        opening = re.match("`{3,}", line)
        if fence:
            is_end = line == fence
            lines.append("$$" if is_end and is_math else line)
            fence = "" if is_end else fence
        elif opening is not None:
            fence, is_math = opening[0], line == "```math"
            lines.append("$$" if is_math else line)
        else:
            parts = MATHS.split(line)  # prose, formula, prose, ...
            parts[::2] = [part.replace("$", "\\$") for part in parts[::2]]
            parts[1::2] = [f"${part}$" for part in parts[1::2]]
            lines.append("".join(parts))
    return "\n".join(lines)
