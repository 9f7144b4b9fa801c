"""Whole error messages, with the test's own line written HERE."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from symgrad.errors import SymgradError


def message_of(define: Callable[[], Any]) -> str:
    """The class and the text of the error that `define` raises."""
    with pytest.raises(SymgradError) as caught:
        define()
    text = re.sub(r"\S*test_\w+\.py:\d+", "HERE", str(caught.value))
    return f"{type(caught.value).__name__}: {text}"
