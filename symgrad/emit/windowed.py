"""Lines about windows: views of them, their copies as columns, and calls with their steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from symgrad.emit.literal import size_source


def arguments_source(arguments: Iterable[tuple[str, Any]]) -> list[str]:
    """Arguments of one of the module's own functions: numbers by keyword, others as they are."""
    return [
        f"{key}={size_source(sympy.sympify(value))}" if key else str(value)
        for key, value in arguments
    ]


def windows_source(source: str, options: Mapping[str, Any]) -> str:
    """`_windows(x, 2, 3)`: a view; steps of 1 are left out."""
    steps = [(key, options[key]) for key in ("stride", "dilation") if options[key] != 1]
    places = [("", options["axis"]), ("", size_source(options["size"]))]
    return f"_windows({', '.join([source, *arguments_source([*places, *steps])])})"


def columns_in_place(name: str, target: str, source: str) -> str:
    """The copy of windows into memory that is free."""
    copy = f"np.copyto({target}, {source})"
    return copy if name == target else f"{name} = {target}\n{copy}"
