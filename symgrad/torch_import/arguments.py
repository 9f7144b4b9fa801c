"""The arguments that a PyTorch layer was made with, read back from its attributes.

A class of `symgrad.nn` has the constructor of its namesake, and a PyTorch layer keeps what it was
given under the names of the arguments. So the signature of ours says what to read; `READ` lists
the arguments that are kept otherwise.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

# Arguments that change nothing about what is computed, or that PyTorch has folded into others.
# `inplace` says only where the result is stored.
NOT_READ = frozenset({
    "name", "weight_init", "bias_init", "device", "dtype", "inplace", "size_average", "reduce",
    "min_value", "max_value", "_weight", "_freeze", "enable_nested_tensor",
})  # fmt: skip


def _is_there(attribute: str) -> Callable[[Any], bool]:
    return lambda module: getattr(module, attribute) is not None


def _bias(module: Any) -> bool:
    """Layers keep the bias itself, or None; recurrent ones keep whether they have it."""
    bias = getattr(module, "bias", None)
    return bias if isinstance(bias, bool) else bias is not None


_ATTENDING: dict[str, Callable[[Any], Any]] = {
    "d_model": lambda m: m.self_attn.embed_dim,
    "nhead": lambda m: m.self_attn.num_heads,
    "dim_feedforward": lambda m: m.linear1.out_features,
    "dropout": lambda m: m.dropout.p,
    "layer_norm_eps": lambda m: m.norm1.eps,
    "batch_first": lambda m: m.self_attn.batch_first,
    "bias": lambda m: m.linear1.bias is not None,
}

# How to read an argument that is not kept under its own name: for a class, or for all ("").
READ: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "": {"bias": _bias},
    "AdaptiveLogSoftmaxWithLoss": {"cutoffs": lambda m: m.cutoffs[:-1]},  # the last is n_classes
    "PairwiseDistance": {"p": lambda m: m.norm},
    "MultiheadAttention": {
        "bias": _is_there("in_proj_bias"),
        "add_bias_kv": _is_there("bias_k"),
    },
    "TransformerEncoderLayer": _ATTENDING,
    "TransformerDecoderLayer": _ATTENDING,
    "TransformerEncoder": {"encoder_layer": lambda m: m.layers[0]},
    "TransformerDecoder": {"decoder_layer": lambda m: m.layers[0]},
    "Transformer": {
        "custom_encoder": lambda m: m.encoder,
        "custom_decoder": lambda m: m.decoder,
    },
}
# Arguments that are left at their defaults: what they would make is passed as a whole.
MADE_OF_PARTS: Mapping[str, frozenset[str]] = {
    "Transformer": frozenset({
        "num_encoder_layers", "num_decoder_layers", "dim_feedforward", "dropout", "activation",
        "layer_norm_eps", "norm_first", "bias",
    }),
}  # fmt: skip


def arguments_of(module: Any, kind: str, ours: type) -> dict[str, Any]:
    """What to pass to `ours` for it to be like `module`, a `kind`; values are still PyTorch's.

    Raises: AttributeError, IndexError if the module lacks what an argument is read from.
    """
    special = {**READ[""], **READ.get(kind, {})}
    left_out = NOT_READ | MADE_OF_PARTS.get(kind, frozenset())
    return {
        name: special[name](module) if name in special else getattr(module, name)
        for name, argument in inspect.signature(ours).parameters.items()
        if name not in left_out
        and argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
    }
