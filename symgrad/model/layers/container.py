"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from symgrad.errors import DefinitionError
from symgrad.expr.node import user_location
from symgrad.model.layers.module import Module, checked_name


class Sequential(Module):
    """Modules applied one after the other; their parameters are `0.weight`, `2.weight`, ...

    `Sequential({"encoder": ..., "head": ...})` names them instead.
    """

    def __init__(self, *layers: Any, name: str | None = None) -> None:
        self.name = checked_name(name)
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            parts = dict(layers[0])
        else:
            parts = {str(i): layer for i, layer in enumerate(layers)}
        for part, layer in parts.items():
            if not isinstance(layer, Module):
                raise DefinitionError(
                    f"layer {part} of a Sequential is {layer!r}, not a module",
                    where=user_location(),
                    fix="pass layers such as nn.ReLU(), objects and not classes or functions",
                )
            setattr(self, part, layer)

    def forward(self, input: Any) -> Any:
        for layer in self:
            input = layer(input)
        return input

    def __iter__(self) -> Iterator[Module]:
        return iter([value for value in vars(self).values() if isinstance(value, Module)])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, i: int) -> Module:
        return list(self)[i]
