"""`nn.functional`: the layers and losses as functions, under PyTorch's names."""

from symgrad.model.layers.activations import (
    gelu,
    logsigmoid,
    mish,
    relu,
    sigmoid,
    silu,
    softplus,
    softsign,
    tanh,
    tanhshrink,
)
from symgrad.model.layers.activations_along_axis import glu, log_softmax, softmax, softmin
from symgrad.model.layers.activations_exponential import celu, elu, selu
from symgrad.model.layers.activations_piecewise import (
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    prelu,
    relu6,
    rrelu,
    softshrink,
    threshold,
)
from symgrad.model.layers.attention import scaled_dot_product_attention
from symgrad.model.layers.convolution import conv1d, conv2d, conv3d
from symgrad.model.layers.convolution_transposed import (
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from symgrad.model.layers.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from symgrad.model.layers.embedding import embedding
from symgrad.model.layers.embedding_bag import embedding_bag
from symgrad.model.layers.folding import fold, unfold
from symgrad.model.layers.interpolation import interpolate
from symgrad.model.layers.linear import bilinear, linear
from symgrad.model.layers.local_response_norm import local_response_norm
from symgrad.model.layers.losses_binary import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    multilabel_soft_margin_loss,
    soft_margin_loss,
)
from symgrad.model.layers.losses_classification import cross_entropy, nll_loss
from symgrad.model.layers.losses_ctc import ctc_loss
from symgrad.model.layers.losses_embedding import (
    cosine_embedding_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from symgrad.model.layers.losses_likelihood import gaussian_nll_loss, kl_div, poisson_nll_loss
from symgrad.model.layers.losses_margin import (
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
)
from symgrad.model.layers.losses_regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from symgrad.model.layers.normalisation_batch import batch_norm
from symgrad.model.layers.normalisation_instance import instance_norm
from symgrad.model.layers.normalisation_layers import group_norm, layer_norm, rms_norm
from symgrad.model.layers.one_hot import one_hot
from symgrad.model.layers.padding import pad
from symgrad.model.layers.pooling_adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from symgrad.model.layers.pooling_average import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
)
from symgrad.model.layers.pooling_max import max_pool1d, max_pool2d, max_pool3d
from symgrad.model.layers.shape import flatten, unflatten
from symgrad.model.layers.shuffle import channel_shuffle, pixel_shuffle, pixel_unshuffle
from symgrad.model.layers.similarity import cosine_similarity, pairwise_distance, pdist
from symgrad.model.layers.unpooling import max_unpool1d, max_unpool2d, max_unpool3d
from symgrad.model.layers.vector_norm import normalize

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "flatten",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "rrelu",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unflatten",
    "unfold",
]
