"""`nn.functional`: the layers and losses as functions, under PyTorch's names."""

from symgrad.model.layers.activations import (
    gelu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from symgrad.model.layers.linear import linear
from symgrad.model.layers.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
)
from symgrad.model.layers.shape import flatten

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "flatten",
    "gelu",
    "huber_loss",
    "l1_loss",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
