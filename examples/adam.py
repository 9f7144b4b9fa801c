"""Adam: gradient descent that scales each step by the recent size of the slopes."""

from __future__ import annotations

import numpy as np

from examples.training import Arrays

AVERAGE, SQUARES, LEAST = 0.9, 0.999, 1e-8


class Adam:
    """Changes `params` in place.  Source: Kingma and Ba 2015, algorithm 1."""

    def __init__(self, params: Arrays, rate: float = 1e-3) -> None:
        self.params = params
        self.rate = rate
        self._steps = 0
        self._average = {name: np.zeros_like(value) for name, value in params.items()}
        self._squares = {name: np.zeros_like(value) for name, value in params.items()}

    def step(self, grads: Arrays) -> None:
        """One step against `grads`; both running means are freed of their start at 0."""
        self._steps += 1
        rate = self.rate / (1 - AVERAGE**self._steps)
        correction = 1 - SQUARES**self._steps
        for name, gradient in grads.items():
            average, squares = self._average[name], self._squares[name]
            average += (1 - AVERAGE) * (gradient - average)
            squares += (1 - SQUARES) * (gradient**2 - squares)
            self.params[name] -= rate * average / (np.sqrt(squares / correction) + LEAST)


def clip(grads: Arrays, limit: float) -> float:
    """Shrinks all gradients alike, in place, to a norm of at most `limit`; their norm before."""
    norm = float(np.sqrt(sum(np.vdot(gradient, gradient) for gradient in grads.values())))
    if norm > limit:
        for gradient in grads.values():
            gradient *= limit / norm
    return norm
