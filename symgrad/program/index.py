"""Indices as Python writes them: `[:, None]` for axes of size 1, `[a:b:c]` for boxes."""

from __future__ import annotations

import sympy

from symgrad.expr.dimension import Shape

Box = tuple[tuple[sympy.Expr, sympy.Expr, int], ...]


def stretch(old: Shape, new: Shape) -> tuple[object, ...]:
    """The index that turns shape `old` into `new`, which differ by axes of size 1."""
    key: list[object] = []
    i = 0
    for size in new:
        while i < len(old) and old[i] == 1 and size != 1:
            key.append(0)
            i += 1
        if size == 1 and (i >= len(old) or old[i] != 1):
            key.append(None)
        else:
            key.append(":")
            i += 1
    key.extend(0 for _ in old[i:])
    return tuple(key)


def new_sizes(actual: Shape, key: tuple[object, ...]) -> list[sympy.Expr]:
    """The sizes of `value[key]` for a value of shape `actual`."""
    sizes: list[sympy.Expr] = []
    i = 0
    for entry in key:
        if entry is None:
            sizes.append(sympy.S.One)
        else:
            if entry == ":":
                sizes.append(actual[i])
            i += 1
    return sizes + list(actual[i:])


def python_slices(box: Box, shape: Shape) -> tuple[object, ...]:
    """Per axis `(start, stop, step)` as Python's slices take them, or ':' for all of it."""
    slices: list[object] = []
    for (start, length, step), size in zip(box, shape, strict=True):
        if start == 0 and step == 1 and length == size:
            slices.append(":")
            continue
        stop: sympy.Expr | None = start + length * step
        if step < 0:
            last = sympy.expand(start + (length - 1) * step)
            stop = None if last == 0 or (last - abs(step)).is_negative else last - 1
            if last.free_symbols and not last.is_positive:
                stop = None if last == 0 else last - 1
        if step > 1:
            stop = sympy.expand(start + (length - 1) * step + 1)
        slices.append((start, stop, step))
    return tuple(slices)
