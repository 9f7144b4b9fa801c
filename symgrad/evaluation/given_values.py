"""Points from values that are given by name, in a file for instance."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.errors import CheckError, WeightsError
from symgrad.evaluation.carried import Array
from symgrad.evaluation.points import Point, as_kind, start_of
from symgrad.evaluation.sizes import NoSuchSize, inferred
from symgrad.expr.dimension import shape_text
from symgrad.expr.leaf import Cotangent, Named, Random, State, Tangent
from symgrad.expr.node import BOOL, FLOAT, INT
from symgrad.weights.misfits import misfits
from symgrad.weights.npz import read_npz


def read_values(path: str | Path) -> dict[str, Array]:
    """The arrays of an .npz file by name. Raises: WeightsError."""
    try:
        return dict(read_npz(Path(path)))
    except OSError as error:
        raise WeightsError(
            f"cannot read {path}: {error.strerror or error}",
            fix='name an .npz file, or "random" for small numbers',
        ) from None


def point_from(
    values: Mapping[str, Array],
    leaves: Sequence[Named],
    source: str = "the values",
    seed: int = 0,
    needed: Collection[Named] | None = None,
) -> Point:
    """The point where leaves have the `values` of their names.

    Only those of `needed` must be there (by default all); states may be left out, and are then as
    they start, and so may random draws and directions.
    Raises: CheckError with all that is missing, not expected, or of a wrong shape or kind.
    """
    by_name: dict[str, Named] = {}
    for leaf in leaves:
        by_name.setdefault(leaf.name, leaf)
    optional = (State, Random, Tangent, Cotangent)
    arrays = {name: np.asarray(value) for name, value in values.items()}
    problems = {
        "missing": ", ".join(
            f"{name} {shape_text(leaf.shape)}"
            for name, leaf in by_name.items()
            if name not in arrays
            and not isinstance(leaf, optional)
            and (needed is None or leaf in needed)
        ),
        "unexpected": ", ".join(name for name in arrays if name not in by_name),
        "wrong": "; ".join(
            misfits([(x, a, by_name[x]) for x, a in arrays.items() if x in by_name], _is_of_kind)
        ),
    }
    if any(problems.values()):
        raise CheckError(
            f"{source} does not give the values of the parameters and inputs",
            facts={label: text for label, text in problems.items() if text},
            fix=f"save them by name: np.savez(file, {_arguments(list(by_name)[:3])})",
        )
    given = {by_name[name]: as_kind(array, by_name[name]) for name, array in arrays.items()}
    try:
        sizes = inferred((leaf.shape, array.shape) for leaf, array in given.items())
    except NoSuchSize as reason:
        raise CheckError(f"the shapes of {source} contradict each other: {reason}") from None
    rng = np.random.default_rng(seed)
    for leaf in leaves:
        is_left_out = needed is not None and leaf not in needed and leaf.name not in arrays
        if leaf not in given and not is_left_out:
            one = by_name[leaf.name]
            given[leaf] = _part(given[one], sizes.shape(leaf.shape)) if one in given else None
            if given[leaf] is None:
                given[leaf] = start_of(leaf, rng, sizes)
    return Point(given, sizes)


def _part(whole: Array, shape: tuple[int, ...]) -> Array | None:
    """The first entries: of a leaf that stands for one example of those that are given."""
    if whole.ndim != len(shape) or any(a < b for a, b in zip(whole.shape, shape, strict=True)):
        return None
    return whole[tuple(map(slice, shape))]


def _arguments(names: list[str]) -> str:
    """`x=..., y=...`, or a dict where a name is no identifier: that of a layer's parameter."""
    if all(name.isidentifier() for name in names):
        return ", ".join(f"{name}=..." for name in names)
    return "**{" + ", ".join(f'"{name}": ...' for name in names) + "}"


def _is_of_kind(array: Any, leaf: Named) -> bool:
    kinds = {FLOAT: "fiu", INT: "iu", BOOL: "b"}
    return array.dtype.kind in kinds[leaf.dtype]
