"""Lists and dicts of parameters: `scales = nn.ParameterList([...])` holds `scales.0` and so on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from symgrad.errors import DefinitionError, NamingError
from symgrad.expr.leaf import Parameter as ParameterLeaf
from symgrad.expr.node import user_location
from symgrad.model.layers.module import Module, Parameter


class _Held(Module):
    """Parameters kept as attributes under `_keys`: `nn.Parameter(shape)` or `sg.parameter(...)`."""

    _keys: list[str]

    def _hold(self, key: Any, parameter: Any) -> None:
        kind = type(self).__name__
        if not isinstance(parameter, Parameter | ParameterLeaf):
            raise DefinitionError(
                f"entry {key} of a {kind} is {parameter!r}, not a parameter",
                where=user_location(),
                fix="pass nn.Parameter(shape, init)",
            )
        if not isinstance(key, str) or hasattr(type(self), key) or key.startswith("_"):
            raise NamingError(
                f"{key!r} cannot name a parameter of a {kind}, which uses that name itself",
                where=user_location(),
                fix="use another name",
            )
        setattr(self, key, parameter)
        if key not in self._keys:
            self._keys.append(key)

    def _held(self) -> list[Any]:
        return [getattr(self, key) for key in self._keys]

    def __len__(self) -> int:
        return len(self._keys)


class ParameterList(_Held):
    """Parameters in a list: `0`, `1`, ..."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        self._keys = []
        self.extend(() if values is None else values)

    def append(self, value: Any) -> ParameterList:
        """Adds a parameter at the end; returns the list."""
        self._hold(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Adds parameters at the end; returns the list."""
        for value in values:
            self.append(value)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held())

    def __getitem__(self, index: Any) -> Any:
        return self._held()[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self._hold(self._keys[index], value)


class ParameterDict(_Held):
    """Parameters under names."""

    def __init__(self, parameters: Any = None) -> None:
        self._keys = []
        self.update({} if parameters is None else parameters)

    def update(self, parameters: Any) -> None:
        """Adds or replaces parameters: those of a mapping, or pairs of name and parameter."""
        is_mapping = isinstance(parameters, Mapping | ParameterDict)
        for key, parameter in parameters.items() if is_mapping else parameters:
            self[key] = parameter

    def __setitem__(self, key: str, parameter: Any) -> None:
        self._hold(key, parameter)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def keys(self) -> list[str]:
        """The names, in order."""
        return list(self._keys)

    def values(self) -> list[Any]:
        """The parameters, in order."""
        return self._held()

    def items(self) -> list[tuple[str, Any]]:
        """Names and parameters, in order."""
        return list(zip(self._keys, self._held(), strict=True))
