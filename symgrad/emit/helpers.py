"""Functions that NumPy lacks, emitted into a module only if it calls them."""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.emit import linear_algebra
from symgrad.emit.module import templates_folder
from symgrad.program.instruction import Instruction

NEEDS = {
    "erfc": ("erf",),
    "ndtr": ("erf",),
    "reduce_windows": ("windows",),
    **dict.fromkeys(
        "solve solve_triangular inv cholesky eigh eigvalsh svd svdvals pinv".split(),  # noqa: SIM905
        ("refuse_matrix",),
    ),
    **dict.fromkeys(
        ("cofactors", "change_of_cofactors"), ("prod_others", "svd", "refuse_matrix")
    ),
}
# Instructions that are written as calls of a function of their own name.
CALLS = frozenset({"add_along", "windows"})


def helpers_called(lines: Iterable[Instruction]) -> set[str]:
    """The functions that these lines call."""
    lines = list(lines)
    of_rows = {"add_rows"} if any(line.options.get("rows") for line in lines) else set()
    return of_rows | linear_algebra.helpers_of(lines) | {
        str(line.options["name"]) if line.op == "call" else line.op
        for line in lines
        if line.op == "call" or line.op in CALLS
    }


def helper_sources(names: Iterable[str]) -> tuple[str, ...]:
    """The texts of the functions `names`, and of what they call themselves, in order."""
    wanted = set(names)
    for name in list(wanted):
        wanted.update(NEEDS.get(name, ()))
    folder = templates_folder() / "helpers"
    return tuple((folder / f"{name}.py").read_text().rstrip("\n") for name in sorted(wanted))
