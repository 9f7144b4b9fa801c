"""Python names for the tensors of a module: the user's own, kept unique and harmless."""

from __future__ import annotations

import builtins
import keyword
import re

RESERVED = frozenset(
    {"np", "sys", "params", "out", "dtype", "fits", "log_max", "tangents", "cotangents", "PARAMETERS", "INPUTS",
     "OUTPUTS", "DISTRIBUTIONS"}
)


def is_free(name: str) -> bool:
    """Whether emitted code may use `name` for a tensor."""
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and not keyword.issoftkeyword(name)
        and not hasattr(builtins, name)
        and name not in RESERVED
        and not name.startswith("_")
    )


def identifier(path: str) -> str:
    """An identifier that a person would choose for a dotted path: "0.weight" -> "weight_0"."""
    parts = [re.sub(r"\W", "_", part) for part in path.split(".")]
    if len(parts) > 1 and parts[0].isdigit():
        parts = [*parts[1:], parts[0]]
    name = "_".join(part for part in parts if part).strip("_") or "tensor"
    return name if not name[0].isdigit() else f"t_{name}"


class Names:
    """Hands out identifiers, each once."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = set(taken)

    def unique(self, wish: str) -> str:
        """`wish` as an identifier, numbered from 2 if it is taken, marked if reserved."""
        base = identifier(wish)
        if not is_free(base):
            base = f"{base.strip('_')}_"
        name, number = base, 2
        while name in self._taken or (name != base and not is_free(name)):
            name, number = f"{base.rstrip('_')}_{number}", number + 1
        self._taken.add(name)
        return name
