"""Resizing: the same graph for another size of a dimension, everywhere that it occurs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from symgrad.expr.node import Node
from symgrad.expr.scan import Inner
from symgrad.expr.slots import fold, rebuild
from symgrad.expr.walk import postorder


def resize(roots: Iterable[Node], sizes: Mapping[sympy.Symbol, sympy.Expr]) -> dict[Node, Node]:
    """What each node below `roots` becomes where the dimensions `sizes` have other sizes.

    Shapes, formulas, scales, constants and boxes are rebuilt; a named leaf keeps its name and
    gets another shape.
    """
    became: dict[Node, Node] = {}
    for node in postorder(roots):
        args = tuple(
            became[arg] if isinstance(arg, Node) else _replaced(arg, sizes) for arg in node.args
        )
        new = rebuild(node, args)
        if new is not node:
            new.label = new.label or node.label
            new.location = new.location or node.location
        became[node] = new
    return became


def _replaced(arg: Any, sizes: Mapping[sympy.Symbol, sympy.Expr]) -> Any:
    def combine(part: Any, below: tuple[Any, ...]) -> Any:
        if type(part) is Inner:  # a tensor of a step; an Owner stays what it is
            return Inner(fold(part.node, combine))
        return rebuild(part, below) if part.args else sizes.get(part, part)

    return fold(arg, combine)
