"""What the training scripts share: standardising, mini-batches, plain gradient descent."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

Arrays = dict[str, np.ndarray]


def standardise(train: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Columns to mean 0 and deviation 1, by the training set's figures; constant ones to 0."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1)
    return [(array - mean) / deviation for array in (train, *others)]


def minibatches(count: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The indices of one epoch in random order, `size` at a time; the last batch may be small."""
    order = rng.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]


def descend(params: Arrays, grads: Arrays, rate: float) -> None:
    """One step of gradient descent, in place."""
    for name, gradient in grads.items():
        params[name] -= rate * gradient
