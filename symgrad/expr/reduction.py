"""Reductions along one axis that are not sums: max, min, prod, logsumexp, argmax, cumsum.

A reduction over several axes is one over their merged axis. A sum is a contraction.
"""

from __future__ import annotations

import sympy

from symgrad.expr.dimension import Shape
from symgrad.expr.node import FLOAT, INT, Node


class Reduction(Node):
    """`operand` reduced along `axis`, which is dropped."""

    axis: int

    def __new__(cls, operand: Node, axis: object) -> Node:
        return super().__new__(cls, operand, sympy.Integer(axis))

    def _infer(self) -> tuple[Shape, str]:
        self.axis = int(self.args[1])
        (operand,) = self.operands
        assert 0 <= self.axis < operand.ndim
        return operand.shape[: self.axis] + operand.shape[self.axis + 1 :], self._dtype(operand)

    def _dtype(self, operand: Node) -> str:
        return FLOAT if operand.dtype == FLOAT else INT


class Max(Reduction):
    """The largest entry; NaN if there is one. Its gradient goes to the first largest entry."""


class Min(Reduction):
    """The smallest entry; NaN if there is one. Its gradient goes to the first smallest entry."""


class ArgMax(Reduction):
    """The index of the first largest entry. No gradient."""

    def _dtype(self, operand: Node) -> str:
        return INT


class ArgMin(Reduction):
    """The index of the first smallest entry. No gradient."""

    def _dtype(self, operand: Node) -> str:
        return INT


class Prod(Reduction):
    """The product of the entries."""


class LogSumExp(Reduction):
    """log(sum(exp(x))), without overflow; -inf for no entries."""

    def _dtype(self, operand: Node) -> str:
        return FLOAT


class Cumulative(Reduction):
    """A running reduction: the axis stays."""

    def _infer(self) -> tuple[Shape, str]:
        _, dtype = super()._infer()
        return self.operands[0].shape, dtype


class CumSum(Cumulative):
    """The sum of the entries up to and including each."""


class ProdOthers(Cumulative):
    """The product of all other entries: the derivative of Prod, right where entries are 0."""
