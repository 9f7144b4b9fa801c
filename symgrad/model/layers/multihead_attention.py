"""MultiheadAttention: several attentions side by side, over projections of their inputs.

Sequences are [t, n, features], or [n, t, features] with `batch_first`, or [t, features] for one
sequence without a batch, as in `torch.nn`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symgrad.errors import DefinitionError, ShapeError
from symgrad.expr.contraction import spread, sum_over, transpose
from symgrad.expr.dimension import Shape, as_dimension, same, same_shape, shape_text
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node, user_location
from symgrad.expr.operand import as_node, name_of
from symgrad.expr.reindex import Reshape, Slice
from symgrad.model.initialisers import glorot_normal, glorot_uniform
from symgrad.model.layers.attention import added, attend, causal_mask
from symgrad.model.layers.linear import Linear, linear
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.layers.normalisation import called
from symgrad.model.operations.joining import concat
from symgrad.model.operations.moving import pad
from symgrad.model.operations.operation import refuse_of
from symgrad.model.random import probability

ONE = sympy.S.One


class MultiheadAttention(Module):
    """Attention in `num_heads` heads of embed_dim / num_heads features each.

    query: [l, n, embed_dim]; key: [s, n, kdim]; value: [s, n, vdim].
    Returns: (output [l, n, embed_dim], weights [n, l, s] or None).
    """

    in_proj_weight: Any
    in_proj_bias: Any
    q_proj_weight: Any
    k_proj_weight: Any
    v_proj_weight: Any
    bias_k: Any
    bias_v: Any

    def __init__(self, embed_dim: Any, num_heads: Any, dropout: Any = 0.0, bias: bool = True,
                 add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: Any = None,
                 vdim: Any = None, batch_first: bool = False, device: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        refuse_of("MultiheadAttention", device=device, dtype=dtype)
        probability(dropout, "MultiheadAttention: the probability dropout of dropping")
        self.embed_dim, self.num_heads = as_dimension(embed_dim), as_dimension(num_heads)
        self.head_dim = _divided(self.embed_dim, self.num_heads)
        self.kdim = self.embed_dim if kdim is None else as_dimension(kdim)
        self.vdim = self.embed_dim if vdim is None else as_dimension(vdim)
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        e, drawn = self.embed_dim, glorot_uniform()
        if same(self.kdim, e) and same(self.vdim, e):
            self.in_proj_weight = Parameter((3 * e, e), drawn)
            self.q_proj_weight = self.k_proj_weight = self.v_proj_weight = None
        else:
            self.q_proj_weight = Parameter((e, e), drawn)
            self.k_proj_weight = Parameter((e, self.kdim), drawn)
            self.v_proj_weight = Parameter((e, self.vdim), drawn)
            self.in_proj_weight = None
        self.in_proj_bias = Parameter((3 * e,), "zeros") if bias else None
        self.bias_k = Parameter((1, 1, e), glorot_normal()) if add_bias_kv else None
        self.bias_v = Parameter((1, 1, e), glorot_normal()) if add_bias_kv else None
        self.out_proj = Linear(e, e, bias=bias, bias_init="zeros")

    def forward(self, query: Any, key: Any, value: Any, key_padding_mask: Any = None,
                need_weights: bool = True, attn_mask: Any = None,
                average_attn_weights: bool = True,
                is_causal: bool = False) -> tuple[Node, Node | None]:  # fmt: skip
        """Masks are of booleans, True where nobody may look, or of floats added to the scores.

        key_padding_mask: [n, s]; attn_mask: [l, s] or [n * num_heads, l, s]. is_causal says that
        attn_mask is the causal one, and needs it. Without need_weights no weights are returned,
        and a query that may look nowhere gets the output 0, where it is nan with them.
        """
        q, k, v = as_node(query), as_node(key), as_node(value)
        self._check(q, k, v)
        if is_causal and attn_mask is None:
            raise DefinitionError(
                f"{self._title()}: is_causal says that attn_mask is causal, but there is none",
                where=user_location(),
                fix="pass attn_mask=nn.Transformer.generate_square_subsequent_mask(t)",
            )
        if not need_weights and is_causal and key_padding_mask is None:
            attn_mask = causal_mask(self._steps(q), self._steps(k))
        masks = self._masks(q, k, attn_mask, key_padding_mask)
        q, k, v = self._projected(q, k, v)
        k, v = self._extended(k, v, masks)
        mask = masks[0] if masks[1] is None else masks[1]
        if masks[0] is not None and masks[1] is not None:
            mask = masks[0] + masks[1]
        is_open = mask is None or mask is causal_mask(q.shape[-2], k.shape[-2])
        chance = self.dropout if self.training else 0
        found, weights = attend(q, k, v, mask, 1 / sympy.sqrt(self.head_dim), chance,
                                not (need_weights or is_open))  # fmt: skip
        output = self.out_proj(self._joined(found))
        if not need_weights:
            return output, None
        if average_attn_weights:
            weights = sum_over(weights, [weights.ndim - 3], 1 / self.num_heads)
        return output, weights

    # Layouts: [t, e], [t, n, e] or [n, t, e] outside; heads before steps, [n, h, t, d], inside.

    def _axis_of_steps(self, x: Node) -> int:
        return 1 if x.ndim == 3 and self.batch_first else 0

    def _steps(self, x: Node) -> sympy.Expr:
        return x.shape[self._axis_of_steps(x)]

    def _split(self, x: Node) -> Node:
        """[.., t, .., e] in heads: [.., h, t, d]."""
        parts = Reshape(x, (*x.shape[:-1], self.num_heads, self.head_dim))
        return transpose(parts, self._inside(x.ndim))

    def _inside(self, rank: int) -> list[int]:
        if rank == 2:
            return [1, 0, 2]
        return [0, 2, 1, 3] if self.batch_first else [1, 2, 0, 3]

    def _joined(self, found: Node) -> Node:
        """What `_split` undid: the heads side by side, in the layout outside."""
        order = self._inside(found.ndim - 1)
        back = transpose(found, [order.index(axis) for axis in range(len(order))])
        return Reshape(back, (*back.shape[:-2], self.embed_dim))

    def _projected(self, q: Node, k: Node, v: Node) -> list[Node]:
        """Query, key and value times their weights, in heads; one product where they are one."""
        e = self.embed_dim
        if self.in_proj_weight is None:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        elif q is k and k is v:
            packed = called(linear(q, self.in_proj_weight, self.in_proj_bias), "qkv")
            return [self._split(part) for part in _thirds(packed, packed.ndim - 1, e)]
        else:
            weights = _thirds(self.in_proj_weight, 0, e)
        bias = self.in_proj_bias
        biases: Sequence[Any] = (None,) * 3 if bias is None else _thirds(bias, 0, e)
        inputs = zip((q, k, v), weights, biases, strict=True)
        return [self._split(linear(x, weight, b)) for x, weight, b in inputs]

    def _extended(self, k: Node, v: Node, masks: list[Node | None]) -> tuple[Node, Node]:
        """Key and value with the learned step and the step of zeros behind; the masks grow too."""
        more: list[tuple[Node, Node]] = []
        heads, d = self.num_heads, self.head_dim
        batch = k.shape[:-3]
        if self.bias_k is not None:
            learned = [Reshape(b, (heads, ONE, d)) for b in (self.bias_k, self.bias_v)]
            more.append((_repeated(learned[0], batch), _repeated(learned[1], batch)))
        if self.add_zero_attn:
            zeros = Constant(0, (*batch, heads, ONE, d), FLOAT)
            more.append((zeros, zeros))
        if not more:
            return k, v
        for place, mask in enumerate(masks):
            if mask is not None:
                masks[place] = pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, len(more))])
        keys, values = zip(*more, strict=True)
        return concat([k, *keys], axis=-2), concat([v, *values], axis=-2)

    # Masks

    def _masks(self, q: Node, k: Node, attn_mask: Any, padding: Any) -> list[Node | None]:
        """Both as what is added to the scores [n, h, l, s] or [h, l, s]."""
        rows, columns = self._steps(q), self._steps(k)
        batch: Shape = () if q.ndim == 2 else (q.shape[1 - self._axis_of_steps(q)],)
        masks: list[Node | None] = [None, None]
        if attn_mask is not None:
            mask = self._added(attn_mask, "attn_mask")
            if mask.ndim == 3:
                count = self.num_heads * (batch[0] if batch else ONE)
                self._fits(attn_mask, "attn_mask", (count, rows, columns))
                mask = Reshape(mask, (*batch, self.num_heads, rows, columns))
            else:
                self._fits(attn_mask, "attn_mask", (rows, columns))
            masks[0] = mask
        if padding is not None:
            self._fits(padding, "key_padding_mask", (*batch, columns))
            keys = self._added(padding, "key_padding_mask")
            masks[1] = spread(keys, {len(batch): ONE, len(batch) + 1: ONE})
        return masks

    def _added(self, mask: Any, name: str) -> Node:
        return added(mask, f"{self._title()}: {name}", blocks=True)

    def _fits(self, mask: Any, name: str, shape: Shape) -> None:
        if not same_shape(as_node(mask).shape, shape):
            raise ShapeError(
                f"{self._title()}: {name} must have the shape {shape_text(shape)}",
                where=user_location(),
                facts={name_of(as_node(mask)) or name: shape_text(as_node(mask).shape)},
            )

    def _check(self, q: Node, k: Node, v: Node) -> None:
        """Raises: ShapeError unless the inputs are sequences of one batch, of the right widths."""
        layout = "[n, t, features]" if self.batch_first else "[t, n, features]"
        widths = {"query": self.embed_dim, "key": self.kdim, "value": self.vdim}
        facts = {role: shape_text(x.shape) for role, x in zip(widths, (q, k, v), strict=True)}
        problem = None
        if q.ndim not in (2, 3) or not q.ndim == k.ndim == v.ndim:
            problem = f"query, key and value must all be {layout}, or all [t, features]"
        elif not same_shape(k.shape[:-1], v.shape[:-1]):
            problem = "key and value must have the same axes before the last"
        elif q.ndim == 3 and not same(*(x.shape[1 - self._axis_of_steps(x)] for x in (q, k))):
            problem = f"query and key must have the same batch size n in {layout}"
        for (role, width), x in zip(widths.items(), (q, k, v), strict=True):
            if problem is None and not same(x.shape[-1], width):
                problem = f"{role} must have {width} features, its last axis"
        if problem is not None:
            raise ShapeError(f"{self._title()}: {problem}", where=user_location(), facts=facts)


def _divided(embed_dim: sympy.Expr, num_heads: sympy.Expr) -> sympy.Expr:
    """The features of a head. Raises: DefinitionError if they are no whole number above 0."""
    if num_heads.is_positive is False or embed_dim.is_positive is False:
        raise DefinitionError(
            "MultiheadAttention: embed_dim and num_heads must be greater than 0, but are "
            f"{embed_dim} and {num_heads}",
            where=user_location(),
        )
    if not (embed_dim / num_heads).is_integer:
        raise DefinitionError(
            f"MultiheadAttention: embed_dim {embed_dim} cannot be divided into {num_heads} heads",
            where=user_location(),
        )
    return embed_dim / num_heads


def _thirds(x: Node, axis: int, size: sympy.Expr) -> list[Node]:
    """The three parts of `size` along `axis`."""
    whole = [(sympy.S.Zero, s, 1) for s in x.shape]
    return [
        Slice(x, [*whole[:axis], (k * size, size, 1), *whole[axis + 1 :]]) for k in range(3)
    ]


def _repeated(step: Node, batch: Shape) -> Node:
    return spread(step, dict(enumerate(batch)))
