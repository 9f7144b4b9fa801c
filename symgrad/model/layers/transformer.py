"""Transformer layers and their stacks, as in `torch.nn`.

Parameters have PyTorch's names; so `state_dict` keys match. The layers of a stack are made like
the one that it is given, and draw their own numbers. `dropout` is that of `train()` mode.

Source: Vaswani et al., Attention Is All You Need, 2017; norm_first: Xiong et al. 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.errors import DefinitionError
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import as_node
from symgrad.model.initialisers import glorot_uniform
from symgrad.model.layers.activations import gelu, relu
from symgrad.model.layers.attention import causal_mask
from symgrad.model.layers.container import ModuleList
from symgrad.model.layers.copies import copied, redeclare
from symgrad.model.layers.dropout import Dropout
from symgrad.model.layers.linear import Linear
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.layers.multihead_attention import MultiheadAttention
from symgrad.model.layers.normalisation_layers import LayerNorm
from symgrad.model.operations.operation import refuse_of, whole_number

ACTIVATIONS: dict[str, Callable[..., Node]] = {"relu": relu, "gelu": gelu}


class _Layer(Module):
    """What encoder and decoder layers share: feed-forward part, norms around residual sums."""

    norms = 2

    def __init__(self, d_model: Any, nhead: Any, dim_feedforward: Any = 2048, dropout: Any = 0.1,
                 activation: Any = relu, layer_norm_eps: Any = 1e-5, batch_first: bool = False,
                 norm_first: bool = False, bias: bool = True, device: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        refuse_of(type(self).__name__, device=device, dtype=dtype)
        self.norm_first = norm_first
        names = ("self_attn", "multihead_attn")[: self.norms - 1]
        for name in names:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, bias,
                                                   batch_first=batch_first))  # fmt: skip
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        for k in range(1, self.norms + 1):
            setattr(self, f"norm{k}", LayerNorm(d_model, layer_norm_eps, bias=bias))
            setattr(self, f"dropout{k}", Dropout(dropout))
        self.activation = _activation(type(self).__name__, activation)

    def _added(self, x: Node, part: Callable[[Node], Node], k: int) -> Node:
        """x + dropout(part(x)), normalised before the part or after the sum."""
        norm, dropped = getattr(self, f"norm{k}"), getattr(self, f"dropout{k}")
        if self.norm_first:
            return x + dropped(part(norm(x)))
        return norm(x + dropped(part(x)))

    def _fed_forward(self, x: Node) -> Node:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention and a feed-forward network, each added to its input and normalised."""

    self_attn: MultiheadAttention

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None,
                is_causal: bool = False) -> Node:  # fmt: skip
        def attended(x: Node) -> Node:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask,
                                  is_causal=is_causal)[0]  # fmt: skip

        x = self._added(as_node(src), attended, 1)
        return self._added(x, self._fed_forward, 2)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to an encoder's output, and a feed-forward network."""

    norms = 3
    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention

    def forward(self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
                tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
                tgt_is_causal: bool = False, memory_is_causal: bool = False) -> Node:  # fmt: skip
        remembered = as_node(memory)

        def attended(x: Node) -> Node:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask,
                                  is_causal=tgt_is_causal)[0]  # fmt: skip

        def looked_up(x: Node) -> Node:
            return self.multihead_attn(x, remembered, remembered, memory_key_padding_mask, False,
                                       memory_mask, is_causal=memory_is_causal)[0]  # fmt: skip

        x = self._added(as_node(tgt), attended, 1)
        x = self._added(x, looked_up, 2)
        return self._added(x, self._fed_forward, 3)


class _Stack(Module):
    """Layers like the given one, one after the other, and a norm behind them."""

    def __init__(self, layer: Any, num_layers: Any, norm: Any) -> None:
        count = whole_number(num_layers, f"{type(self).__name__}: num_layers")
        if not isinstance(layer, Module):
            raise DefinitionError(
                f"{type(self).__name__}: the layer to repeat is {layer!r}, not a module",
                where=user_location(),
            )
        self.layers = ModuleList(copied(layer) for _ in range(count))
        self.num_layers = count
        self.norm = norm

    def _normalised(self, x: Node) -> Node:
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """`num_layers` layers like `encoder_layer`."""

    def __init__(self, encoder_layer: Any, num_layers: Any, norm: Any = None,
                 enable_nested_tensor: bool = True, mask_check: bool = True) -> None:  # fmt: skip
        super().__init__(encoder_layer, num_layers, norm)
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None,
                is_causal: bool | None = None) -> Node:  # fmt: skip
        x = as_node(src)
        for layer in self.layers:
            x = layer(x, src_mask=mask, src_key_padding_mask=src_key_padding_mask,
                      is_causal=bool(is_causal))  # fmt: skip
        return self._normalised(x)


class TransformerDecoder(_Stack):
    """`num_layers` layers like `decoder_layer`."""

    def __init__(self, decoder_layer: Any, num_layers: Any, norm: Any = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
                tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
                tgt_is_causal: bool | None = None,
                memory_is_causal: bool = False) -> Node:  # fmt: skip
        x = as_node(tgt)
        for layer in self.layers:
            x = layer(
                x, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal), memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return self._normalised(x)


class Transformer(Module):
    """An encoder, and a decoder that attends to what it gives; matrices are drawn as by Glorot."""

    def __init__(
        self, d_model: Any = 512, nhead: Any = 8, num_encoder_layers: int = 6,
        num_decoder_layers: int = 6, dim_feedforward: Any = 2048, dropout: Any = 0.1,
        activation: Any = relu, custom_encoder: Any = None, custom_decoder: Any = None,
        layer_norm_eps: Any = 1e-5, batch_first: bool = False, norm_first: bool = False,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        refuse_of("Transformer", device=device, dtype=dtype)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        options = (dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first,
                   bias)  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias)

        self.encoder = custom_encoder
        if custom_encoder is None:
            layer = TransformerEncoderLayer(d_model, nhead, *options)
            self.encoder = TransformerEncoder(layer, num_encoder_layers, norm())
        self.decoder = custom_decoder
        if custom_decoder is None:
            each = TransformerDecoderLayer(d_model, nhead, *options)
            self.decoder = TransformerDecoder(each, num_decoder_layers, norm())
        redeclare(self, _drawn_by_glorot)

    def forward(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None,
        memory_mask: Any = None, src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Node:  # fmt: skip
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask,
                              is_causal=src_is_causal)  # fmt: skip
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: Any, device: Any = None, dtype: Any = None) -> Node:
        """[sz, sz]: 0 on and below the diagonal, -inf above it; sz may be a symbol."""
        refuse_of("generate_square_subsequent_mask", device=device, dtype=dtype)
        return causal_mask(sz, sz)


def _drawn_by_glorot(declared: Parameter) -> Parameter:
    is_vector = isinstance(declared.shape, tuple) and len(declared.shape) < 2
    return declared if is_vector else Parameter(declared.shape, glorot_uniform())


def _activation(owner: str, activation: Any) -> Callable[[Node], Node]:
    """The function that is meant. Raises: DefinitionError if there is none."""
    if isinstance(activation, str) and activation in ACTIVATIONS:
        return ACTIVATIONS[activation]
    if isinstance(activation, str) or not callable(activation):
        raise DefinitionError(
            f"{owner}: activation must be 'relu', 'gelu' or a function, not {activation!r}",
            where=user_location(),
        )
    return activation
