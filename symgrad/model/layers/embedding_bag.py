"""EmbeddingBag: rows of a table, looked up and reduced for each bag of whole numbers."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import contract, spread, sum_over
from symgrad.expr.dimension import as_dimension, same_shape
from symgrad.expr.leaf import Arange, Constant
from symgrad.expr.node import FLOAT, INT, Node
from symgrad.expr.operand import as_node, elementwise
from symgrad.expr.reduction import CumSum, Max
from symgrad.expr.reindex import ScatterAdd, Slice
from symgrad.model.layers.embedding import pretrained, table_of
from symgrad.model.layers.embedding_lookup import as_table, looked_up, padding_row
from symgrad.model.layers.module import Module
from symgrad.model.operations.operation import operation, refuse_of

MODES = ("sum", "mean", "max")


@operation
def embedding_bag(
    input: Any, weight: Any, offsets: Any = None, max_norm: Any = None, norm_type: Any = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Any = None, include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Node:  # fmt: skip
    """The sum, mean or largest entries of the rows of `weight` in each bag: [bags, d].

    input: [bags, k] whole numbers, or [n] with `offsets` [bags]: where each bag starts (the first
    at 0), with `include_last_offset` also where the last one ends. `per_sample_weights`, in the
    shape of the input, multiply the rows of a sum. The row `padding_idx` counts for nothing. An
    empty bag gives zeros. `max_norm` and `scale_grad_by_freq` are those of `embedding`. (Bags of
    PyTorch 2.13 divide by the count of another row on the CPU: its issue 190063.)
    """
    if mode not in MODES:
        raise UnsupportedError(f"mode={mode!r} is not supported", fix="use 'sum', 'mean' or 'max'")
    if mode == "max" and scale_grad_by_freq:
        raise UnsupportedError("scale_grad_by_freq is for the modes 'sum' and 'mean', not 'max'")
    index, table = as_node(input), as_table(weight)
    weights = _sample_weights(per_sample_weights, index, mode)
    pad = None if padding_idx is None else padding_row(padding_idx, table.shape[0])
    rows = looked_up(table, index, max_norm, norm_type, scale_grad_by_freq, sparse)
    counts = None if pad is None else elementwise(lambda i: f.not_equal(i, pad), index)
    if index.ndim == 2:
        if offsets is not None:
            raise DefinitionError("offsets are for an input of one axis; each row is a bag here")
        bags: Rows | Runs = Rows(rows)
    elif index.ndim == 1:
        if offsets is None:
            raise DefinitionError("an input of one axis needs offsets: where each bag starts")
        bags = Runs(rows, _starts(offsets, include_last_offset))
    else:
        raise ShapeError("the input must be [bags, k], or [n] with offsets")
    if mode == "max":
        return bags.largest(counts)
    if counts is not None:
        each = Constant(1, index.shape, FLOAT) if weights is None else weights
        weights = elementwise(lambda c, w: f.where(c, w, 0), counts, each)
    total = bags.total(weights)
    if mode == "sum":
        return total
    size = spread(bags.size(counts), {1: sympy.S.One})
    return elementwise(lambda t, n: t / f.maximum(n, 1), total, size)


def _sample_weights(given: Any, index: Node, mode: str) -> Node | None:
    if given is None:
        return None
    if mode != "sum":
        raise UnsupportedError(f"per_sample_weights are for mode 'sum', not {mode!r}")
    weights = as_node(given)
    if not same_shape(weights.shape, index.shape):
        raise ShapeError("per_sample_weights must have the shape of the input")
    return weights


def _starts(offsets: Any, include_last_offset: bool) -> Node:
    starts = as_node(offsets)
    if starts.ndim != 1 or starts.dtype != INT:
        raise DefinitionError("offsets must be whole numbers along one axis")
    if not include_last_offset:
        return starts
    if starts.shape[0] == 0:
        raise ShapeError("with include_last_offset there is at least one offset")
    return Slice(starts, [(sympy.S.Zero, starts.shape[0] - 1, 1)])


class Rows:
    """Bags of one size: the rows [bags, k, d]."""

    def __init__(self, rows: Node) -> None:
        self.rows = rows

    def total(self, weights: Node | None) -> Node:
        """The sum of each bag, weighted."""
        if weights is None:
            return sum_over(self.rows, (1,))
        return contract([0, 2], [(self.rows, [0, 1, 2]), (weights, [0, 1])])

    def size(self, counts: Node | None) -> Node:
        """How many rows of each bag count."""
        if counts is None:
            return Constant(self.rows.shape[1], self.rows.shape[:1], FLOAT)
        return sum_over(elementwise(lambda c: 1.0 * c, counts), (1,))

    def largest(self, counts: Node | None) -> Node:
        """The largest entries of each bag, the first of equal ones."""
        if self.rows.shape[1] == 0:
            raise ShapeError("there is no largest of no rows")
        if counts is None:
            return Max(self.rows, 1)
        return _largest(self.rows, spread(counts, {2: sympy.S.One}))


class Runs:
    """Bags one after the other: the rows [n, d], and where each bag starts."""

    def __init__(self, rows: Node, starts: Node) -> None:
        self.rows = rows
        (self.bags,) = starts.shape
        n = rows.shape[0]
        begun = ScatterAdd(Constant(1, starts.shape), starts, 0, n + 1)
        number = CumSum(Slice(begun, [(sympy.S.Zero, n, 1)]), 0)
        # 0 bags have begun where the first offset is not 0: such a row is in none
        bags = self.bags
        self.bag = elementwise(lambda k: f.where(f.equal(k, 0), bags, k - 1), number)

    def total(self, weights: Node | None) -> Node:
        """The sum of each bag, weighted."""
        rows = self.rows
        if weights is not None:
            rows = rows * spread(weights, {1: sympy.S.One})
        return ScatterAdd(rows, self.bag, 0, self.bags)

    def size(self, counts: Node | None) -> Node:
        """How many rows of each bag count."""
        each = Constant(1, self.bag.shape, FLOAT)
        if counts is not None:
            each = elementwise(lambda c: 1.0 * c, counts)
        return ScatterAdd(each, self.bag, 0, self.bags)

    def largest(self, counts: Node | None) -> Node:
        """The largest entries of each bag, the first of equal ones."""
        number = spread(Arange(self.bags), {1: sympy.S.One})
        if counts is None:
            within = elementwise(f.equal, number, self.bag)
        else:
            within = elementwise(
                lambda k, b, c: f.logical_and(f.equal(k, b), c), number, self.bag, counts
            )
        return _largest(spread(self.rows, {0: self.bags}), spread(within, {2: sympy.S.One}))


def _largest(rows: Node, within: Node) -> Node:
    """The largest of the rows [bags, n, d] that are `within` a bag, zeros where none is."""
    seen = elementwise(f.where, within, rows, -sympy.oo)
    top = Max(seen, 1)
    any_within = Max(elementwise(lambda w: 1 * w, within), 1)
    return elementwise(lambda some, x: f.where(some, x, 0), any_within, top)


class EmbeddingBag(Module):
    """The rows of `weight`, [num_embeddings, embedding_dim], reduced for each bag."""

    weight: Any

    def __init__(
        self, num_embeddings: Any, embedding_dim: Any, max_norm: Any = None, norm_type: Any = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
        _weight: Any = None, include_last_offset: bool = False, padding_idx: int | None = None,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        refuse_of("EmbeddingBag", device=device, dtype=dtype)
        self.num_embeddings = as_dimension(num_embeddings)
        self.embedding_dim = as_dimension(embedding_dim)
        self.options = {
            "max_norm": max_norm,
            "norm_type": norm_type,
            "scale_grad_by_freq": scale_grad_by_freq,
            "mode": mode,
            "sparse": sparse,
            "include_last_offset": include_last_offset,
            "padding_idx": padding_idx,
        }
        shape = self.num_embeddings, self.embedding_dim
        self.weight = table_of(shape, padding_idx, _weight)

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, max_norm: Any = None, norm_type: Any = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
        include_last_offset: bool = False, padding_idx: int | None = None,
    ) -> EmbeddingBag:  # fmt: skip
        """A layer over a table that is there; see `Embedding.from_pretrained`."""
        table = pretrained("EmbeddingBag", embeddings, freeze)
        rows, d = table.shape
        return cls(rows, d, max_norm, norm_type, scale_grad_by_freq, mode, sparse, table,
                   include_last_offset, padding_idx)  # fmt: skip

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Node:
        return embedding_bag(
            input, self.weight, offsets, per_sample_weights=per_sample_weights, **self.options
        )
