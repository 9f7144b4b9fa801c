"""Draws that stand still: a generator whose numbers are the same in every call of a module.

Each draw has a stream of its own, always in float64, so that a function gives in float32 what it
gives in float64 but for rounding, and an example that stands alone gets its row of what all get.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.check.sizes import shape_of

Shape = tuple[int | str, ...]


@dataclass(frozen=True)
class Alone:
    """One example out of many: entry `row` of each axis of size `batch`, and all the sizes."""

    batch: str
    row: int
    sizes: Mapping[str, int]


class HeldDraws(np.random.Generator):
    """Draws for the tensors of `shapes`, in this order."""

    def __init__(
        self, shapes: tuple[Shape, ...], sizes: Mapping[str, int], alone: Alone | None = None
    ) -> None:
        super().__init__(np.random.PCG64(0))
        self._shapes, self._sizes, self._alone = shapes, sizes, alone
        self._drawn = 0

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Numbers in [0, 1)."""
        return self._next("random", size, dtype)

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Normal numbers."""
        return self._next("standard_normal", size, dtype)

    def _next(self, law: str, size: Any, dtype: Any) -> Any:
        shape = self._shapes[self._drawn]
        sizes = self._sizes if self._alone is None else self._alone.sizes
        stream = np.random.default_rng([self._drawn, 3])
        numbers = np.asarray(getattr(stream, law)(shape_of(shape, sizes)))
        self._drawn += 1
        if self._alone is not None:
            for axis, extent in enumerate(shape):
                if extent == self._alone.batch:
                    numbers = np.take(numbers, [self._alone.row], axis=axis)
        if numbers.shape != tuple(size):
            raise ValueError(f"DRAWS says {shape}, and {tuple(size)} is drawn")
        return numbers.astype(dtype)
