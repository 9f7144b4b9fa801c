"""`symgrad weights`: the table, the comparison with a model, and conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg

PARAMS = {"W": np.arange(6.0).reshape(3, 2), "b": np.ones(2)}


@pytest.fixture
def file(run: Any) -> Path:
    return sg.save_weights("small.npz", PARAMS)


def test_the_table(run: Any, file: Path) -> None:
    result = run("weights", "small.npz")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [row.split() for row in result.stdout.splitlines()]
    assert rows == [["small.npz"], ["name", "shape", "type"], ["W", "[3,", "2]", "float64"],
                    ["b", "[2]", "float64"], ["2", "arrays,", "8", "numbers"]]  # fmt: skip


def test_conversion(run: Any, file: Path) -> None:
    result = run("weights", "small.npz", "--model", "small.py", "--dtype", "float32", "-o", "b.npz")
    assert result.exit_code == 0 and result.stdout.endswith("wrote b.npz\n")
    read = np.load("b.npz")
    assert read.files == ["W", "b"] and read["W"].dtype == np.float32
    np.testing.assert_array_equal(read["W"], PARAMS["W"])


def test_what_does_not_fit_is_not_written(run: Any) -> None:
    sg.save_weights("wrong.npz", {"W": np.ones((2, 3))})
    result = run("weights", "wrong.npz", "--model", "small.py", "-o", "b.npz")
    assert (result.exit_code, result.stdout) == (2, "") and not Path("b.npz").exists()
    assert result.stderr == (
        "WeightsError: wrong.npz does not fit the model small\n"
        "  missing  b\n"
        "  wrong    W is [2, 3], expected [3, 2]\n"
        "  fix      load weights of the same definition\n"
    )
