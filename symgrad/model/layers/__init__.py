"""Layers and losses in the manner of `torch.nn`: one file per concept.

A new layer is a `Module` whose `forward` is written with operations; it never writes a gradient.
"""

from symgrad.model.layers import functional
from symgrad.model.layers.activations import (
    GELU,
    Identity,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from symgrad.model.layers.container import Sequential
from symgrad.model.layers.linear import Linear
from symgrad.model.layers.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.layers.shape import Flatten

__all__ = [
    "GELU",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Flatten",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "functional",
]
