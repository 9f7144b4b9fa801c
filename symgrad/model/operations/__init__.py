"""NumPy's operations on tensor expressions: one file per concept, all in `OPERATIONS` by name.

A new operation is one function here, written in terms of those that exist; its gradient follows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.model.operations import (
    diagonals,
    filling,
    holding,
    indexing,
    joining,
    moving,
    normal,
    products,
    reductions,
    shaping,
)
from symgrad.model.operations.elementwise import UFUNCS, clip, where

FILES = (
    reductions, products, diagonals, filling, holding, normal, shaping, joining, moving, indexing,
)  # fmt: skip


def _operations_of(room: Any) -> dict[str, Callable[..., Any]]:
    """The functions that a file defines with `@operation`."""
    return {
        name: value
        for name, value in vars(room).items()
        if hasattr(value, "__wrapped__") and value.__module__ == room.__name__
    }


OPERATIONS: dict[str, Callable[..., Any]] = dict(UFUNCS) | {"clip": clip, "where": where}
for _file in FILES:
    OPERATIONS |= _operations_of(_file)
