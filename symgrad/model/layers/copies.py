"""Modules made like others, before anything is named: for stacks, and for their fresh numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from symgrad.model.layers.module import Module, Parameter

FILLED_LATER = ("_place", "_leaves", "_declared")
patterns: WeakSet[Module] = WeakSet()  # what copies were made of: perhaps used for nothing else


def copied(module: Module) -> Module:
    """A module with parts and declarations like those of `module`, whose tensors are its own.

    Tensors that were passed in from elsewhere (tied ones) stay the same tensors.
    """
    patterns.add(module)
    made = object.__new__(type(module))
    for key, declared in module.__dict__.get("_declared", {}).items():
        setattr(made, key, declared)
    for key, value in vars(module).items():
        if key not in FILLED_LATER:
            setattr(made, key, _copied_value(value))
    return made


def _copied_value(value: Any) -> Any:
    if isinstance(value, Module):
        return copied(value)
    if isinstance(value, list | tuple):
        return type(value)(_copied_value(entry) for entry in value)
    if isinstance(value, dict):
        return {key: _copied_value(entry) for key, entry in value.items()}
    return value


def redeclare(module: Module, change: Callable[[Parameter], Parameter]) -> None:
    """Replaces what is declared, in `module` and within it, but for what has a name already."""
    named = module.__dict__.get("_leaves", {})
    declared = module.__dict__.get("_declared", {})
    for key, each in declared.items():
        if isinstance(each, Parameter) and key not in named:
            declared[key] = change(each)
    for _, child in module.named_children():
        redeclare(child, change)
