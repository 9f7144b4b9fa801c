"""What the walk over a model finds: uses of signals, linear layers, recurrences.

A passage is an edge of the graph that the analysis sees, from one source to the next; the way
back goes over the same passages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy
from sympy import Expr, S

from symgrad.expr.leaf import Filled, Parameter
from symgrad.expr.node import Node
from symgrad.expr.scan import Scan
from symgrad.health.signal import Source, Sources, settled

Sizes = Mapping[sympy.Symbol, int]


@dataclass(frozen=True)
class Passage:
    """A use of a signal: `formula` of sources, an entry of `tensor`, goes into `target`.

    factor: E[d_entry^2] over the target's gradient's second moment, before the formula's slope.
    """

    formula: Expr
    tensor: Node
    target: Source
    factor: Expr


@dataclass(frozen=True)
class Linear:
    """A linear layer: its passage, and its parameter's law."""

    passage: Passage
    weight: Parameter
    fan_in: Expr
    fan_out: Expr
    weight_variance: Expr


@dataclass(frozen=True)
class Recurrent:
    """A recurrence whose state is one signal, followed until that signal's size is steady.

    formula: the state, of `signal`. found: what the steps were followed by; `signals`: the source
    of the state at each step.
    """

    scan: Scan
    formula: Expr
    found: Forward
    signals: tuple[Source, ...]


@dataclass
class Forward:
    """What the walk found: sources, passages, linear layers, notes."""

    sources: Sources = field(default_factory=Sources)
    passages: list[Passage] = field(default_factory=list)
    layers: list[Linear] = field(default_factory=list)
    bias_variance: dict[Source, Expr] = field(default_factory=dict)
    recurrences: list[Recurrent] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def law_of(node: Filled, sizes: Sizes) -> tuple[Expr, Expr, bool]:
    """Mean, variance and whether it is normal, as the initialiser draws it."""
    kind, *numbers = node.initialiser
    numbers = [number.subs(sizes) for number in numbers]
    if kind == "uniform":
        low, high = numbers
        return settled((low + high) / 2), settled((high - low) ** 2 / 12), False
    if kind == "constant":
        return numbers[0], S.Zero, True
    return settled(numbers[0]), settled(numbers[1] ** 2), True
