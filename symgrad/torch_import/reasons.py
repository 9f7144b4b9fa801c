"""What of `torch.nn` symgrad does not have, and why: for errors, and for docs/layers.md.

A name is either here or a public name of `symgrad.nn`; a test compares both with PyTorch's.
"""

from __future__ import annotations

LAZY = "learns its sizes from the first input; here sizes are known when a network is defined"
RANDOM_REGIONS = "pooling regions drawn at random; not written yet"
DEPRECATED = "deprecated in PyTorch"
IN_PLACE = "writes over its input; use {} (what is emitted works in place where it may)"
INTERNAL = "an internal function of PyTorch"
LOW_PRECISION = "for GPUs, in types below 32 bits"
NOT_YET = "not written yet"

CLASSES: dict[str, str] = {
    "Container": DEPRECATED,
    "CrossMapLRN2d": "an internal class; LocalResponseNorm is the public one",
    "DataParallel": "distributes over GPUs; convert what it wraps (`.module`)",
    "FractionalMaxPool2d": RANDOM_REGIONS,
    "FractionalMaxPool3d": RANDOM_REGIONS,
    "LinearCrossEntropyLoss": "fuses Linear and CrossEntropyLoss for memory; write them one after "
    "the other",
    "LinearCrossEntropyOptions": "options of LinearCrossEntropyLoss",
    "NLLLoss2d": f"{DEPRECATED}; NLLLoss takes images",
    "RNNBase": "the base of RNN, LSTM and GRU, no layer of its own",
    "RNNCellBase": "the base of the cells, no layer of its own",
    "SyncBatchNorm": "averages over processes; on one process it is BatchNorm",
    "UninitializedBuffer": LAZY,
    "UninitializedParameter": LAZY,
} | {
    f"Lazy{name}": LAZY
    for name in (
        "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "Conv1d", "Conv2d", "Conv3d",
        "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
        "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "Linear",
    )
}  # fmt: skip

FUNCTIONS: dict[str, str] = {
    "adaptive_max_pool1d_with_indices": INTERNAL,
    "adaptive_max_pool2d_with_indices": INTERNAL,
    "adaptive_max_pool3d_with_indices": INTERNAL,
    "affine_grid": NOT_YET,
    "conv_tbc": "conv1d with its axes in another order",
    "fractional_max_pool2d": RANDOM_REGIONS,
    "fractional_max_pool2d_with_indices": RANDOM_REGIONS,
    "fractional_max_pool3d": RANDOM_REGIONS,
    "fractional_max_pool3d_with_indices": RANDOM_REGIONS,
    "grid_sample": NOT_YET,
    "grouped_mm": LOW_PRECISION,
    "gumbel_softmax": NOT_YET,
    "linear_cross_entropy": CLASSES["LinearCrossEntropyLoss"],
    "max_pool1d_with_indices": INTERNAL,
    "max_pool2d_with_indices": INTERNAL,
    "max_pool3d_with_indices": INTERNAL,
    "multi_head_attention_forward": "the inside of MultiheadAttention, with all its tensors as "
    "arguments",
    "native_channel_shuffle": INTERNAL,
    "scaled_grouped_mm": LOW_PRECISION,
    "scaled_mm": LOW_PRECISION,
    "upsample": f"{DEPRECATED}; use interpolate",
    "upsample_bilinear": f"{DEPRECATED}; use interpolate",
    "upsample_nearest": f"{DEPRECATED}; use interpolate",
} | {
    f"{name}_": IN_PLACE.format(name)
    for name in ("celu", "elu", "hardtanh", "leaky_relu", "relu", "rrelu", "selu", "threshold")
}

# What to do, where it is not to write the part with operations.
ADVICE: dict[str, str] = {
    "DataParallel": "pass the module that it wraps: its attribute `module`",
    "DistributedDataParallel": "pass the module that it wraps: its attribute `module`",
    "SyncBatchNorm": "use torch.nn.BatchNorm1d, 2d or 3d with the same state_dict",
    "CrossMapLRN2d": "use torch.nn.LocalResponseNorm",
    "NLLLoss2d": "use torch.nn.NLLLoss",
} | {
    name: "call the module once, so that its sizes are known" for name in CLASSES if "Lazy" in name
}
