"""Arrays against declared tensors: a sentence for each that is of a wrong kind or shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import sympy

from symgrad.expr.dimension import shape_text
from symgrad.expr.leaf import Named
from symgrad.weights.arrays import Array


def misfits(
    given: Sequence[tuple[str, Array, Named]], is_of_kind: Callable[[Array, Named], bool]
) -> Iterator[str]:
    """What is wrong with arrays, by name, for the tensors that they are meant for.

    A dimension takes the first size that it is met with.
    """
    sizes: dict[sympy.Expr, int] = {}
    for name, array, leaf in given:
        if not is_of_kind(array, leaf):
            yield f"{name} holds {array.dtype}, expected {leaf.dtype}"
        for size, declared in zip(array.shape, leaf.shape, strict=False):
            if isinstance(declared, sympy.Symbol):
                sizes.setdefault(declared, size)
    for name, array, leaf in given:
        expected = tuple(size.subs(sizes) for size in leaf.shape)
        fits = len(expected) == array.ndim and all(
            bool(e.free_symbols) or a == e for a, e in zip(array.shape, expected, strict=True)
        )
        if not fits:
            yield f"{name} is {shape_text(array.shape)}, expected {shape_text(expected)}"
