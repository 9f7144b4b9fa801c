"""Weights in the safetensors format, through the package of that name (an optional extra).

bfloat16, which NumPy lacks, is read as float32 with the same numbers: its 16 bits are the upper
half of a float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np

from symgrad.errors import UnsupportedError, WeightsError
from symgrad.weights.arrays import Array, Arrays

TYPES: dict[str, str] = {
    "BOOL": "?", "I8": "<i1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
    "U8": "<u1", "U16": "<u2", "U32": "<u4", "U64": "<u8",
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2",
}  # fmt: skip


def write_safetensors(file: IO[bytes], arrays: Arrays, path: Path) -> None:
    """Writes the file. Raises: UnsupportedError without the package."""
    package = _package(path)
    file.write(package.numpy.save(arrays, metadata={"format": "np"}))


def read_safetensors(path: Path) -> Arrays:
    """The arrays by name, sorted. Raises: WeightsError, OSError; UnsupportedError without the
    package."""
    package = _package(path)
    try:
        stored = package.deserialize(path.read_bytes())
    except package.SafetensorError as error:
        raise WeightsError(
            f"{path} is not a safetensors file", facts={"cause": str(error)}
        ) from None
    return {name: _array(name, entry, path) for name, entry in sorted(stored)}


def _array(name: str, entry: dict[str, Any], path: Path) -> Array:
    kind = entry["dtype"]
    if kind not in TYPES:
        raise WeightsError(
            f"{path} holds {name} in the type {kind}",
            facts={"expected": f"one of {', '.join(TYPES)}"},
            fix="convert it where the file was written",
        )
    array = np.array(np.frombuffer(entry["data"], TYPES[kind]))  # the user's own, to be trained
    if kind == "BF16":
        array = (array.astype("<u4") << 16).view("<f4")
    return array.reshape(entry["shape"])


def _package(path: Path) -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise UnsupportedError(
            f"{path}: this format needs the package safetensors, which is not installed",
            fix="pip install 'symgrad[safetensors]', or use a file that ends in .npz",
        ) from None
    return safetensors
