"""What the training scripts share: standardising, mini-batches, gradient descent, accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

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


def train(
    net: ModuleType,
    x: np.ndarray,
    y: np.ndarray,
    epochs: int = 40,
    batch: int = 32,
    rate: float = 0.3,
    report: Callable[[int, float, Arrays], None] | None = None,
) -> Arrays:
    """Fresh parameters after gradient descent by mini-batches.

    report: called after each epoch with its number, the mean loss and the parameters.
    """
    params = net.init_params(seed=0, dtype=x.dtype)
    rng = np.random.default_rng(0)
    for epoch in range(1, epochs + 1):
        losses = []
        for rows in minibatches(len(x), batch, rng):
            loss, grads = net.value_and_grad(params, x=x[rows], y=y[rows])
            descend(params, grads, rate)
            losses.append(loss)
        if report is not None:
            report(epoch, float(np.mean(losses)), params)
    return params


def accuracy(probabilities: np.ndarray, y: np.ndarray) -> float:
    """The fraction whose likeliest class is the right one."""
    return float((probabilities.argmax(axis=1) == y).mean())
