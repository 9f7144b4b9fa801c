"""Attention and transformers: how each layer is made, and on what it runs.

`LAYERS` give one tensor, and are compared as all layers are; `ATTENTIONS` give an output and
weights, and are compared in `test_attention.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from layer_catalogue import Arrays, Entry, normal, rng
from registry import Part


@dataclass(frozen=True)
class AttentionEntry:
    """A class: its constructions, and the arrays that each of them is called with."""

    name: str
    constructions: Sequence[dict[str, Any]]
    data: Sequence[Arrays]


def made(d: int, heads: int, **more: Any) -> dict[str, Any]:
    return {"embed_dim": d, "num_heads": heads} | more


def same(array: Any) -> Arrays:
    return (array,) * 3


ATTENTIONS = [
    AttentionEntry("MultiheadAttention",
                   [made(4, 2, **m) for m in ({}, {"bias": False}, {"batch_first": True}, {"add_bias_kv": True},
                    {"add_zero_attn": True}, {"add_bias_kv": True, "add_zero_attn": True})],
                   [(normal(3, 2, 4), normal(3, 2, 4), normal(3, 2, 4)), same(normal(1, 2, 4)),
                    (normal(3, 4), normal(5, 4), normal(5, 4))]),
    AttentionEntry("MultiheadAttention", [made(6, 3, kdim=5, vdim=2), made(6, 1, kdim=5, vdim=2, batch_first=True)],
                   [(normal(3, 2, 6), normal(3, 2, 5), normal(3, 2, 2)), (normal(4, 6), normal(3, 5), normal(3, 2))]),
]  # fmt: skip


def block(**more: Any) -> dict[str, Any]:
    return {"d_model": 4, "nhead": 2, "dim_feedforward": 5} | more


VARIANTS = [block(**m) for m in (
    {}, {"norm_first": True, "batch_first": True}, {"activation": "gelu", "bias": False},
    {"layer_norm_eps": 0.1, "norm_first": True, "activation": "gelu"},
)]  # fmt: skip
SOURCE, TARGET = normal(3, 2, 4), normal(3, 2, 4)
CAUSAL = np.triu(np.ones((3, 3), dtype=bool), 1)
PADDED = np.array([[False, False, True], [False, True, True]])
BIAS = rng.normal(size=(3, 3))


def encoder(**more: Any) -> dict[str, Any]:
    return {"encoder_layer": Part("TransformerEncoderLayer", block(**more)), "num_layers": 2}


def decoder(**more: Any) -> dict[str, Any]:
    return {"decoder_layer": Part("TransformerDecoderLayer", block(**more)), "num_layers": 2}


NORM = Part("LayerNorm", {"normalized_shape": 4})
LAYERS = [
    Entry("TransformerEncoderLayer", VARIANTS, [(SOURCE,), (normal(1, 1, 4),), (normal(3, 4),)]),
    Entry("TransformerEncoderLayer", [block()], [(SOURCE, CAUSAL), (normal(2, 3, 4)[0], CAUSAL),
                                                 (SOURCE, CAUSAL, PADDED), (SOURCE, BIAS)]),
    Entry("TransformerEncoderLayer", [block(batch_first=True)],
          [(normal(2, 3, 4), CAUSAL, PADDED), (normal(2, 3, 4), rng.normal(size=(4, 3, 3)))]),
    Entry("TransformerDecoderLayer", VARIANTS, [(TARGET, SOURCE), (normal(2, 4), normal(3, 4))]),
    Entry("TransformerDecoderLayer", [block()], [(TARGET, SOURCE, CAUSAL, CAUSAL.T, PADDED, PADDED[:, ::-1].copy())]),
    Entry("TransformerEncoder", [encoder(), {**encoder(norm_first=True, batch_first=True), "norm": NORM}],
          [(normal(3, 3, 4), CAUSAL), (normal(3, 4),)]),
    Entry("TransformerDecoder", [decoder(), {**decoder(norm_first=True), "norm": NORM}],
          [(TARGET, SOURCE, CAUSAL), (normal(2, 4), normal(3, 4))]),
    Entry("Transformer", [block(num_encoder_layers=1, num_decoder_layers=2),
                          block(num_encoder_layers=1, num_decoder_layers=1, norm_first=True, activation="gelu")],
          [(SOURCE, TARGET), (normal(2, 4), normal(3, 4))]),
    Entry("Transformer", [block(num_encoder_layers=1, num_decoder_layers=1, batch_first=True)],
          [(normal(2, 3, 4), normal(2, 3, 4), CAUSAL, CAUSAL)]),
]  # fmt: skip
