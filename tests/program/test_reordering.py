"""A copy that a reshape needs is made once where several statements read it, and never else."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.compiler import Compiled
from symgrad.program.verify import verify

MERGES = [
    ((0, 2, 1, 3), 1),  # what comes together to rows lay apart
    ((1, 0, 2, 3), 1),
    ((0, 1, 2, 3), 0),  # in order: the reshape is a view
]


def compiled(axes: tuple[int, ...], readers: int) -> Compiled:
    """The rows of a transposed tensor times one matrix for each reader."""
    n, t = sg.dim("n"), sg.dim("t")
    x = sg.tanh(sg.input("x", (n, t, 4, 3)))
    moved = sg.transpose(x, axes)
    rows = sg.reshape(moved, (moved.shape[0] * moved.shape[1], moved.shape[2] * 3))
    width = rows.shape[1]
    outputs = {f"y{k}": rows @ sg.parameter(f"w{k}", (width, 2)) for k in range(readers)}
    return sg.compile(sg.Model("rows", outputs=outputs), ["forward"])


def copies(model: Compiled) -> int:
    return sum(line.op == "copy" for line in model.plans[0].program.instructions)


@pytest.mark.parametrize("axes, expected", MERGES)
def test_several_readers_share_a_copy(axes: tuple[int, ...], expected: int) -> None:
    model = compiled(axes, 3)
    verify(model.plans[0])
    assert copies(model) == expected
    x = np.random.default_rng(0).standard_normal((2, 5, 4, 3))
    moved = np.tanh(x).transpose(axes)
    rows = moved.reshape(moved.shape[0] * moved.shape[1], -1)
    params = {f"w{k}": np.random.default_rng(k).standard_normal((rows.shape[1], 2)) for k in range(3)}
    found = model.load().forward(params, x=x)
    for k in range(3):
        np.testing.assert_allclose(found[f"y{k}"], rows @ params[f"w{k}"], rtol=1e-12)


def test_one_reader_copies_on_its_own() -> None:
    assert copies(compiled((0, 2, 1, 3), 1)) == 0
