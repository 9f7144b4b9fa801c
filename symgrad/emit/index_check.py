"""The line that refuses an index out of range, and what its message calls the index."""

from __future__ import annotations

from symgrad.emit.literal import size_source
from symgrad.expr.equation import right_side
from symgrad.expr.leaf import Arange, Constant, Named, Table
from symgrad.expr.node import INT, Node
from symgrad.expr.walk import postorder
from symgrad.program.instruction import Instruction

MOST_NODES, LONGEST = 8, 40  # of a formula that is told instead of a name


def check_line(line: Instruction, function: str, source: str) -> str:
    """The call that checks the index `source` of a guard."""
    (indices,) = line.values
    low, size = (size_source(line.options[key]) for key in ("low", "size"))
    name = source if indices.argument is not None else _told(indices.node, source)
    return f'_check_indices("{function}", "{name}", {source}, {low}, {size})'


def whole_numbers(node: Node | None) -> list[str]:
    """The inputs of whole numbers that an index is computed from, by whole numbers alone."""
    found: list[str] = []
    waiting = [] if node is None else [node]
    seen = set(waiting)
    while waiting:
        each = waiting.pop()
        if isinstance(each, Named):
            found.append(each.name)
        below = [x for x in reversed(each.operands) if x.dtype == INT and x not in seen]
        seen.update(below)
        waiting += below
    return found


def _told(node: Node | None, source: str) -> str:
    """A computed index in the user's words: as a formula if that is short."""
    made_of = ", ".join(whole_numbers(node))
    return _formula(node) or (f"{source} (made of {made_of})" if made_of else source)


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
