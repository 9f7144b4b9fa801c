"""Contraction: a product of operands summed over indices, in Einstein's notation.

Matrix products, transposes, sums, traces, diagonals, outer products and broadcasting are all
this one node. It is linear in each operand, so its derivatives are contractions too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy.core.containers import Tuple

from symgrad.errors import ShapeError
from symgrad.expr.dimension import Shape, same, shape_text
from symgrad.expr.node import FLOAT, INT, Node

Index = int
Term = tuple[Node, Sequence[Index]]


class Contraction(Node):
    """`result[output] = scale * sum over the other indices of prod_k operand_k[indices_k]`.

    Built by `contract`, which numbers the indices by first appearance so that equal contractions
    are one node.
    """

    scale: sympy.Expr
    output: tuple[Index, ...]
    indices: tuple[tuple[Index, ...], ...]
    sizes: dict[Index, sympy.Expr]

    def _infer(self) -> tuple[Shape, str]:
        self.scale = self.args[0]
        self.output = tuple(map(int, self.args[1].args))
        self.sizes = dict(enumerate(self.args[2].args))
        self.indices = tuple(tuple(map(int, group.args)) for group in self.args[3].args)
        whole = self.scale.is_integer and all(o.dtype != FLOAT for o in self.operands)
        return tuple(self.sizes[i] for i in self.output), INT if whole else FLOAT

    @property
    def terms(self) -> tuple[tuple[Node, tuple[Index, ...]], ...]:
        """The operands with their indices."""
        return tuple(zip(self.operands, self.indices, strict=True))

    @property
    def summed(self) -> tuple[Index, ...]:
        """The indices that are summed over."""
        kept = set(self.output)
        return tuple(i for i in self.sizes if i not in kept)

    @property
    def is_view(self) -> bool:
        """Whether it only permutes, drops size-1 axes of or broadcasts one operand."""
        return (
            len(self.operands) == 1
            and self.scale == 1
            and len(set(self.indices[0])) == len(self.indices[0])
            and all(self.sizes[i] == 1 for i in self.summed)
        )


def contract(
    output: Sequence[Index],
    terms: Sequence[Term],
    scale: object = 1,
    sizes: Mapping[Index, sympy.Expr] | None = None,
) -> Node:
    """The contraction of `terms`, each an operand and the index on each of its axes.

    `output`: the indices of the result, each once; one that stands on no operand is broadcast and
    needs its size in `sizes`. Indices are any hashable labels.

    Raises: ShapeError if an index has two sizes, or none.
    """
    known: dict[Index, sympy.Expr] = {}
    for operand, indices in terms:
        if len(indices) != operand.ndim:
            raise ShapeError(
                f"{len(indices)} indices for a tensor of {operand.ndim} axes, "
                f"{shape_text(operand.shape)}"
            )
        for index, size in zip(indices, operand.shape, strict=True):
            if index in known and not same(known[index], size):
                raise ShapeError(
                    f"sizes {known[index]} and {size} stand on the same index",
                    facts={f"operand {k}": shape_text(o.shape) for k, (o, _) in enumerate(terms)},
                )
            known.setdefault(index, size)
    for index in output:
        if index not in known:
            if not sizes or index not in sizes:
                raise ShapeError(f"the output index {index} has no size")
            known[index] = sizes[index]
    if len(set(output)) != len(output):
        raise ShapeError("an output index stands twice; use an Identity operand")
    number: dict[Index, int] = {}
    for index in (*output, *(i for _, indices in terms for i in indices)):
        number.setdefault(index, len(number))
    return Contraction(
        sympy.sympify(scale),
        Tuple(*(sympy.Integer(number[i]) for i in output)),
        Tuple(*(known[i] for i in number)),
        Tuple(*(Tuple(*(sympy.Integer(number[i]) for i in indices)) for _, indices in terms)),
        *(operand for operand, _ in terms),
    )


def transpose(operand: Node, axes: Sequence[int] | None = None) -> Node:
    """`operand` with its axes permuted; reversed where `axes` is None."""
    order = tuple(range(operand.ndim))[::-1] if axes is None else tuple(axes)
    if order == tuple(range(operand.ndim)):
        return operand
    return contract(order, [(operand, range(operand.ndim))])


def sum_over(operand: Node, axes: Sequence[int], scale: object = 1) -> Node:
    """`scale` times the sum of `operand` over `axes`, which are dropped."""
    gone = set(axes)
    kept = [i for i in range(operand.ndim) if i not in gone]
    if not gone and scale == 1:
        return operand
    return contract(kept, [(operand, range(operand.ndim))], scale)


def spread(operand: Node, axes: Mapping[int, sympy.Expr]) -> Node:
    """`operand` with new axes at the given positions of the result, repeated along them."""
    rank = operand.ndim + len(axes)
    old = [i for i in range(rank) if i not in axes]
    return contract(range(rank), [(operand, old)], sizes=dict(axes)) if axes else operand
