"""Recurrent layers and the loss of a scan: how each is made, and on what it runs.

Their results are tuples of tensors, so they have a test of their own: `test_recurrent_layers.py`.
`data`: the arrays of one call; a tuple of arrays is a tuple of states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

rng = np.random.default_rng(41)


@dataclass(frozen=True)
class Recurrent:
    """A class, its constructions and the calls of each."""

    name: str
    constructions: Sequence[dict[str, Any]]
    data: Sequence[tuple[Any, ...]]


def drawn(*shape: int) -> Any:
    return rng.normal(size=shape)


def sizes(**more: Any) -> dict[str, Any]:
    return {"input_size": 3, "hidden_size": 4, **more}


SEQUENCES = [(drawn(5, 2, 3),), (drawn(1, 1, 3),), (drawn(4, 3),)]
FROM_STATE = [(drawn(4, 2, 3), drawn(1, 2, 4)), (drawn(4, 3), drawn(1, 4))]
FROM_STATES = [
    (drawn(4, 2, 3), (drawn(1, 2, 4), drawn(1, 2, 4))),
    (drawn(4, 3), (drawn(1, 4), drawn(1, 4))),
]
OPTIONS = [
    {},
    {"bias": False},
    {"num_layers": 2},
    {"bidirectional": True},
    {"batch_first": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True, "dropout": 0.0},
]
LAYERS = [
    Recurrent("RNN", [sizes(**o) for o in OPTIONS], SEQUENCES),
    Recurrent("RNN", [sizes(nonlinearity="relu", num_layers=2)], SEQUENCES),
    Recurrent("RNN", [sizes()], FROM_STATE),
    Recurrent("GRU", [sizes(**o) for o in OPTIONS], SEQUENCES),
    Recurrent("GRU", [sizes()], FROM_STATE),
    Recurrent("LSTM", [sizes(**o) for o in OPTIONS], SEQUENCES),
    Recurrent("LSTM", [sizes(proj_size=2), sizes(proj_size=3, num_layers=2, bidirectional=True)],
              SEQUENCES),
    Recurrent("LSTM", [sizes()], FROM_STATES),
]  # fmt: skip

ENTRIES_OF_CELLS = [(drawn(2, 3),), (drawn(1, 3),), (drawn(3),)]
CELLS = [
    Recurrent("RNNCell", [sizes(), sizes(bias=False), sizes(nonlinearity="relu")],
              [*ENTRIES_OF_CELLS, (drawn(2, 3), drawn(2, 4))]),
    Recurrent("GRUCell", [sizes(), sizes(bias=False)],
              [*ENTRIES_OF_CELLS, (drawn(2, 3), drawn(2, 4))]),
    Recurrent("LSTMCell", [sizes(), sizes(bias=False)],
              [*ENTRIES_OF_CELLS, (drawn(2, 3), (drawn(2, 4), drawn(2, 4)))]),
]  # fmt: skip


LABELS = np.array([[1, 1, 2], [3, 4, 0], [2, 0, 0]])
CTC = [
    Recurrent("CTCLoss", [{"reduction": r} for r in ("mean", "sum", "none")], [
        (drawn(7, 3, 5), LABELS, np.array([7, 5, 6]), np.array([3, 2, 0])),
        (drawn(4, 1, 5), LABELS[1:2], np.array([4]), np.array([2])),
        (drawn(1, 1, 5), LABELS[2:], np.array([1]), np.array([1])),
    ]),
    # all labels along one axis
    Recurrent("CTCLoss", [{"reduction": r} for r in ("mean", "sum", "none")], [
        (drawn(7, 3, 5), np.array([1, 1, 2, 3, 4]), np.array([7, 5, 6]), np.array([3, 2, 0])),
        (drawn(4, 1, 5), np.array([3, 4]), np.array([4]), np.array([2])),
        (drawn(6, 5), np.array([1, 2, 2]), np.array(6), np.array(3)),
        (drawn(3, 2, 5), np.zeros(0, np.int64), np.array([3, 1]), np.array([0, 0])),
    ]),
    Recurrent("CTCLoss", [{"blank": 4, "zero_infinity": True}], [
        (drawn(3, 3, 5), LABELS % 4, np.array([3, 3, 2]), np.array([3, 2, 1])),
    ]),
]  # fmt: skip
