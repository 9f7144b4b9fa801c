"""Sizes of dimensions on the command line: `--size n=128 --size d=784`, or both in one."""

from __future__ import annotations

from collections.abc import Sequence

import click


def sizes_in(texts: Sequence[str]) -> dict[str, int | str]:
    """Sizes by name; what is no whole number stays text, for an error that knows the dimensions.

    Raises: click.BadParameter.
    """
    sizes: dict[str, int | str] = {}
    for text in texts:
        for part in text.replace(",", " ").split() or [text]:
            name, equals, size = part.partition("=")
            if not (name and equals and size):
                raise click.BadParameter(
                    f'{text!r} is not NAME=N, such as "n=128 d=784"', param_hint="--size"
                )
            if name in sizes:
                raise click.BadParameter(f"{name} is given twice", param_hint="--size")
            sizes[name] = int(size) if size.removeprefix("-").isdecimal() else size
    return sizes
