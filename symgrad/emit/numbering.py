"""The equations of one function: names, numbers, and what is written inside which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.expr.node import Node


@dataclass(frozen=True)
class Equations:
    """The equations of one function: names, numbers, and what is written inside which."""

    names: Mapping[Node, str]
    numbers: Mapping[Node, int]
    parts: Mapping[Node, Node]

    def name_of(self, node: Node) -> str | None:
        return self.names.get(node)

    def owner(self, node: Node) -> Node:
        """The equation in which `node` is written: its own, or that of its only reader."""
        while node in self.parts:
            node = self.parts[node]
        return node
