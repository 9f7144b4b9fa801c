"""Map: a scalar SymPy formula applied elementwise over broadcast operands.

All elementwise mathematics is this one node. Its derivative is SymPy's, of the scalar formula.
"""

from __future__ import annotations

import sympy

from symgrad.errors import DefinitionError
from symgrad.expr.dimension import Shape, broadcast
from symgrad.expr.formula import kind, slots_of
from symgrad.expr.node import Node


class Map(Node):
    """`formula` over `operands`: slot `_i` stands for an element of operand i.

    shape: the operands' shapes, broadcast. Dimension symbols may stand in the formula.
    """

    formula: sympy.Expr

    def __new__(cls, formula: sympy.Expr, *operands: Node) -> Node:
        if not operands:
            raise DefinitionError("a map needs at least one operand; a number is a Constant")
        return super().__new__(cls, formula, *operands)

    def _infer(self) -> tuple[Shape, str]:
        self.formula = self.args[0]
        used = slots_of(self.formula)
        assert not used or used[-1] < len(self.operands), (self.formula, len(self.operands))
        shape = broadcast([operand.shape for operand in self.operands])
        return shape, kind(self.formula, tuple(operand.dtype for operand in self.operands))
