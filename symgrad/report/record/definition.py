"""What was defined: the lines of the user, the tensors that are given, the graph."""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.report.notation.formula import Math


@dataclass(frozen=True)
class Excerpt:
    """Lines of the user's file, or the text of a formula: number and text of each line."""

    file: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Given:
    """A tensor that is given. `kind`: parameter, input, ... `called`: its name in the code."""

    kind: str
    called: str
    symbol: Math
    shape: str
    dtype: str
    where: str
    values: str | None = None


@dataclass(frozen=True)
class Drawing:
    """A picture of the computation: an <svg> element, and the same in words."""

    svg: str
    alt: str
