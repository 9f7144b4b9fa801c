"""The layers of `torch.nn` that look at neighbours: convolutions, pooling, padding, folding.

Entries as in `layer_catalogue`, with a batch of 1, spatial axes of size 1, tensors without a batch,
and ties within windows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from layer_catalogue import Arrays, Entry, normal, rng


def images(*shapes: tuple[int, ...]) -> list[Arrays]:
    return [(normal(*shape),) for shape in shapes]


def ties(*shapes: tuple[int, ...]) -> list[Arrays]:
    """Few different values, so that most windows hold their largest entry several times."""
    return [(rng.integers(0, 3, shape).astype(float),) for shape in shapes]


def channels(in_channels: int, out_channels: int, kernel_size: Any, **more: Any) -> dict[str, Any]:
    return {"in_channels": in_channels, "out_channels": out_channels, "kernel_size": kernel_size,
            **more}  # fmt: skip


SIGNALS = images((2, 4, 7), (1, 4, 3), (4, 6))
PICTURES = images((2, 4, 5, 6), (1, 4, 3, 3), (4, 6, 5))
VOLUMES = images((2, 4, 3, 4, 5), (4, 3, 3, 4))
MODES = ("reflect", "replicate", "circular")

CONVOLUTIONS = [
    Entry("Conv1d", [channels(4, 3, 3), channels(4, 6, 2, stride=2, padding=1, groups=2),
                     channels(4, 2, 3, dilation=2, padding=2, bias=False),
                     channels(4, 3, 4, padding="same", dilation=2),
                     channels(4, 3, (2,), padding="valid")], SIGNALS),
    Entry("Conv1d", [channels(4, 3, 3, padding=1, padding_mode=m) for m in MODES], SIGNALS),
    Entry("Conv1d", [channels(4, 3, 1), channels(4, 4, 3, padding=1, groups=4)],
          images((2, 4, 1), (1, 4, 1), (4, 1))),
    Entry("Conv2d", [channels(4, 3, 3), channels(4, 6, (3, 2), stride=(2, 1), groups=2),
                     channels(4, 4, 3, stride=2, padding=(2, 1), groups=4, bias=False),
                     channels(4, 3, (2, 3), padding="same", dilation=(1, 2))], PICTURES),
    Entry("Conv2d", [channels(4, 3, (3, 2), padding=(1, 2), padding_mode=m) for m in MODES],
          PICTURES[:1]),
    Entry("Conv2d", [channels(4, 5, 1), channels(4, 5, 3, padding=1)],
          images((2, 4, 1, 1), (1, 4, 1, 3), (4, 2, 1))),
    Entry("Conv2d", [channels(1, 6, 5, padding=2), channels(1, 20, 3, dilation=3, stride=3)],
          images((2, 1, 9, 9))),
    Entry("Conv3d", [channels(4, 3, 2), channels(4, 2, (1, 3, 2), stride=(1, 2, 1), padding=1,
                     groups=2), channels(4, 3, 3, padding="same", padding_mode="circular")],
          VOLUMES),
    Entry("ConvTranspose1d", [channels(4, 3, 3), channels(4, 6, 3, stride=3, output_padding=2),
                              channels(4, 6, 2, stride=2, padding=1, groups=2, bias=False),
                              channels(4, 3, 2, dilation=3, output_padding=2)], SIGNALS),
    Entry("ConvTranspose1d", [channels(4, 3, 1), channels(4, 4, 3, stride=2, groups=4)],
          images((2, 4, 1), (4, 1))),
    Entry("ConvTranspose2d", [channels(4, 3, 3), channels(4, 6, (3, 2), stride=(2, 1), groups=2),
                              channels(4, 4, 3, stride=2, padding=(2, 1), output_padding=1,
                                       groups=4, bias=False),
                              channels(4, 3, 3, stride=2, dilation=2, padding=1)], PICTURES),
    Entry("ConvTranspose3d", [channels(4, 3, 2), channels(4, 2, (1, 3, 2), stride=(1, 2, 1),
                                                          padding=(0, 1, 1), groups=2)], VOLUMES),
]  # fmt: skip

WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 1, "padding": 1},
    {"kernel_size": 3, "stride": 2, "ceil_mode": True},
]
LINES, FIELDS, SPACES = (2, 3, 7), (2, 3, 5, 6), (2, 2, 3, 4, 5)
POOLING = [
    Entry("MaxPool1d", [*WINDOWS, {"kernel_size": 2, "dilation": 3, "stride": 1}],
          images(LINES, (1, 3, 7), (3, 8)), ties(LINES)),
    Entry("MaxPool2d", [*WINDOWS, {"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 0)},
                        {"kernel_size": 2, "dilation": 2, "padding": 1}],
          images(FIELDS, (1, 1, 4, 4), (3, 6, 6)), ties(FIELDS, (1, 2, 7, 7))),
    Entry("MaxPool2d", [{"kernel_size": 1}, {"kernel_size": (1, 3), "stride": 1}],
          images((2, 3, 1, 3), (1, 1, 1, 4))),
    Entry("MaxPool3d", [*WINDOWS, {"kernel_size": (1, 2, 2)}], images(SPACES, (2, 4, 5, 4)),
          ties(SPACES)),
    Entry("AvgPool1d", [*WINDOWS, {"kernel_size": 3, "stride": 2, "padding": 1,
                                   "count_include_pad": False}],
          images(LINES, (1, 3, 7), (3, 8))),
    Entry("AvgPool2d", [*WINDOWS, {"kernel_size": (3, 2), "padding": 1, "ceil_mode": True,
                                   "count_include_pad": False},
                        {"kernel_size": 2, "divisor_override": 3},
                        {"kernel_size": 3, "padding": 1, "stride": 2, "ceil_mode": True}],
          images(FIELDS, (1, 1, 4, 4), (3, 6, 6))),
    Entry("AvgPool2d", [{"kernel_size": 1}, {"kernel_size": (1, 3)}], images((2, 3, 1, 3))),
    Entry("AvgPool3d", [*WINDOWS, {"kernel_size": 2, "padding": 1, "count_include_pad": False},
                        {"kernel_size": (1, 2, 2), "divisor_override": 5}], images(SPACES, (2, 4, 5, 4))),
    Entry("AdaptiveAvgPool1d", [{"output_size": s} for s in (1, 3, 7, 9)], images(LINES, (3, 7))),
    Entry("AdaptiveAvgPool2d", [{"output_size": s} for s in (1, (5, 3), (2, 4), (None, 2))],
          images(FIELDS, (1, 1, 4, 4), (3, 7, 4))),
    Entry("AdaptiveAvgPool3d", [{"output_size": s} for s in (1, (2, 2, 3))], images(SPACES, (2, 3, 5, 4))),
    Entry("AdaptiveMaxPool1d", [{"output_size": s} for s in (1, 3, 7, 9)], images(LINES, (3, 7)),
          ties(LINES)),
    Entry("AdaptiveMaxPool2d", [{"output_size": s} for s in (1, (5, 3), (2, 4), (None, 2))],
          images(FIELDS, (1, 1, 4, 4), (3, 7, 4)), ties(FIELDS)),
    Entry("AdaptiveMaxPool3d", [{"output_size": s} for s in (1, (2, 2, 3))], images(SPACES, (2, 3, 5, 4)),
          ties(SPACES)),
    *(Entry(f"LPPool{rank}d", [{"norm_type": 2, "kernel_size": 2},
                               {"norm_type": 3, "kernel_size": 3, "stride": 2, "ceil_mode": True},
                               {"norm_type": 1.5, "kernel_size": 2, "stride": 1}],
            [(rng.uniform(0.3, 2, shape),), (rng.uniform(0.3, 2, shape[1:]),)])
      for rank, shape in ((1, LINES), (2, FIELDS), (3, SPACES))),
    *(Entry(f"MaxUnpool{rank}d", [{"kernel_size": 2}], [(normal(*shape), index)])
      for rank, shape, index in ((1, (1, 2, 3), np.array([[[0, 3, 5], [1, 2, 4]]])),
                                 (2, (1, 1, 2, 2), np.array([[[[1, 7], [8, 15]]]])),
                                 (3, (1, 2, 1, 1, 1), np.array([5, 0]).reshape(1, 2, 1, 1, 1)))),
]  # fmt: skip

PADS = {
    1: [2, (1, 0), (-2, 3), (3, -1), (-1, -2)],
    2: [1, (2, 0, 1, 3), (-1, 2, 1, -2)],
    3: [1, (2, 1, 0, 1, 1, 0), (-1, 1, 0, -1, 1, 0)],
}
SHAPES = {1: (LINES, (3, 5)), 2: (FIELDS, (1, 1, 4, 4), (3, 5, 5)), 3: (SPACES, (2, 3, 4, 4))}
PADDING = [
    Entry(f"{kind}Pad{rank}d", [{"padding": p, **more} for p in PADS[rank]], images(*SHAPES[rank]))
    for kind, more in (("Zero", {}), ("Constant", {"value": -1.5}), ("Reflection", {}),
                       ("Replication", {}), ("Circular", {}))
    for rank in (1, 2, 3)
]  # fmt: skip

FOLDING = [
    Entry("Unfold", [{"kernel_size": 2}, {"kernel_size": (3, 2), "stride": 2, "padding": (1, 0)},
                     {"kernel_size": 2, "dilation": 2}], images(FIELDS, (1, 1, 3, 3), (3, 5, 4))),
    Entry("Fold", [{"output_size": (4, 5), "kernel_size": 2}], images((2, 8, 12), (4, 12))),
    Entry("Fold", [{"output_size": (4, 5), "kernel_size": (2, 3), "stride": 2, "padding": 1}],
          images((2, 12, 9), (6, 9))),
]  # fmt: skip

ENTRIES = [*CONVOLUTIONS, *POOLING, *PADDING, *FOLDING]

# The functions whose name is not the class's in small letters; None where there is none that takes
# the same arguments.
FUNCTIONS: dict[str, str | None] = {
    **{f"{kind}{rank}d": None for rank in (1, 2, 3) for kind in ("Conv", "ConvTranspose")},
    **{f"{kind}Pad{rank}d": None for rank in (1, 2, 3)
       for kind in ("Zero", "Constant", "Reflection", "Replication", "Circular")},
    **{f"{kind}{rank}d": f"{stem}{rank}d" for rank in (1, 2, 3)
       for kind, stem in (("MaxPool", "max_pool"), ("AvgPool", "avg_pool"), ("LPPool", "lp_pool"),
                          ("AdaptiveAvgPool", "adaptive_avg_pool"),
                          ("AdaptiveMaxPool", "adaptive_max_pool"), ("MaxUnpool", "max_unpool"))},
}  # fmt: skip
