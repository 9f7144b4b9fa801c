r"""Prose and listings in LaTeX: text in which no character is a command.

>>> latex_prose("50% of a_b")
'50\\% of a\\_b'
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from symgrad.report.notation.latex import escaped

# what pdflatex does not know as a letter, in prose
SPELLED = {
    "Σ": r"$\Sigma$", "∂": r"$\partial$", "⊙": r"$\odot$", "⁻¹": r"$^{-1}$", "⁻ᵀ": r"$^{-\top}$",
    "ᵀ": r"$^{\top}$", "²": r"$^{2}$", "·": r"$\cdot$", "✓": r"$\checkmark$", "—": "---",
    "\u202f": r"\,", "…": r"\ldots{}", "₀": "$_0$",
}  # fmt: skip


def latex_prose(words: str) -> str:
    """`words` for a paragraph."""
    found = escaped(words)
    for character, command in SPELLED.items():
        found = found.replace(character, command)
    return "".join(c if ord(c) < 0x250 else f"[U+{ord(c):04X}]" for c in found)


def latex_listing(lines: Sequence[str]) -> str:
    r"""Lines of code, one below the other; one that is too long is broken between words.

    >>> latex_listing(["for t in T:", "  h  = 0"])
    '\\mbox{}\\texttt{for t in T:}\\\\\n\\mbox{}\\texttt{~~h~ = 0}\\\\'
    """
    return "\n".join(rf"\mbox{{}}\texttt{{{_spaced(line)}}}\\" for line in lines)


def _spaced(line: str) -> str:
    """With spaces that TeX keeps: at the start of a line all, within it all but the last."""
    inner = line.lstrip(" ")
    words = re.sub(" +", lambda spaces: "~" * (len(spaces[0]) - 1) + " ", latex_prose(inner))
    return "~" * (len(line) - len(inner)) + words
