"""The benchmark refuses to time what computes something else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks import speed
from benchmarks.contestants import Run, by_hand, symgrad_run
from benchmarks.networks import (
    FROM_KINK,
    Call,
    Network,
    hidden_inputs,
    made_call,
    rows_near_a_kink,
)
from benchmarks.table import table

SMALL = (Network((3, 8, 1), "tanh", 4), Network((5, 16, 16, 4), "relu", 8))


@pytest.mark.parametrize("network", SMALL, ids=str)
def test_symgrad_and_the_hand_written_form_agree(network: Network) -> None:
    call = made_call(network)
    reference = by_hand(network, call.in_type(np.float64))
    for make in (symgrad_run, by_hand):
        assert speed.disagreement(make(network, call), reference) <= speed.PRECISION


def wrong_by_a_thousandth(loss: float, grads: list) -> tuple[float, list]:
    return loss, [grads[0] * 1.001, *grads[1:]]


def wrong_in_the_loss(loss: float, grads: list) -> tuple[float, list]:
    return loss * 1.001, grads


def wrong_shape(loss: float, grads: list) -> tuple[float, list]:
    return loss, [grads[0].T, *grads[1:]]


def not_a_number(loss: float, grads: list) -> tuple[float, list]:
    return loss, [grads[0] * np.nan, *grads[1:]]


def swapped(loss: float, grads: list) -> tuple[float, list]:
    return loss, [grads[2], *grads[1:]]


@pytest.mark.parametrize(
    "spoil", [wrong_by_a_thousandth, wrong_in_the_loss, wrong_shape, not_a_number, swapped]
)
def test_a_contestant_that_is_wrong_is_refused(
    spoil: Callable[[float, list], tuple[float, list]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(network: Network, call: Call) -> Run:
        run = by_hand(network, call)
        return lambda: spoil(*run())

    monkeypatch.setattr(speed, "PEERS", {"NumPy by hand": by_hand, "spoiled": make})
    with pytest.raises(SystemExit, match="spoiled is off by"):
        speed.measured(SMALL[1], rounds=0)


def test_no_input_of_a_rectifier_is_near_0() -> None:
    network = Network((64, 512, 512, 10), "relu", 256)
    call = made_call(network)
    assert all(abs(z).min() >= FROM_KINK for z in hidden_inputs(call.params, call.x))


def test_a_row_on_a_kink_is_found() -> None:
    network = SMALL[1]
    call = made_call(network)
    (first, *_) = hidden_inputs(call.params, call.x)
    call.params["0.bias"][3] -= np.float32(first[2, 3])
    assert rows_near_a_kink(network, call.params, call.x).tolist() == [i == 2 for i in range(8)]


def test_a_table_is_readable_as_text() -> None:
    assert table(["network", "us"], [["a", "1"], ["longer name", "1,000"]]) == (
        "| network     |    us |\n"
        "| ----------- | ----: |\n"
        "| a           |     1 |\n"
        "| longer name | 1,000 |\n"
    )
