"""The arrays that travel: native, C-ordered, of the types that both file formats know.

A module computes in float32 or float64. So float16 and bfloat16, in which many networks are
published, widen to float32 when they are read: that is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from symgrad.errors import WeightsError

Array = npt.NDArray[Any]
Arrays = dict[str, Array]

STORED = frozenset(
    np.dtype(kind)
    for kind in (
        np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32,
        np.uint64, np.float16, np.float32, np.float64,
    )
)  # fmt: skip
COMPUTED = (np.dtype(np.float32), np.dtype(np.float64))


class Weights(NamedTuple):
    """What an emitted module takes: its parameters and, where layers keep any, their state."""

    params: Arrays
    state: Arrays


def to_be_stored(named: Mapping[str, Any]) -> Arrays:
    """The values as arrays that a file can hold. Raises: WeightsError for other things."""
    arrays = {name: _native(np.asarray(value)) for name, value in named.items()}
    for name, array in arrays.items():
        if not isinstance(name, str) or not name:
            raise WeightsError(f"weights are saved under names, not under {name!r}")
        if array.dtype not in STORED:
            raise WeightsError(
                f"{name} holds {array.dtype}, which is no type of weights",
                facts={"expected": "float16, float32, float64, whole numbers or bool"},
                fix="convert it first, for example with .astype(np.float32)",
            )
    return arrays


def to_be_computed_with(arrays: Arrays, dtype: Any, source: str) -> Arrays:
    """The arrays as a module takes them: all floats of one type, `dtype` if it is given.

    Raises: WeightsError if `dtype` is no float type of ours, or if none is given and the file
    mixes 32 and 64 bits.
    """
    wanted = None if dtype is None else _float_type(dtype)
    floats = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}
    types = {np.promote_types(array.dtype, np.float32): name for name, array in floats.items()}
    if wanted is None and len(types) > 1:
        raise WeightsError(
            f"{source} mixes float32 and float64, and a module computes in one of them",
            facts={str(found): types[found] for found in COMPUTED},
            fix="say which: dtype=np.float32 or dtype=np.float64",
        )
    chosen = wanted or next(iter(types), COMPUTED[0])
    return {
        name: array.astype(chosen, copy=False) if name in floats else array
        for name, array in arrays.items()
    }


def _float_type(dtype: Any) -> np.dtype[Any]:
    for known in COMPUTED:
        if dtype in (known, known.type, known.name):
            return known
    raise WeightsError(
        f"weights cannot be loaded as {dtype!r}", facts={"expected": "float32 or float64"}
    )


def _native(array: Array) -> Array:
    """The array in C order and in this machine's byte order, a copy only where it must be."""
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")
