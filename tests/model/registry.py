"""The catalogue of layers: what all files `*_catalogue.py` beside this one say about `torch.nn`.

Each of these files has lists of entries: how a class is constructed, and on what it runs. Tests
against PyTorch, of `sg.from_torch` and the table `docs/layers.md` read them here, so a class that
gets an entry in any list is in all of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol


class CatalogueEntry(Protocol):
    """What an entry says; see `layer_catalogue.Entry`."""

    @property
    def name(self) -> str: ...
    @property
    def constructions(self) -> Sequence[dict[str, Any]]: ...
    @property
    def data(self) -> Sequence[tuple[Any, ...]]: ...


@dataclass(frozen=True)
class Part:
    """An argument of a constructor that is itself a layer."""

    name: str
    arguments: dict[str, Any]

    def made(self, home: Any) -> Any:
        """The layer of `home`, which is `torch.nn` or `symgrad.nn`."""
        return getattr(home, self.name)(**resolved(self.arguments, home))


def resolved(construction: dict[str, Any], home: Any) -> dict[str, Any]:
    """The construction with its layers made."""
    return {k: v.made(home) if isinstance(v, Part) else v for k, v in construction.items()}


class Run(NamedTuple):
    """One call of one layer."""

    entry: CatalogueEntry
    construction: dict[str, Any]
    arrays: tuple[Any, ...]


@cache
def entries() -> dict[str, tuple[CatalogueEntry, ...]]:
    """The entries of all catalogues, by the name of the class."""
    found: dict[str, dict[int, CatalogueEntry]] = {}
    for path in sorted(Path(__file__).parent.glob("*_catalogue.py")):
        if path.name.startswith("test_"):
            continue
        for value in vars(importlib.import_module(path.stem)).values():
            for entry in value if isinstance(value, list | tuple) else ():
                if hasattr(entry, "constructions"):
                    found.setdefault(entry.name, {})[id(entry)] = entry
    return {name: tuple(each.values()) for name, each in sorted(found.items())}



def runs(entry: CatalogueEntry) -> Iterator[Run]:
    """Every construction with every data of an entry, on its kinks too."""
    for construction in entry.constructions:
        for arrays in (*entry.data, *getattr(entry, "kinks", ())):
            yield Run(entry, construction, arrays)
