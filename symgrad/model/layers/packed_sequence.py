"""Sequences of different lengths in one tensor, under the names of `torch.nn.utils.rnn`.

PyTorch packs the steps that exist one after the other, so that the size of the result depends on
the lengths. Here a packed sequence is the padded tensor with its lengths: shapes stay known, and
the batch keeps its order. A recurrent layer runs each sequence through its own steps only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread, transpose
from symgrad.expr.dimension import as_dimension, same_shape, shape_text
from symgrad.expr.leaf import Arange, Constant, Table
from symgrad.expr.node import INT, Node, user_location
from symgrad.expr.operand import as_node, elementwise, name_of, number
from symgrad.expr.reindex import Concat
from symgrad.model.operations.operation import operation, whole_number

OF_PYTORCH = ("data", "batch_sizes", "sorted_indices", "unsorted_indices")


@dataclass(frozen=True, eq=False)
class PackedSequence:
    """What `pack_padded_sequence` returns, and what a recurrent layer returns that is given one.

    padded: [t, n, ...], 0 beyond the end of each sequence; lengths: [n] whole numbers; within:
    [t, n], whether a step belongs to its sequence.
    """

    padded: Node
    lengths: Node
    within: Node

    def followed_by(self, padded: Node) -> PackedSequence:
        """Sequences of the same lengths: `padded`, without what it holds beyond them."""
        return PackedSequence(_filled(padded, self.within, 0), self.lengths, self.within)

    def __getattr__(self, key: str) -> Any:
        if key in OF_PYTORCH:
            raise UnsupportedError(
                f"a packed sequence has no {key}: it is a padded tensor and its lengths",
                where=user_location(),
                fix="unpack it with pad_packed_sequence, compute, and pack it again",
            )
        raise AttributeError(f"PackedSequence has no attribute {key!r}")

    def __repr__(self) -> str:
        return f"PackedSequence({shape_text(self.padded.shape)})"


@operation
def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The sequences of `input`, each of which ends after its own number of steps.

    input: [t, n, ...], or [n, t, ...] with `batch_first`; what it holds beyond a length is never
    read, and has the gradient 0. lengths: [n] whole numbers, a tensor or a tuple. Those of a tuple
    are checked, and steps that no sequence has are cut off. Those of a tensor are known when the
    module runs: a length beyond t means t, one below 1 a sequence without steps, whose last state
    is its first. `enforce_sorted` asks for known lengths in decreasing order, as in PyTorch; the
    results keep the order of the batch either way.
    """
    x = as_node(input)
    if x.ndim < 2:
        raise ShapeError(
            "the input must have an axis of steps and one of sequences: "
            f"{'[n, t, ...]' if batch_first else '[t, n, ...]'}"
        )
    if batch_first:
        x = transpose(x, [1, 0, *range(2, x.ndim)])
    counts = _lengths(lengths, x.shape[1])
    if isinstance(counts, Table):
        known = [int(value) for value in counts.values]
        _check_known(known, x.shape[0], enforce_sorted)
        x = x[: max(known, default=0)]
    within = _within(x.shape[0], counts).named("within")
    return PackedSequence(_filled(x, within, 0).named("packed"), counts, within)


@operation
def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: Any = 0.0,
    total_length: Any = None,
) -> tuple[Node, Node]:  # fmt: skip
    """The padded tensor, `padding_value` beyond each length, and the lengths [n].

    It has the steps of the longest sequence where the lengths are known, else those that were
    packed; or `total_length` steps, which must not be fewer. Returns: ([t, n, ...], lengths), or
    ([n, t, ...], lengths) with `batch_first`.
    """
    if not isinstance(sequence, PackedSequence):
        given = "a tensor" if isinstance(sequence, Node) else type(sequence).__name__
        raise DefinitionError(
            f"the sequence must be a PackedSequence, not {given}",
            fix="make one with pack_padded_sequence(input, lengths)",
        )
    value, x = _padding(padding_value, sequence.padded), sequence.padded
    if value != 0:  # which it is already
        x = _filled(x, sequence.within, value)
    if total_length is not None:
        x = _lengthened(x, as_dimension(total_length), value, sequence.lengths)
    if batch_first:
        x = transpose(x, [1, 0, *range(2, x.ndim)])
    return x, sequence.lengths


def _within(steps: sympy.Expr, lengths: Node) -> Node:
    column = spread(Arange(steps), {1: sympy.S.One})
    return elementwise(lambda t, length: f.less(t, length), column, lengths)


def _filled(x: Node, within: Node, value: sympy.Expr | int) -> Node:
    """`x` where `within`, else `value`."""
    here = spread(within, dict.fromkeys(range(2, x.ndim), sympy.S.One))
    return elementwise(f.where, here, x, value)


def _lengthened(x: Node, steps: sympy.Expr, value: sympy.Expr, lengths: Node) -> Node:
    more = sympy.expand(steps - x.shape[0])
    if not more.is_nonnegative:
        is_known = isinstance(lengths, Table)
        what = "the length of the longest sequence" if is_known else "the steps that were packed"
        raise ShapeError(
            f"total_length must be at least {x.shape[0]}, {what}, not {steps}",
            fix=None if is_known else "cut the padded tensor, if no sequence is longer than that",
        )
    if more == 0:
        return x
    return Concat(0, x, Constant(value, (more, *x.shape[1:]), x.dtype))


def _padding(value: Any, x: Node) -> sympy.Expr:
    """`padding_value` as a number of the kind of `x`."""
    exact = number(value)
    if x.dtype == INT and not exact.is_Integer:
        raise DefinitionError(f"whole numbers cannot be padded with {value}")
    return exact


def _lengths(value: Any, n: sympy.Expr) -> Node:
    """Lengths as whole numbers: [n]."""
    if isinstance(value, tuple | list):
        value = Table([whole_number(each, "a length") for each in value], (len(value),))
    node = as_node(value)
    if node.dtype != INT:
        raise DefinitionError(
            f"lengths must be whole numbers, but {name_of(node) or 'they'} is a tensor of "
            f"{node.dtype}",
            fix='declare the lengths with dtype="int"',
        )
    if not same_shape(node.shape, (n,)):
        raise ShapeError(
            f"lengths must hold one length for each sequence: {shape_text((n,))}, not "
            f"{shape_text(node.shape)}"
        )
    return node


def _check_known(lengths: list[int], steps: sympy.Expr, enforce_sorted: bool) -> None:
    for place, length in enumerate(lengths):
        if length < 1:
            raise DefinitionError(
                f"each sequence must have a step, but lengths[{place}] is {length}"
            )
        if steps.is_Integer and length > steps:
            raise ShapeError(f"lengths[{place}] is {length}, but there are {steps} steps")
    if enforce_sorted and lengths != sorted(lengths, reverse=True):
        raise DefinitionError(
            "lengths must be in decreasing order where enforce_sorted is True",
            facts={"lengths": str(tuple(lengths))},
            fix="pass enforce_sorted=False; the results keep the order of the batch",
        )
