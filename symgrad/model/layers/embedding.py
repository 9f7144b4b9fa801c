"""Embedding: rows of a table, looked up by whole numbers."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr.contraction import spread
from symgrad.expr.detached import Detached
from symgrad.expr.dimension import as_dimension, shape_text
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node, elementwise, name_of
from symgrad.model.initialisers import normal_but_row
from symgrad.model.layers.embedding_lookup import as_table, looked_up, padding_row
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.operations.operation import operation, refuse_of


@operation
def embedding(input: Any, weight: Any, padding_idx: int | None = None, max_norm: Any = None,
              norm_type: Any = 2.0, scale_grad_by_freq: bool = False,
              sparse: bool = False) -> Node:  # fmt: skip
    """The rows of `weight` at the whole numbers `input`: [...] gives [..., d].

    The row `padding_idx` gets no gradient. (A negative number counts from the end, as in NumPy;
    PyTorch refuses it.) A row whose `norm_type`-norm is above `max_norm` comes out scaled down to
    it; the gradient is that of the row as it came out. `weight` itself stays as it is, where
    PyTorch overwrites the row: to have that, scale the rows so after each step.
    `scale_grad_by_freq` divides the gradient of a row by how often `input` names it.
    """
    index, table = as_node(input), as_table(weight)
    rows = looked_up(table, index, max_norm, norm_type, scale_grad_by_freq, sparse)
    if padding_idx is None:
        return rows
    pad = padding_row(padding_idx, table.shape[0])
    is_pad = spread(elementwise(lambda i: f.equal(i, pad), index), {index.ndim: sympy.S.One})
    return elementwise(lambda p, held, row: f.where(p, held, row), is_pad, Detached(rows), rows)


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
