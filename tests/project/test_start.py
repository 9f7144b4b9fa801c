"""What starts: whoever compiles does not load the rooms that print derivations."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRINTERS = ("symgrad.report", "symgrad.evaluation", "symgrad.drawing", "symgrad.health")


@pytest.mark.parametrize("start", ["import symgrad", "import symgrad.cli.main"])
def test_printing_is_loaded_when_it_is_asked_for(start: str) -> None:
    asked = f"{start}, sys; print([m for m in {PRINTERS} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr


def test_what_is_loaded_on_demand_is_there() -> None:
    import symgrad as sg

    assert {"derive", "Derivation"} <= set(dir(sg))
    assert sg.derive.__module__ == "symgrad.derivations"
