"""Layers and losses in the manner of `torch.nn`: one file per concept.

A new layer is a `Module` whose `forward` is written with operations; it never writes a gradient.
"""

from symgrad.model.layers import functional
from symgrad.model.layers.activations import (
    GELU,
    Identity,
    LogSigmoid,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
    Tanhshrink,
)
from symgrad.model.layers.activations_along_axis import (
    GLU,
    LogSoftmax,
    Softmax,
    Softmax2d,
    Softmin,
)
from symgrad.model.layers.activations_exponential import CELU, ELU, SELU
from symgrad.model.layers.activations_piecewise import (
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    PReLU,
    ReLU6,
    RReLU,
    Softshrink,
    Threshold,
)
from symgrad.model.layers.container import Sequential
from symgrad.model.layers.linear import Linear
from symgrad.model.layers.losses_binary import (
    BCELoss,
    BCEWithLogitsLoss,
    MultiLabelSoftMarginLoss,
    SoftMarginLoss,
)
from symgrad.model.layers.losses_classification import CrossEntropyLoss, NLLLoss
from symgrad.model.layers.losses_embedding import (
    CosineEmbeddingLoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from symgrad.model.layers.losses_likelihood import GaussianNLLLoss, KLDivLoss, PoissonNLLLoss
from symgrad.model.layers.losses_margin import (
    HingeEmbeddingLoss,
    MarginRankingLoss,
    MultiLabelMarginLoss,
    MultiMarginLoss,
)
from symgrad.model.layers.losses_regression import HuberLoss, L1Loss, MSELoss, SmoothL1Loss
from symgrad.model.layers.module import Module, Parameter
from symgrad.model.layers.shape import Flatten

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "Flatten",
    "GaussianNLLLoss",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MarginRankingLoss",
    "Mish",
    "Module",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PReLU",
    "Parameter",
    "PoissonNLLLoss",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "functional",
]
