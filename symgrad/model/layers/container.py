"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from symgrad.errors import DefinitionError, NamingError
from symgrad.expr.node import user_location
from symgrad.model.layers.module import Module


class _Holder(Module):
    """Modules kept as attributes, so that their parts of the path are the attributes' names."""

    def _hold(self, part: str, layer: Any) -> None:
        kind = type(self).__name__
        if not isinstance(layer, Module):
            raise DefinitionError(
                f"layer {part} of a {kind} is {layer!r}, not a module",
                where=user_location(),
                fix="pass layers such as nn.ReLU(), objects and not classes or functions",
            )
        if not isinstance(part, str) or hasattr(type(self), part) or part.startswith("_"):
            raise NamingError(
                f"{part!r} cannot name a layer of a {kind}, which uses that name itself",
                where=user_location(),
                fix="use another name",
            )
        setattr(self, part, layer)

    def _held(self) -> dict[str, Module]:
        return {part: value for part, value in vars(self).items() if isinstance(value, Module)}

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held().values())

    def __len__(self) -> int:
        return len(self._held())


class Sequential(_Holder):
    """Modules applied one after the other; their parameters are `0.weight`, `2.weight`, ...

    `Sequential({"encoder": ..., "head": ...})` names them instead.
    """

    def __init__(self, *layers: Any) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            parts = dict(layers[0])
        else:
            parts = {str(i): layer for i, layer in enumerate(layers)}
        for part, layer in parts.items():
            self._hold(part, layer)

    def forward(self, input: Any) -> Any:
        for layer in self:
            input = layer(input)
        return input

    def __getitem__(self, i: int) -> Module:
        return list(self)[i]


class ModuleList(_Holder):
    """Modules in a list: `0.weight`, `1.weight`, ... Who owns it says what is computed."""

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        self.extend(() if modules is None else modules)

    def append(self, module: Any) -> ModuleList:
        """Adds a module at the end; returns the list."""
        self._hold(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Any]) -> ModuleList:
        """Adds modules at the end; returns the list."""
        for module in modules:
            self.append(module)
        return self

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]

    def __setitem__(self, index: int, module: Any) -> None:
        self._hold(str(range(len(self))[index]), module)


class ModuleDict(_Holder):
    """Modules under names. Who owns it says what is computed."""

    def __init__(self, modules: Any = None) -> None:
        self.update({} if modules is None else modules)

    def update(self, modules: Any) -> None:
        """Adds or replaces modules: those of a mapping, or pairs of name and module."""
        is_mapping = isinstance(modules, Mapping | ModuleDict)
        for name, module in modules.items() if is_mapping else modules:
            self[name] = module

    def __setitem__(self, name: str, module: Any) -> None:
        self._hold(name, module)

    def __getitem__(self, name: str) -> Module:
        return self._held()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._held()

    def __iter__(self) -> Iterator[str]:
        return iter(self._held())

    def keys(self) -> Iterable[str]:
        """The names, in order."""
        return self._held().keys()

    def values(self) -> Iterable[Module]:
        """The modules, in order."""
        return self._held().values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules, in order."""
        return self._held().items()
