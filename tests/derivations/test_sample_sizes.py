"""Sizes at which costs are shown: asked for, those of given arrays, or 64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import DefinitionError

n, d = sg.dim("n"), sg.dim("d")


@pytest.fixture
def model() -> sg.Model:
    X, w = sg.input("X", (n, d)), sg.parameter("w", (d,))
    return sg.Model("line", loss=sg.sum((X @ w) ** 2))


def sizes(model: sg.Model, **options: Any) -> str:
    costs = sg.derive(model, verify=False, **options).record.costs
    assert costs is not None
    return costs.sizes


def test_sizes_asked_for(model: sg.Model) -> None:
    assert sizes(model) == "n = 64, d = 64"
    assert sizes(model, sizes={"d": 784}) == "n = 64, d = 784"
    costs = sg.derive(model, verify=False, sizes={"n": 10, "d": np.int64(3)}).record.costs
    assert costs is not None and costs.rows[0].sample[0] == "60"  # X w


def test_sizes_of_arrays(model: sg.Model, tmp_path: Path) -> None:
    arrays = {"X": np.ones((5, 2)), "w": np.ones(2)}
    np.savez(tmp_path / "at.npz", **arrays)
    for at in (arrays, tmp_path / "at.npz"):
        assert sizes(model, at=at) == "n = 5, d = 2"
        assert sizes(model, at=at, sizes={"n": 7}) == "n = 7, d = 2"
    assert sizes(model, at="random") == "n = 64, d = 64"
    none = {"X": np.ones((0, 2)), "w": np.ones(2)}
    assert sizes(model, at=none) == "n = 64, d = 2"


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "3", None], ids=repr)
def test_what_is_no_size(model: sg.Model, wrong: Any) -> None:
    with pytest.raises(DefinitionError, match=rf"wrong  n is {wrong}") as caught:
        sg.derive(model, sizes={"n": wrong})
    assert caught.value.facts["known"] == "n, d"


def test_all_that_is_wrong_is_told_at_once(model: sg.Model) -> None:
    with pytest.raises(DefinitionError, match="there is no dimension k; d is -3"):
        sg.derive(model, sizes={"n": 3, "k": 2, "d": -3})
