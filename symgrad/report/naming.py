"""Names for the tensors of a text, so that each of its lines stays short.

A tensor that has a name keeps it; one that is used more than once, or whose formula would be too
long inside another, is called `t1`, `t2`, ... All others are written where they are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symgrad.expr.equation import right_side
from symgrad.expr.leaf import Leaf, Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder, uses

LONGEST_PART = 48


class Naming:
    """Names of all tensors below `roots` that have a line of their own."""

    def __init__(
        self,
        roots: Iterable[Node],
        known: Mapping[Node, str],
        every_node: bool = False,
    ) -> None:
        """`every_node`: give a line to each tensor, and write none inside another.

        lines: the tensors that have a line, operands first. automatic: those of them that are
        called `t1`, `t2`, ...
        """
        roots = list(roots)
        order = postorder(roots)
        readers = uses(roots)
        self._names: dict[Node, str] = {}
        self._taken: set[str] = set()
        for node in order:
            if node in known:
                self._names[node] = self._unique(known[node])
            elif isinstance(node, Named):
                self._names[node] = self._unique(node.name)
        self.lines: list[Node] = []
        self.automatic: set[Node] = set()
        number = 0
        for node in order:
            if isinstance(node, Leaf):
                continue
            if node not in self._names:
                long = len(right_side(node, self.name_of)) > LONGEST_PART
                if not (every_node or long or readers[node] > 1):
                    continue
                number += 1
                while f"t{number}" in self._taken:
                    number += 1
                self._names[node] = self._unique(f"t{number}")
                self.automatic.add(node)
            self.lines.append(node)

    def name_of(self, node: Node) -> str | None:
        """The name of `node`, None if it is written where it is used."""
        return self._names.get(node)

    def _unique(self, wish: str) -> str:
        name, number = wish, 2
        while name in self._taken:
            name, number = f"{wish}_{number}", number + 1
        self._taken.add(name)
        return name
