"""Handwritten digits, 8x8 grey values: the set bundled with scikit-learn, and one split of it."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, x_test: [count, 64] from 0 to 1, in float32; y, y_test: [count]; a fifth to test."""
    data = load_digits()
    images = (data.data / 16.0).astype(np.float32)
    x, x_test, y, y_test = train_test_split(
        images, data.target, test_size=0.2, random_state=0, stratify=data.target
    )
    return x, x_test, y, y_test
