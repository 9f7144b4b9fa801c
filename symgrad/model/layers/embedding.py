"""Embedding: rows of a table, looked up by whole numbers."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread
from symgrad.expr.detached import Detached
from symgrad.expr.dimension import as_dimension, shape_text
from symgrad.expr.node import FLOAT, Node, user_location
from symgrad.expr.operand import as_node, elementwise, name_of
from symgrad.expr.reindex import Take
from symgrad.model.initialisers import normal_but_row
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.operations.operation import operation, refuse, refuse_of, whole_number


@operation
def embedding(input: Any, weight: Any, padding_idx: int | None = None, max_norm: Any = None,
              norm_type: Any = 2.0, scale_grad_by_freq: bool = False,
              sparse: bool = False) -> Node:  # fmt: skip
    """The rows of `weight` at the whole numbers `input`: [...] gives [..., d].

    The row `padding_idx` gets no gradient. (A negative number counts from the end, as in NumPy;
    PyTorch refuses it.)
    """
    refuse_options(max_norm, scale_grad_by_freq, sparse)
    index, table = as_node(input), as_table(weight)
    rows = looked_up(table, index)
    if padding_idx is None:
        return rows
    pad = padding_row(padding_idx, table.shape[0])
    is_pad = spread(elementwise(lambda i: f.equal(i, pad), index), {index.ndim: sympy.S.One})
    return elementwise(lambda p, held, row: f.where(p, held, row), is_pad, Detached(rows), rows)


def refuse_options(max_norm: Any, scale_grad_by_freq: bool, sparse: bool) -> None:
    """Raises: UnsupportedError for what is not a gradient, or changes the table in a forward."""
    refuse(
        "scale the rows after a training step: a forward pass changes no parameter",
        max_norm=max_norm,
    )
    refuse(
        "divide the gradient's rows by the counts after it is computed",
        scale_grad_by_freq=scale_grad_by_freq or None,
    )
    refuse("the gradient is an array in the shape of the table", sparse=sparse or None)


def as_table(weight: Any) -> Node:
    """`weight` as a node. Raises: ShapeError if it is not [rows, d]."""
    table = as_node(weight)
    if table.ndim != 2:
        raise ShapeError("the weight must be [rows, d]")
    return table


def looked_up(table: Node, index: Node) -> Node:
    """The rows of `table` at `index`. Raises: DefinitionError if those are not whole numbers."""
    if index.dtype == FLOAT:
        raise DefinitionError(
            "rows are looked up by whole numbers, but the input is of floats",
            fix='declare it as sg.input(name, shape, dtype="int")',
        )
    return Take(table, index, 0)


def padding_row(padding_idx: Any, rows: sympy.Expr) -> sympy.Expr:
    """`padding_idx` counted from the front. Raises: DefinitionError if there is no such row."""
    pad = sympy.Integer(whole_number(padding_idx, "padding_idx"))
    row = pad + rows if pad < 0 else pad
    if row.is_negative or (row - rows).is_nonnegative:
        raise DefinitionError(f"padding_idx {padding_idx} is not one of the {rows} rows")
    return row


class Embedding(Module):
    """The rows of `weight`, [num_embeddings, embedding_dim], at whole numbers.

    Drawn from a normal distribution; the row `padding_idx` starts as zeros and gets no gradient.
    """

    weight: Any

    def __init__(
        self, num_embeddings: Any, embedding_dim: Any, padding_idx: int | None = None,
        max_norm: Any = None, norm_type: Any = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, _weight: Any = None, _freeze: bool = False, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        refuse_of("Embedding", device=device, dtype=dtype)
        self.num_embeddings = as_dimension(num_embeddings)
        self.embedding_dim = as_dimension(embedding_dim)
        self.padding_idx = padding_idx
        self.options = {
            "max_norm": max_norm,
            "norm_type": norm_type,
            "scale_grad_by_freq": scale_grad_by_freq,
            "sparse": sparse,
        }
        shape = self.num_embeddings, self.embedding_dim
        self.weight = table_of(shape, padding_idx, _weight, _freeze)

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None,
        max_norm: Any = None, norm_type: Any = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:  # fmt: skip
        """A layer over a table that is there: a tensor expression or a small array, [rows, d].

        `freeze`: no gradient goes to it.
        """
        table = pretrained("Embedding", embeddings, freeze)
        rows, d = table.shape
        return cls(rows, d, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, table)

    def forward(self, input: Any) -> Node:
        return embedding(input, self.weight, self.padding_idx, **self.options)


def pretrained(owner: str, embeddings: Any, freeze: bool) -> Node:
    """The table of a layer made `from_pretrained`, through which no gradient passes if frozen."""
    table = as_node(embeddings)
    if table.ndim != 2:
        raise ShapeError(
            f"{owner}.from_pretrained: the embeddings must be [rows, d]",
            where=user_location(),
            facts={name_of(table) or "embeddings": shape_text(table.shape)},
        )
    if not freeze and not isinstance(embeddings, Node):
        raise UnsupportedError(
            f"{owner}.from_pretrained: an array that training changes cannot be a part of the code",
            where=user_location(),
            fix=f"use nn.{owner}{tuple(table.shape)} and pass the array in as its weight",
        )
    return Detached(table) if freeze else table


def table_of(
    shape: tuple[sympy.Expr, sympy.Expr], padding_idx: int | None, weight: Any, freeze: bool = False
) -> Any:
    """The table of a layer: `weight` where it is given, else a new parameter."""
    if weight is not None:
        return Detached(as_node(weight)) if freeze else as_node(weight)
    if padding_idx is None:
        return Parameter(shape, "normal")
    return Parameter(shape, normal_but_row(padding_row(padding_idx, shape[0])))
