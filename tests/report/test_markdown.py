"""Names and formulas never become markup."""

from __future__ import annotations

import pytest

from symgrad.report.markdown import escaped, fenced


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("value_and_grad", r"value\_and\_grad"),
        ("a*b <c> [d](e) #f | g & h", r"a\*b \<c\> \[d\](e) \#f \| g \& h"),
        ("a\nb", "a b"),
        ("`x`", r"\`x\`"),
        ("\\", "\\\\"),
    ],
)
def test_escaped(text: str, expected: str) -> None:
    assert escaped(text) == expected


@pytest.mark.parametrize(
    ("lines", "fence"), [(["x = 1"], "```"), (["# `x`"], "```"), (["````", "y"], "`````")]
)
def test_a_fence_is_longer_than_what_it_holds(lines: list[str], fence: str) -> None:
    assert fenced(lines).splitlines() == [f"{fence}python", *lines, fence]
