"""What the argument of a named function is called: `h_in` in h = tanh(h_in)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symgrad.expr.contraction import Contraction
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder, uses


def names_of_arguments(roots: Iterable[Node], names: Mapping[Node, str]) -> dict[Node, str]:
    """Names for what only one map of `names` reads, which reads nothing else."""
    roots = list(roots)
    counts = uses(roots)
    found: dict[Node, str] = {}
    for node in postorder(roots):
        if isinstance(node, Map) and node in names and len(node.operands) == 1:
            (inner,) = node.operands
            if counts[inner] == 1 and inner not in names and isinstance(inner, Map | Contraction):
                found[inner] = f"{names[node]}_in"
    return found
