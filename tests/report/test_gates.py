"""The gates of an LSTM on its page: slices of one matrix, and its derivative a row of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import symgrad as sg
from symgrad import nn
from symgrad.derivation_pages import derivation_of
from symgrad.report.notation import formula as m
from symgrad.report.record.equation import Equation

D = 4  # entries of a state


def _equations(value: Any) -> Iterator[Equation]:
    if isinstance(value, Equation):
        yield value
    if isinstance(value, tuple):
        for each in value:
            yield from _equations(each)
    elif is_dataclass(value) and not isinstance(value, m.Math):
        for field in fields(value):
            yield from _equations(getattr(value, field.name))


def test_gates_are_slices_and_their_derivative_is_in_blocks() -> None:
    n = sg.dim("n")
    x, h, c = sg.input("x", (5, n, 3)), sg.input("h_0", (1, n, D)), sg.input("c_0", (1, n, D))
    outputs, _ = nn.LSTM(3, D)(x, (h, c))
    record, _ = derivation_of(sg.Model("gates", loss=sg.mean(outputs**2)), None, "steps")
    parts = {part for e in _equations(record) if e.matrix is not None for part in
             m.parts_of(e.matrix)}  # fmt: skip
    spans = {(part.start, part.stop) for part in parts if isinstance(part, m.Span)}
    gates = [tuple(m.Number(str(end)) for end in (k * D, k * D + D)) for k in range(4)]
    assert spans >= set(gates)
    rows = [part.rows for part in parts if isinstance(part, m.Blocks)]
    assert any(
        len(row) == 4 and all(isinstance(block, m.Partial) for block in row) for (row,) in rows
    )
