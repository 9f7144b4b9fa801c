"""Cells of a notebook as places in the user's code: `In[3]` for a file that is not there."""

from __future__ import annotations

import linecache
import sys

_FILES: dict[str, str] = {}  # cell -> the name that Python knows its code by


def cell_of(filename: str) -> str | None:
    """`In[3]` where `filename` stands for a cell of the notebook that runs, else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    name_of_code = getattr(getattr(shell, "compile", None), "format_code_name", None)
    named = name_of_code(filename) if name_of_code is not None else None
    if named is None:
        return None
    _FILES[named[1]] = filename
    return str(named[1])


def text_of_cell(cell: str) -> str | None:
    """The code of a cell that `cell_of` has named, else None."""
    filename = _FILES.get(cell)
    return None if filename is None else "".join(linecache.getlines(filename)) or None
