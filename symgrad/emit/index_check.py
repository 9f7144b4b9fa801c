"""The line that refuses an index out of range, and what its message calls the index."""

from __future__ import annotations

from symgrad.emit.literal import size_source
from symgrad.expr.equation import right_side
from symgrad.expr.leaf import Arange, Constant, Named, Table
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder
from symgrad.program.instruction import Instruction

MOST_NODES, LONGEST = 8, 40  # of a formula that is told instead of a name


def check_line(line: Instruction, function: str, source: str) -> str:
    """The call that checks the index `source` of a guard."""
    (indices,) = line.values
    low, size = (size_source(line.options[key]) for key in ("low", "size"))
    told = None if indices.argument is not None else _formula(indices.node)
    name = told or source
    return f'_check_indices("{function}", "{name}", {source}, {low}, {size})'


def _formula(node: Node | None) -> str | None:
    """`lengths - 1`: an index that is computed, in words of the user's; None if that is long."""
    if node is None or node.label is not None:
        return None
    nodes = postorder([node])
    leaves = [leaf for leaf in nodes if not leaf.operands]
    if len(nodes) > MOST_NODES or not all(
        isinstance(leaf, Named | Constant | Table | Arange) for leaf in leaves
    ):
        return None
    text = right_side(node, lambda each: each.name if isinstance(each, Named) else each.label)
    return text if len(text) <= LONGEST and '"' not in text else None
