"""What parts of a step are called when they leave it: after the tensor that they are a part of.

    a   = W_xh @ x + W_hh @ h + b      the part without a state is called a_given
    d_a = d_h * (1 - h**2)             the factor of what arrives is called slope_a
"""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.expr.leaf import Leaf
from symgrad.expr.node import Node
from symgrad.expr.scan import wishes
from symgrad.expr.walk import postorder

DERIVATIVE = "d_"


def names_of_parts(roots: Iterable[Node], parts: Iterable[Node]) -> dict[Node, str]:
    """A name for each of `parts` that has one itself, or that only one named tensor is made of."""
    owners: dict[Node, set[str]] = {}
    for node in reversed(postorder(roots)):
        name = _name_of(node)
        above = {name} if name is not None else owners.get(node, set())
        for operand in node.operands:
            owners.setdefault(operand, set()).update(above)
    found: dict[Node, str] = {}
    for part in parts:
        name = _name_of(part)
        if name is None and len(owners.get(part, ())) == 1:
            name = _part_of(*owners[part])
        if name is not None:
            found[part] = name
    return found


def _name_of(node: Node) -> str | None:
    return None if isinstance(node, Leaf) else node.label or wishes.get(node)


def _part_of(name: str) -> str:
    if name.startswith(DERIVATIVE):
        return f"slope_{name.removeprefix(DERIVATIVE)}"
    return f"{name}_given"
