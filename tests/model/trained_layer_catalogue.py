"""Layers that train in another way than they are used: with states, or with random tensors.

One `TrainedEntry` per class drives `test_batch_norm.py`, `test_dropout.py` and what reads
`registry.entries()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

rng = np.random.default_rng(17)
Arrays = tuple[Any, ...]


@dataclass(frozen=True)
class TrainedEntry:
    """A class: its constructions, and the arrays that each of them is called with."""

    name: str
    constructions: Sequence[dict[str, Any]]
    data: Sequence[Arrays]


def normal(*shape: int) -> Any:
    return rng.normal(0.7, 1.5, shape)


def options(channels: int, *more: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"num_features": channels} | each for each in ({}, *more)]


BATCH = options(
    3,
    {"affine": False},
    {"momentum": None},
    {"momentum": 0.3, "eps": 0.1},
    {"track_running_stats": False},
    {"bias": False},
)
INSTANCE = options(
    3,
    {"affine": True},
    {"track_running_stats": True},
    {"affine": True, "track_running_stats": True, "momentum": 0.4, "eps": 0.01},
)

NORMALISATIONS = [
    TrainedEntry("BatchNorm1d", BATCH, [(normal(5, 3),), (normal(4, 3, 6),), (normal(1, 3, 2),)]),
    TrainedEntry("BatchNorm2d", BATCH, [(normal(4, 3, 2, 5),), (normal(2, 3, 1, 1),)]),
    TrainedEntry("BatchNorm3d", BATCH, [(normal(2, 3, 2, 3, 2),)]),
    TrainedEntry("InstanceNorm1d", INSTANCE, [(normal(4, 3, 5),), (normal(3, 6),)]),
    TrainedEntry("InstanceNorm2d", INSTANCE, [(normal(2, 3, 4, 3),), (normal(3, 1, 4),)]),
    TrainedEntry("InstanceNorm3d", INSTANCE, [(normal(2, 3, 2, 1, 3),), (normal(3, 2, 2, 2),)]),
]

RATES = [{}, {"p": 0.2}, {"p": 0}, {"p": 1.0}, {"p": 0.4, "inplace": True}]

DROPOUTS = [
    TrainedEntry("Dropout", RATES, [(normal(5, 3),), (normal(),), (normal(0, 3),)]),
    TrainedEntry("Dropout1d", RATES, [(normal(4, 3, 5),), (normal(3, 6),)]),
    TrainedEntry("Dropout2d", RATES, [(normal(4, 3, 5, 2),), (normal(4, 3, 5),)]),
    TrainedEntry("Dropout3d", RATES, [(normal(4, 3, 2, 3, 2),), (normal(3, 2, 3, 2),)]),
    TrainedEntry("AlphaDropout", RATES, [(normal(5, 3),), (normal(2, 3, 4),)]),
    TrainedEntry("FeatureAlphaDropout", RATES, [(normal(4, 3),), (normal(4, 3, 5),)]),
]
