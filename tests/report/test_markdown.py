"""Names and formulas never become markup."""

from __future__ import annotations

import pytest

from symgrad.report.markdown import code, escaped


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
    ("text", "expected"),
    [
        ("d_h * (1 - h**2)", "`d_h * (1 - h**2)`"),
        ("a`b", "`` a`b ``"),
        ("``", "``` `` ```"),
        ("a\nb", "`a b`"),
    ],
)
def test_code(text: str, expected: str) -> None:
    assert code(text) == expected
