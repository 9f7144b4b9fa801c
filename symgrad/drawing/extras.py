"""The libraries that draw, which are an extra: imported where they are used, and not before."""

from __future__ import annotations

import importlib
from types import ModuleType

from symgrad.errors import UnsupportedError


def library(name: str) -> ModuleType:
    """The module of that name. Raises: UnsupportedError that says how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UnsupportedError(
            f"drawing needs {name.partition('.')[0]}, which is not installed",
            fix='pip install "symgrad[report]"',
        ) from None
