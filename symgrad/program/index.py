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


def python_slices(box: Box, shape: Shape) -> tuple[tuple[object, ...], list[int]]:
    """Per axis `(start, stop, step)` as Python's slices take them (None: the end), or ':'.

    Also the axes that are to be reversed afterwards: where a bound might be -1 for some sizes,
    Python would count it from the end, so the axis is read forwards.
    """
    slices: list[object] = []
    turned: list[int] = []
    for axis, ((start, length, step), size) in enumerate(zip(box, shape, strict=True)):
        if start == 0 and step == 1 and length == size:
            slices.append(":")
            continue
        stop: sympy.Expr | None = start + length * step
        if step < 0:
            last = sympy.expand(start + (length - 1) * step)
            from_end = sympy.expand(size - 1 - start) == 0
            if _reaches_front(start, length, step):
                stop = None
            elif last.is_positive:
                stop = last - 1
            if not (from_end or start.is_nonnegative) or not (stop is None or last.is_positive):
                turned.append(axis)
                slices.append((last, start + 1, -step))
                continue
            slices.append((None if from_end else start, stop, step))
            continue
        slices.append((start, stop, step))
    return tuple(slices), turned


def _reaches_front(start: sympy.Expr, length: sympy.Expr, step: int) -> bool:
    """Whether no entry is left before the last that a backward slice reads."""
    before = start + length * step
    whole = sympy.ceiling(sympy.expand(start + 1) / -step)
    return bool(before.is_negative) or sympy.expand(length - whole) == 0


def reversal(shape: Shape, axes: list[int]) -> tuple[object, ...]:
    """The slices that reverse `axes`."""
    return tuple((None, None, -1) if axis in axes else ":" for axis in range(len(shape)))
