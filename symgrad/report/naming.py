"""Names for the tensors of a text, so that each of its lines stays short.

A tensor that has a name keeps it; one that is used more than once, or whose formula would be too
long inside another, is called `t1`, `t2`, ... All others are written where they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from symgrad.expr.equation import right_side
from symgrad.expr.leaf import Constant, Leaf, Named
from symgrad.expr.node import Node
from symgrad.expr.walk import postorder, uses

LONGEST_PART = 48
LETTER = "u"  # of automatic names on paper, where t counts steps


class Naming:
    """Names of all tensors below `roots` that have a line of their own."""

    def __init__(
        self,
        roots: Iterable[Node],
        known: Mapping[Node, str],
        nameless: Container[Node] = frozenset(),
        taken: Iterable[str] = (),
        is_short: Callable[[Node], bool] = lambda node: False,
        letter: str = "t",
    ) -> None:
        """`nameless`: tensors that are to be written inside others whatever they are.

        taken: names that are not to be given. is_short: whether a tensor of named ones is written
        where it is used, however often. letter: of automatic names.

        names: of tensors with a name. lines: those of them that are computed, operands first.
        automatic: those of them that are called `t1`, `t2`, ...
        """
        roots = list(roots)
        order = postorder(roots)
        readers = uses(roots)
        self.names: dict[Node, str] = {}
        self._taken: set[str] = set()
        avoided = set(taken)
        for node in order:
            if node in known:
                self.names[node] = self._unique(known[node])
            elif isinstance(node, Named):
                self.names[node] = self._unique(node.name)
        self.lines: list[Node] = []
        self.automatic: set[Node] = set()
        number = 0
        short: set[Node] = set()
        for node in order:
            if isinstance(node, Leaf):
                continue
            if node not in self.names:
                known_before = (
                    x in self.names or x in short or isinstance(x, Constant) for x in node.operands
                )
                if is_short(node) and all(known_before):
                    short.add(node)
                    continue
                long = len(right_side(node, self.name_of)) > LONGEST_PART
                if node in nameless or (not long and readers[node] < 2):
                    continue
                number += 1
                while f"{letter}{number}" in self._taken or f"{letter}{number}" in avoided:
                    number += 1
                self.names[node] = self._unique(f"{letter}{number}")
                self.automatic.add(node)
            self.lines.append(node)

    def name_of(self, node: Node) -> str | None:
        """The name of `node`, None if it is written where it is used."""
        return self.names.get(node)

    def untold(self, node: Node, told: set[Node]) -> list[Node]:
        """The automatic names that the formula of `node` uses, itself or through others of them.

        Without those of `told`; operands first.
        """
        found: set[Node] = set()
        seen: set[Node] = set()
        stack = list(node.operands)
        while stack:
            operand = stack.pop()
            if operand in seen or operand in told:
                continue
            seen.add(operand)
            if operand in self.automatic:
                found.add(operand)
            if operand in self.automatic or operand not in self.names:
                stack.extend(operand.operands)
        return [line for line in postorder([node]) if line in found]

    def _unique(self, wish: str) -> str:
        name, number = wish, 2
        while name in self._taken:
            name, number = f"{wish}_{number}", number + 1
        self._taken.add(name)
        return name
