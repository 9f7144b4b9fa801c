"""Lines of a function in blocks of one equation each: all lines, in order, each under its number."""

from __future__ import annotations

import re

import pytest

import symgrad as sg
from symgrad.doors import door_of
from symgrad.emit.function import code_blocks
from tests.report.test_derivation import recurrent_model, small_model, softmax_regression


@pytest.mark.parametrize("model", [small_model, softmax_regression, recurrent_model])
def test_blocks_hold_the_lines_of_the_function(model: object) -> None:
    definition = model()  # type: ignore[operator]
    compiled = sg.compile(definition)
    for derived, plan, equations in zip(
        compiled.derived, compiled.plans, compiled.equations, strict=True
    ):
        door = door_of(definition, derived, plan, equations)
        blocks = code_blocks(derived.name, plan, equations, door, derived.returned)
        lines = [line for block in blocks for line in block.lines]
        start = compiled.source.index(f"def {derived.name}(")
        end = compiled.source.index("\n\n\n", start)
        emitted = [line[4:] for line in compiled.source[start:end].splitlines() if line.strip()]
        shown = [line for line in lines if line.strip()]
        assert emitted[-len(shown) :] == shown
        for block in blocks:
            named = re.match(r"\s*# \((\d+)\)", block.lines[0])
            if named is not None:
                assert block.number == int(named[1])
