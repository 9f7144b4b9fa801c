"""Changes carried along with values: the imaginary part of an array is how it changes, times TINY.

    f(x + i TINY v) = f(x) + i TINY Df(x)[v]         to the last digit, since TINY**2 is nothing

So the slope of whatever NumPy computes with complex numbers comes out without a derivative being
known. A function that NumPy has for real numbers only is carried by differences of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any

TINY = 1e-60
STEP = 1e-3
# Central differences of the sixth order: offsets in steps and their weights.
OFFSETS = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))


def real(x: Array) -> Array:
    """The value, without its change."""
    return x.real if np.iscomplexobj(x) else x


def change(x: Array) -> Array:
    """How it changes."""
    return x.imag / TINY if np.iscomplexobj(x) else np.zeros(np.shape(x))


def moving(x: Array, direction: Array) -> Array:
    """`x`, changing along `direction`."""
    result = np.empty(np.broadcast_shapes(np.shape(x), np.shape(direction)), np.complex128)
    result.real, result.imag = real(x), TINY * np.asarray(direction)
    return result


def with_value(value: Array, x: Array) -> Array:
    """`value`, changing as `x` does."""
    return moving(value, change(x)) if np.iscomplexobj(x) else value


def is_moving(arrays: Sequence[Array]) -> bool:
    """Whether one of them carries a change."""
    return any(np.iscomplexobj(x) for x in arrays)


def by_differences(
    function: Callable[..., Array], arrays: Sequence[Array], is_elementwise: bool
) -> Array:
    """`function(*arrays)` and how it changes, from what it gives nearby."""
    if not is_moving(arrays):
        return function(*arrays)
    values = [real(x) for x in arrays]
    changes = [change(x) for x in arrays]
    step: Any
    if is_elementwise:
        size = sum(np.abs(v) for v in changes)
        step = STEP / np.where(size > 0, size, 1)
    else:
        magnitude = max((np.max(np.abs(x), initial=0) for x in values), default=0)
        size = max((np.max(np.abs(v), initial=0) for v in changes), default=0)
        step = STEP * max(float(magnitude), 1e-3) / (size or 1)
    total: Any = 0.0
    for offset, weight in OFFSETS:
        ahead = function(*(x + offset * step * v for x, v in zip(values, changes, strict=True)))
        behind = function(*(x - offset * step * v for x, v in zip(values, changes, strict=True)))
        total = total + weight * (ahead - behind)
    return moving(function(*values), total / step)
