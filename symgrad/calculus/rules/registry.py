"""Which rule belongs to which node class: three tables, filled by decorators.

| table    | a rule gets                                   | and returns                           |
| ADJOINTS | g, node, *operands                            | per operand a contribution or None    |
| TANGENTS | the operands' tangents (or None), node, *operands | the node's tangent or None        |
| BATCHERS | size, node, new operands, which are batched   | the node with a leading axis of `size`|

`g` has the shape of `node`, a tangent that of its operand. A rule never undoes a broadcast, never
accumulates and never asks who consumes its node: the drivers do that, once. Its docstring is the
formula, as reports print it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import sympy

from symgrad.expr.node import Node

Contributions = tuple[Node | None, ...]
Adjoint = Callable[..., Contributions]
TangentRule = Callable[..., Node | None]
Batcher = Callable[[sympy.Expr, Node, tuple[Node, ...], tuple[bool, ...]], Node]
Rule = TypeVar("Rule", bound=Callable[..., object])

ADJOINTS: dict[type[Node], Adjoint] = {}
TANGENTS: dict[type[Node], TangentRule] = {}
BATCHERS: dict[type[Node], Batcher] = {}


def _register(
    table: dict[type[Node], Rule], classes: Sequence[type[Node]]
) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        assert rule.__doc__, f"{rule.__name__} does not say its formula"
        for node_class in classes:
            assert node_class not in table, f"{node_class.__name__} has two rules"
            table[node_class] = rule
        return rule

    return register


def adjoint(*classes: type[Node]) -> Callable[[Adjoint], Adjoint]:
    """Registers the reverse rule of `classes`."""
    return _register(ADJOINTS, classes)


def tangent(*classes: type[Node]) -> Callable[[TangentRule], TangentRule]:
    """Registers the forward rule of `classes`."""
    return _register(TANGENTS, classes)


def batcher(*classes: type[Node]) -> Callable[[Batcher], Batcher]:
    """Registers how `classes` carry one more leading axis."""
    return _register(BATCHERS, classes)
