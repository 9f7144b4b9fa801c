"""Python names for the tensors of a module: the user's own, kept unique and harmless."""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Sequence

# What every emitted function calls its own things, and what its module defines.
RESERVED = frozenset(
    """
    np sys inspect params tangents cotangents out seed dtype fits log_max grads
    PARAMETERS INPUTS OUTPUTS DISTRIBUTIONS STATE UPDATES_STATE DRAWS
    """.split()  # noqa: SIM905
)
EASILY_MISREAD = frozenset({"l", "I", "O"})  # linters refuse them


def is_free(name: str) -> bool:
    """Whether emitted code may use `name` for a tensor."""
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and not hasattr(builtins, name)
        and name not in RESERVED
        and not name.startswith("_")
    )


def identifier(path: str) -> str:
    """An identifier that a person would choose for a dotted path: "0.weight" -> "weight_0".

    Whatever cannot stand in one (quotes, spaces, line ends) becomes an underscore.
    """
    parts = [_letters(part) for part in path.split(".")]
    if len(parts) > 1 and parts[0].isdecimal():
        parts = [*parts[1:], parts[0]]
    name = "_".join(part for part in parts if part).strip("_") or "tensor"
    return name if name.isidentifier() else f"t_{name}"


def _letters(part: str) -> str:
    """`part` as Python reads it, without what no identifier can hold."""
    normal = unicodedata.normalize("NFKC", part)
    return "".join(letter if f"a{letter}".isidentifier() else "_" for letter in normal)


class Names:
    """Hands out identifiers, each once."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}  # where the search for a free number goes on

    def unique(self, wish: str) -> str:
        """`wish` as an identifier, numbered from 2 if it is taken, marked if reserved."""
        return common_name(wish, [self])

    def has_free(self, name: str) -> bool:
        """Whether `unique` would give `name` as it is."""
        return name not in self._taken and is_free(name)

    def keep(self, name: str) -> str:
        """`name` unchanged: a keyword argument is called what its user calls it."""
        assert name not in self._taken and is_free(name), name
        self._taken.add(name)
        return name


def common_name(wish: str, scopes: Sequence[Names]) -> str:
    """`wish` as one identifier that is free in all of `scopes`; it is taken in each."""
    base = identifier(wish)
    if not is_free(base) or base in EASILY_MISREAD:
        base = f"{base}_"
    name = base
    number = max((scope._numbers.get(base, 2) for scope in scopes), default=2)
    while any(name in scope._taken for scope in scopes) or not is_free(name):
        name, number = f"{base.rstrip('_')}_{number}", number + 1
    for scope in scopes:
        scope._numbers[base] = number
        scope._taken.add(name)
    return name
