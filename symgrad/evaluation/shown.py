"""Arrays as a worked example prints them: rounded, as numbers, rows or matrices, large ones cut.

>>> shown(np.array([[0.15, 0.2], [0.25, 0.3]])).text
'[0.15 0.2; 0.25 0.3]'
>>> shown(np.float64(0.29837110876)).text, shown(np.zeros((3, 50))).text
('0.29837111', '[0 0 0 ... 0; 0 0 0 ... 0; 0 0 0 ... 0]  (3 x 50)')
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any

DIGITS = 8  # significant ones of a number, and of a few
DIGITS_OF_MANY = 4
FEW = 6
EDGE = 3  # rows and columns that are shown of a large array, before the last
MOST = 6
DOTS = "..."


@dataclass(frozen=True)
class Block:
    """A matrix of an array: at these indices of its first axes; rows of numbers, and DOTS."""

    at: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Shown:
    """An array in print. A number has one block of one entry, a vector one row.

    `is_cut`: whether entries were left out.
    """

    shape: tuple[int, ...]
    blocks: tuple[Block, ...]
    is_cut: bool

    @property
    def is_number(self) -> bool:
        return self.shape == ()

    @property
    def size_text(self) -> str:
        """`3 x 50`."""
        return " x ".join(map(str, self.shape))

    @property
    def text(self) -> str:
        """On one line, as Octave writes matrices."""
        if self.is_number:
            return self.blocks[0].rows[0][0]
        if 0 in self.shape:
            return f"[]  ({self.size_text})"
        parts = [_prefix(b.at) + "[" + "; ".join(map(" ".join, b.rows)) + "]" for b in self.blocks]
        size = f"  ({self.size_text})" if self.is_cut or len(self.blocks) > 1 else ""
        return ", ".join(parts) + (f", {DOTS}" if self._misses_blocks else "") + size

    @property
    def latex(self) -> str:
        """In LaTeX, without delimiters."""
        if self.is_number:
            return _latex_number(self.blocks[0].rows[0][0])
        if 0 in self.shape:
            return r"[\,]"
        parts = []
        for block in self.blocks:
            rows = (" & ".join(map(_latex_number, row)) for row in block.rows)
            inner = r" \\ ".join(rows)
            index = f"_{{{', '.join(map(str, block.at))}}}" if block.at else ""
            parts.append(rf"\begin{{bmatrix}} {inner} \end{{bmatrix}}{index}")
        return ",\\ ".join(parts) + (r",\ \dots" if self._misses_blocks else "")

    @property
    def _misses_blocks(self) -> bool:
        return math.prod(self.shape[:-2]) > len(self.blocks) if len(self.shape) > 2 else False


def shown(value: Array, digits: int | None = None) -> Shown:
    """`value` to be printed; `digits`: significant ones, by default fewer of many entries."""
    array = np.asarray(value)
    if digits is None:
        digits = DIGITS if array.size <= FEW else DIGITS_OF_MANY
    if array.ndim < 2:
        matrices = [((), array.reshape(1, -1))]
    else:
        matrices = [(at, array[at]) for at in np.ndindex(*array.shape[:-2])][:EDGE]
    blocks = tuple(Block(tuple(map(int, at)), _rows(matrix, digits)) for at, matrix in matrices)
    extents = array.shape[-2:]
    is_cut = any(n > MOST for n in extents) or math.prod(array.shape[:-2]) > len(blocks)
    return Shown(tuple(array.shape), blocks, is_cut)


def text_of(value: Array, digits: int | None = None) -> str:
    """The same on one line."""
    return shown(value, digits).text


def number_text(value: Any, digits: int = DIGITS) -> str:
    """One entry, without zeros at the end."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(value)
    number = float(value)
    if not math.isfinite(number):
        return {math.inf: "inf", -math.inf: "-inf"}.get(number, "nan")
    text = f"{number:.{digits}g}"
    return "0" if float(text) == 0 else text


def _rows(matrix: Array, digits: int) -> tuple[tuple[str, ...], ...]:
    rows = [_row(row, digits) for row in _kept(matrix)]
    if len(matrix) > MOST:
        rows.insert(EDGE, (DOTS,) * len(rows[0]))
    return tuple(rows)


def _row(row: Array, digits: int) -> tuple[str, ...]:
    entries = [number_text(x, digits) for x in _kept(row)]
    if len(row) > MOST:
        entries.insert(EDGE, DOTS)
    return tuple(entries)


def _kept(entries: Array) -> list[Any]:
    return list(entries) if len(entries) <= MOST else [*entries[:EDGE], entries[-1]]


def _prefix(at: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, at))}: " if at else ""


def _latex_number(text: str) -> str:
    words = {DOTS: r"\dots", "inf": r"\infty", "-inf": r"-\infty", "nan": r"\text{nan}"}
    if text in words:
        return words[text]
    if text in ("true", "false"):
        return rf"\text{{{text}}}"
    mantissa, e, exponent = text.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if e else text
