"""`sg.save_weights` and `sg.load_weights`: a network's numbers under its `state_dict` names.

    sg.save_weights("digits.npz", params)
    params, state = sg.load_weights("digits.safetensors", model)

The numbers are what emitted modules take. Where symgrad is not installed, an .npz file is read
with NumPy alone: `params = dict(np.load("digits.npz"))`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symgrad.errors import OutputError, WeightsError
from symgrad.weights.arrays import Arrays, Weights, to_be_computed_with, to_be_stored
from symgrad.weights.fit import fitted
from symgrad.weights.npz import read_npz, write_npz
from symgrad.weights.safetensors import read_safetensors, write_safetensors
from symgrad.writing import replacing

SUFFIXES = (".npz", ".safetensors")


def save_weights(
    path: str | os.PathLike[str],
    params: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
) -> Path:
    """Writes the arrays to a file, whole or not at all; returns its path.

    `path`: ends in .npz or .safetensors, which is the format. Memory order does not travel: arrays
    are written in C order.

    Raises: WeightsError for what cannot be stored, OutputError if the file cannot be written.
    """
    file = _checked(path)
    twice = set(params) & set(state or {})
    if twice:
        raise WeightsError(f"{min(twice)} is both among the parameters and in the state")
    arrays = to_be_stored({**params, **(state or {})})
    try:
        with replacing(file) as stream:
            if file.suffix == ".npz":
                write_npz(stream, arrays)
            else:
                write_safetensors(stream, arrays, file)
    except OSError as error:
        raise OutputError(
            f"cannot write {file}: {error.strerror or error}",
            fix="choose a folder that exists and can be written",
        ) from None
    return file


def load_weights(path: str | os.PathLike[str], target: Any = None, dtype: Any = None) -> Weights:
    """The arrays of a file as `(params, state)`, ready for an emitted module.

    `target`: a model, a compiled model or a layer: names, shapes and kinds must be its own. Without
    it nothing says which arrays are state, and all are in `params`.
    `dtype`: float32 or float64, to which floats are converted. Without it they stay, but for
    float16 and bfloat16, which become float32.

    Raises: WeightsError if the file is none of the two formats, or does not fit `target`.
    """
    file = _checked(path)
    try:
        stored = read_npz(file) if file.suffix == ".npz" else read_safetensors(file)
    except OSError as error:
        raise WeightsError(f"cannot read {file}: {error.strerror or error}") from None
    arrays: Arrays = to_be_computed_with(to_be_stored(stored), dtype, str(file))
    return Weights(arrays, {}) if target is None else fitted(arrays, target, str(file))


def _checked(path: str | os.PathLike[str]) -> Path:
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise WeightsError(
            f"{file}: the suffix says the format, and {file.suffix or 'none'} is not known",
            facts={"expected": " or ".join(SUFFIXES)},
        )
    return file
