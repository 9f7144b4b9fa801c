"""Comparing arrays: the largest relative difference, where there is something to compare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symgrad.evaluation.carried import Array
from symgrad.evaluation.step_check import TOLERANCE

HUGE = 1e12  # what is larger stands for an infinity: -1e30 where nothing leads to


@dataclass(frozen=True)
class Finding:
    """What was seen at one point. count: how many numbers were compared."""

    error: float
    count: int

    @property
    def holds(self) -> bool:
        return self.error <= TOLERANCE


def is_moderate(x: Array) -> Array:
    """Where `x` is a number that does not stand for an infinity."""
    return np.abs(x) < HUGE


def where_moderate(found: Array, x: Array) -> Array:
    """`found` where `x` is moderate; not a number elsewhere, so that it is left out."""
    return np.where(is_moderate(x), found, np.nan)


def together(findings: Sequence[Finding]) -> Finding:
    """The worst of several, as one."""
    error = max((finding.error for finding in findings), default=0.0)
    return Finding(error, sum(finding.count for finding in findings))


def compared(found: Array, expected: Array, scale: Array | float = 0.0) -> Finding:
    """How far `found` is from `expected`, relative to the largest magnitude of either.

    `scale`: magnitudes that rounding is relative to, where they are larger. What is not finite in
    `expected` is left out; what is finite there and not in `found` is an infinite difference.
    """
    if np.shape(found) != np.shape(expected):
        return Finding(math.inf, 1)
    finite = np.isfinite(expected)
    if not np.any(finite):
        return Finding(0.0, 0) if np.size(expected) else Finding(0.0, 1)
    a, b = np.asarray(found)[finite], np.asarray(expected)[finite]
    if not np.all(np.isfinite(a)):
        return Finding(math.inf, a.size)
    a, b = a.astype(float), b.astype(float)
    difference = float(np.max(np.abs(a - b)))
    largest = max(float(np.max(np.abs(a))), float(np.max(np.abs(b))), _largest(scale))
    return Finding(difference / largest if difference else 0.0, a.size)


def _largest(scale: Array | float) -> float:
    magnitudes = np.abs(scale)
    return float(np.max(magnitudes, where=np.isfinite(magnitudes), initial=0.0))


def all_compared(found: Sequence[Array], expected: Sequence[Array]) -> list[Finding]:
    """Each with its counterpart."""
    return [compared(a, b) for a, b in zip(found, expected, strict=True)]
