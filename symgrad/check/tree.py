"""Results as modules return them: arrays in nested tuples and dicts, seen as paths and arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

Array = Any  # numpy.ndarray or a NumPy scalar
Tree = Any  # an Array, or a tuple or dict of Trees


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Array]]:
    """Every array of `tree` with its path: `[0]`, `[1]['W']`."""
    if isinstance(tree, Mapping):
        for key, part in tree.items():
            yield from leaves(part, f"{path}[{key!r}]")
    elif isinstance(tree, tuple | list):
        for position, part in enumerate(tree):
            yield from leaves(part, f"{path}[{position}]")
    else:
        yield path, tree


def mapped(function: Callable[[Array], Array], tree: Tree) -> Tree:
    """`tree` with `function` applied to every array."""
    if isinstance(tree, Mapping):
        return {key: mapped(function, part) for key, part in tree.items()}
    if isinstance(tree, tuple | list):
        return type(tree)(mapped(function, part) for part in tree)
    return function(tree)


def copied(tree: Tree) -> Tree:
    """`tree` with every array copied."""
    return mapped(lambda array: np.array(array, copy=True), tree)


def identical(tree: Tree, other: Tree) -> str | None:
    """None if both hold the same bytes; else the path of the first array that differs."""
    pairs = zip(leaves(tree), leaves(other), strict=True)
    for (path, a), (_, b) in pairs:
        a, b = np.asarray(a), np.asarray(b)
        if a.dtype != b.dtype or a.shape != b.shape or a.tobytes() != b.tobytes():
            return path or "the result"
    return None


def inner(a: Mapping[str, Array], b: Mapping[str, Array]) -> float:
    """The sum of a * b over all entries of `b`."""
    return float(sum(np.sum(np.asarray(a[key]) * b[key]) for key in b))


def magnitude(a: Mapping[str, Array], b: Mapping[str, Array]) -> float:
    """The sum of |a * b| over all entries of `b`: what the rounding of `inner` is relative to."""
    return float(sum(np.sum(np.abs(np.asarray(a[key]) * b[key])) for key in b))
