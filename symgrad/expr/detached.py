"""Detached: a tensor held fixed. It has the values of its operand, and no derivative.

It stands in definitions and derivations only: once everything is derived, a pass puts the operand
in its place, so that nothing is computed for it.
"""

from __future__ import annotations

import sympy

from symgrad.expr.dimension import Shape
from symgrad.expr.node import Node


class Detached(Node):
    """`operand`, through which no gradient and no tangent passes.

    `is_exact`: what it stands in has the true derivative all the same, as a variance about a
    centre held at the mean has; a check can compare it with differences.
    """

    is_exact: bool

    def __new__(cls, operand: Node, is_exact: object = False) -> Node:
        return super().__new__(cls, operand, sympy.true if is_exact else sympy.false)

    def _infer(self) -> tuple[Shape, str]:
        (operand,) = self.operands
        self.is_exact = bool(self.args[1])
        return operand.shape, operand.dtype
