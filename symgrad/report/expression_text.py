"""A graph of tensor expressions as a list of lines: `name = formula   [shape]   # file:line`."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.expr.dimension import shape_text
from symgrad.expr.equation import equation
from symgrad.expr.leaf import Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.report.naming import Naming

COLUMN = 56


def expression_lines(outputs: Mapping[str, Node], names: Mapping[Node, str]) -> list[str]:
    """Arguments, then every tensor in an order in which it can be computed, then the results."""
    naming = Naming(outputs.values(), names)
    lines = [
        _aligned(f"{type(leaf).__name__.lower()} {naming.name_of(leaf)}", leaf)
        for leaf in postorder(outputs.values())
        if isinstance(leaf, Named)
    ]
    lines += [_aligned(equation(node, naming.name_of), node) for node in naming.lines]
    for key, node in outputs.items():
        name = naming.name_of(node)
        lines.append(f"return {key}" + (f" = {name or equation_side(node)}" if name != key else ""))
    return lines


def equation_side(node: Node) -> str:
    """The formula of a result that has no line of its own: a constant."""
    return equation(node, lambda _: None).partition(" = ")[2]


def _aligned(text: str, node: Node) -> str:
    where = f"  # {node.location}" if node.location else ""
    kind = "" if node.dtype == "float" else f" {node.dtype}"
    return f"{text.ljust(COLUMN)}  {shape_text(node.shape)}{kind}{where}"
