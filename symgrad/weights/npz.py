"""Weights in NumPy's own format: a zip archive with one `.npy` file for each array.

`dict(np.load(path))` reads what is written here. The archive is written member by member, since
`np.savez` takes names as keyword arguments (a parameter called `file` would not do) and stamps
them with the time; these are the same bytes for the same numbers.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from symgrad.errors import WeightsError
from symgrad.weights.arrays import Arrays


def write_npz(file: IO[bytes], arrays: Arrays) -> None:
    """Writes the archive, without compression."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # stamped with 1980, as zip begins there
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read_npz(path: Path) -> Arrays:
    """The arrays by name, in the order of the file. Nothing is ever unpickled.

    Raises: WeightsError, OSError.
    """
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is no zip archive, or only a part of one")
            archive = np.load(file, allow_pickle=False)
            arrays = {name: archive[name] for name in archive.files}
        if stray := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"it also holds the file {stray[0]}")
        return arrays
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsError(
            f"{path} is not an .npz file of plain arrays",
            facts={"cause": str(error).splitlines()[0] if str(error) else type(error).__name__},
        ) from None
