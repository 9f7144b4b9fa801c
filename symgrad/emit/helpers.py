"""Functions that NumPy lacks, emitted into a module only if it calls them."""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.emit.module import templates_folder

NEEDS = {"erfc": ("erf",)}


def helper_sources(names: Iterable[str]) -> tuple[str, ...]:
    """The texts of the functions `names`, and of what they call themselves, in order."""
    wanted = set(names)
    for name in list(wanted):
        wanted.update(NEEDS.get(name, ()))
    folder = templates_folder() / "helpers"
    return tuple((folder / f"{name}.py").read_text().rstrip("\n") for name in sorted(wanted))
