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
from symgrad.model.layers.adaptive_softmax import AdaptiveLogSoftmaxWithLoss
from symgrad.model.layers.container import ModuleDict, ModuleList, Sequential
from symgrad.model.layers.convolution import Conv1d, Conv2d, Conv3d
from symgrad.model.layers.convolution_transposed import (
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from symgrad.model.layers.dropout import (
    AlphaDropout,
    Dropout,
    Dropout1d,
    Dropout2d,
    Dropout3d,
    FeatureAlphaDropout,
)
from symgrad.model.layers.embedding import Embedding
from symgrad.model.layers.embedding_bag import EmbeddingBag
from symgrad.model.layers.folding import Fold, Unfold
from symgrad.model.layers.interpolation import Upsample, UpsamplingBilinear2d, UpsamplingNearest2d
from symgrad.model.layers.linear import Bilinear, Linear
from symgrad.model.layers.local_response_norm import LocalResponseNorm
from symgrad.model.layers.losses_binary import (
    BCELoss,
    BCEWithLogitsLoss,
    MultiLabelSoftMarginLoss,
    SoftMarginLoss,
)
from symgrad.model.layers.losses_classification import CrossEntropyLoss, NLLLoss
from symgrad.model.layers.losses_ctc import CTCLoss
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
from symgrad.model.layers.module import Buffer, Module, Parameter
from symgrad.model.layers.multihead_attention import MultiheadAttention
from symgrad.model.layers.normalisation_batch import BatchNorm1d, BatchNorm2d, BatchNorm3d
from symgrad.model.layers.normalisation_instance import (
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from symgrad.model.layers.normalisation_layers import GroupNorm, LayerNorm, RMSNorm
from symgrad.model.layers.padding import (
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
from symgrad.model.layers.parameter_containers import ParameterDict, ParameterList
from symgrad.model.layers.pooling_adaptive import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
)
from symgrad.model.layers.pooling_average import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    LPPool1d,
    LPPool2d,
    LPPool3d,
)
from symgrad.model.layers.pooling_max import MaxPool1d, MaxPool2d, MaxPool3d
from symgrad.model.layers.recurrent import GRU, LSTM, RNN
from symgrad.model.layers.recurrent_cell import GRUCell, LSTMCell, RNNCell
from symgrad.model.layers.shape import Flatten, Unflatten
from symgrad.model.layers.shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle
from symgrad.model.layers.similarity import CosineSimilarity, PairwiseDistance
from symgrad.model.layers.transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)
from symgrad.model.layers.unpooling import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveLogSoftmaxWithLoss",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AlphaDropout",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "Buffer",
    "CTCLoss",
    "ChannelShuffle",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "Embedding",
    "EmbeddingBag",
    "FeatureAlphaDropout",
    "Flatten",
    "Fold",
    "GRUCell",
    "GaussianNLLLoss",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "KLDivLoss",
    "L1Loss",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MarginRankingLoss",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "PReLU",
    "PairwiseDistance",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "PixelShuffle",
    "PixelUnshuffle",
    "PoissonNLLLoss",
    "RMSNorm",
    "RNNCell",
    "RReLU",
    "ReLU",
    "ReLU6",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
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
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "Unflatten",
    "Unfold",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "functional",
]
