"""Layers that look at features, positions and tables: norms, similarities, embeddings, grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from layer_catalogue import Arrays, Entry, normal, rng, whole

IMAGES: list[Arrays] = [(normal(2, 4, 3, 3),), (normal(1, 4, 1, 2),), (normal(1, 4, 2, 1),)]
SIGNALS: list[Arrays] = [(normal(2, 3, 5),), (normal(1, 2, 4),), (normal(1, 1, 1),)]
VOLUMES: list[Arrays] = [(normal(2, 2, 2, 3, 2),), (normal(1, 1, 1, 2, 3),)]

NORMS = [
    Entry("LayerNorm", [{"normalized_shape": 3}, {"normalized_shape": [3], "eps": 0.5},
                        {"normalized_shape": (3,), "elementwise_affine": False},
                        {"normalized_shape": 3, "bias": False}],
          [(normal(5, 3),), (normal(1, 3),), (normal(2, 1, 3),), (normal(3),)]),
    Entry("LayerNorm", [{"normalized_shape": [2, 3]}], [(normal(4, 2, 3),), (normal(2, 3),)]),
    Entry("LayerNorm", [{"normalized_shape": 1}], [(normal(4, 1),), (normal(1),)]),
    Entry("RMSNorm", [{"normalized_shape": 3}, {"normalized_shape": [3], "eps": 0.5},
                      {"normalized_shape": 3, "elementwise_affine": False}],
          [(normal(5, 3),), (normal(1, 3),), (normal(2, 1, 3),), (normal(3),)]),
    Entry("RMSNorm", [{"normalized_shape": (2, 3)}], [(normal(4, 2, 3),), (normal(2, 3),)]),
    Entry("GroupNorm", [{"num_groups": 2, "num_channels": 4}, {"num_groups": 1, "num_channels": 4},
                        {"num_groups": 2, "num_channels": 4, "affine": False, "eps": 0.5},
                        {"num_groups": 2, "num_channels": 4, "bias": False}],
          [*IMAGES, (normal(3, 4),), (normal(2, 4, 5),)]),
    Entry("GroupNorm", [{"num_groups": 4, "num_channels": 4}], [IMAGES[0], (normal(2, 4, 3),)]),
    Entry("LocalResponseNorm", [{"size": 3, "alpha": 0.5}, {"size": 2, "alpha": 0.9, "k": 0.5},
                                {"size": 5, "alpha": 0.5, "beta": 0.5}, {"size": 1}],
          [*IMAGES, (normal(2, 5, 3),), (normal(1, 1, 4),), VOLUMES[0]]),
]  # fmt: skip


def two(*shape: int) -> Arrays:
    return normal(*shape), normal(*shape)


ZEROS = np.zeros((3, 2))
SOME_ZERO = np.array([[0.0, 0.0], [1.0, -1.0], [2.0, 0.0]])
ORDERS = (1.0, float("inf"), 3.0, 1.5, 0.5)
SIMILARITIES = [
    Entry("CosineSimilarity", [{}, {"dim": 0}, {"dim": -1, "eps": 0.1}],
          [two(4, 3), two(1, 3), (normal(2, 3, 2), normal(1, 3, 1)), (normal(4, 3), normal(3))]),
    Entry("CosineSimilarity", [{"dim": 0}], [two(3)]),
    # below eps, the gradient passes as if the length were not held
    Entry("CosineSimilarity", [{"eps": 2.0}], [(0.3 * normal(4, 3), normal(4, 3, scale=3))],
          [(SOME_ZERO, normal(3, 2)), (SOME_ZERO, ZEROS)]),
    Entry("PairwiseDistance", [{}, {"keepdim": True}, *({"p": p} for p in ORDERS)],
          [two(4, 3), two(1, 3), (normal(4, 3), normal(1, 3)), (normal(4, 3), normal(3)), two(3)],
          [(SOME_ZERO, ZEROS), (SOME_ZERO, SOME_ZERO)]),
    Entry("PairwiseDistance", [{"p": p, "eps": 0.0} for p in (2.0, *ORDERS)],
          kinks=[(SOME_ZERO, ZEROS)]),
]  # fmt: skip

PADDED = np.array([[0, 3, 2], [3, 3, 3]])
TABLE = normal(4, 3)
EMBEDDINGS = [
    Entry("Embedding", [{"num_embeddings": 4, "embedding_dim": 3},
                        {"num_embeddings": 4, "embedding_dim": 3, "padding_idx": 3},
                        {"num_embeddings": 4, "embedding_dim": 3, "padding_idx": -1}],
          [(whole(4, 5),), (PADDED,), (np.array(3),), (whole(4, 2, 1, 2),)]),
    Entry("Embedding", [{"num_embeddings": 1, "embedding_dim": 1}], [(whole(1, 3),)]),
    Entry("EmbeddingBag", [{"num_embeddings": 4, "embedding_dim": 3, "mode": mode, **more}
                           for mode in ("mean", "sum", "max")
                           for more in ({}, {"padding_idx": 3}, {"padding_idx": -2})],
          [(whole(4, 5, 2),), (PADDED,), (whole(4, 1, 1),)]),
    Entry("EmbeddingBag", [{"num_embeddings": 4, "embedding_dim": 3, "mode": mode, **more}
                           for mode in ("mean", "sum", "max") for more in ({}, {"padding_idx": 3})],
          [(whole(4, 6), np.array([0, 2, 5])), (np.array([3, 0, 3, 1]), np.array([0, 0, 2, 4, 4])),
           (whole(4, 3), np.array([0]))]),
    Entry("EmbeddingBag", [{"num_embeddings": 4, "embedding_dim": 3, "mode": mode,
                            "include_last_offset": True} for mode in ("mean", "sum")],
          [(whole(4, 6), np.array([0, 2, 2, 6]))]),
    Entry("EmbeddingBag", [{"num_embeddings": 4, "embedding_dim": 3, "mode": "sum"},
                           {"num_embeddings": 4, "embedding_dim": 3, "mode": "sum",
                            "padding_idx": 3}],
          [(np.array([3, 0, 3, 1, 2]), np.array([0, 2, 2]), normal(5))], second_order=False),
]  # fmt: skip


def tables(*options: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"num_embeddings": 4, "embedding_dim": 3, **each} for each in options]


# The tests draw rows of a table from (0.1, 0.4): some are longer than these norms, some are not.
RENORMED = [{"max_norm": 0.4}, {"max_norm": 0.8, "norm_type": 1.0},
            {"max_norm": 0.3, "norm_type": float("inf")}, {"max_norm": 0.4, "norm_type": 3},
            {"max_norm": 2, "norm_type": 0}, {"max_norm": 0.4, "padding_idx": 3}]  # fmt: skip
SCALED = [{"scale_grad_by_freq": True, **each}
          for each in ({}, {"padding_idx": 3}, {"padding_idx": -1, "max_norm": 0.4},
                       {"max_norm": 0.8, "norm_type": 1.0})]  # fmt: skip
SUMMED = [{"mode": "sum", **each} for each in SCALED]
LOOKED_UP = [(whole(4, 5),), (PADDED,), (np.array(3),), (whole(4, 1, 2, 3),), (whole(4, 2, 0),)]
IN_BAGS = [(whole(4, 5, 2),), (PADDED,), (whole(4, 1, 1),)]
IN_RUNS = [(whole(4, 6), np.array([0, 2, 5])), (np.array([3, 0, 3, 1]), np.array([0, 0, 2, 4, 4])),
           (whole(4, 3), np.array([0]))]  # fmt: skip
# Only the last row repeats: else PyTorch's bags on CPU divide by the count of another row (its
# issue 190063). What repeats otherwise is in test_embedding_options.py.
COUNTED_BAGS = [(np.array([[0, 3], [3, 1], [2, 3]]),), (PADDED,), (np.array([[2]]),)]
COUNTED_RUNS = [(np.array([0, 3, 2, 3, 1]), np.array([0, 2, 3])), IN_RUNS[1],
                (np.array([1]), np.array([0]))]  # fmt: skip
EMBEDDING_OPTIONS = [
    Entry("Embedding", tables(*RENORMED), LOOKED_UP),
    Entry("Embedding", tables(*SCALED), LOOKED_UP),
    *(Entry("EmbeddingBag", tables(*({"mode": mode, **each} for each in RENORMED[::5])), data)
      for mode in ("mean", "sum", "max") for data in (IN_BAGS, IN_RUNS)),
    *(Entry("EmbeddingBag", tables(*SCALED, *SUMMED), data)
      for data in (COUNTED_BAGS, COUNTED_RUNS)),
    Entry("EmbeddingBag", tables({"mode": "sum", **RENORMED[0]}, *SUMMED),
          [(*COUNTED_RUNS[0], normal(5)), (*IN_RUNS[1], normal(4))], second_order=False),
    Entry("EmbeddingBag", tables(*({"include_last_offset": True, **each} for each in SCALED)),
          [(np.array([0, 3, 2, 3, 1, 3]), np.array([0, 2, 2, 6]))]),
]  # fmt: skip


def grids(mode: str, *more: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"mode": mode, **each} for each in more]


FACTORS = ({"scale_factor": 2}, {"scale_factor": 1.5}, {"scale_factor": 0.6},
           {"scale_factor": 1.7, "recompute_scale_factor": True})  # fmt: skip
CORNERS = ({"scale_factor": 2, "align_corners": True}, {"scale_factor": 1.7, "align_corners": False})
GRIDS = [
    Entry("Upsample", [*grids("nearest", *FACTORS, {"size": 3}), *grids("nearest-exact", *FACTORS),
                       *grids("area", *FACTORS, {"size": 3}),
                       *grids("linear", *FACTORS[:2], *CORNERS, {"size": 4}, {"size": (1,)})],
          [(normal(2, 3, 5),), (normal(1, 2, 2),)]),
    Entry("Upsample", [{"size": 3}, {"scale_factor": 3.0}], SIGNALS),
    Entry("Upsample", [*grids("nearest", *FACTORS, {"size": (2, 5)}, {"scale_factor": (2, 1)}),
                       *grids("nearest-exact", {"size": (5, 2)}), *grids("area", {"size": (2, 5)}),
                       *grids("bilinear", *FACTORS, *CORNERS, {"size": (5, 2)}),
                       *grids("bicubic", *FACTORS, *CORNERS, {"size": (5, 2)},
                              {"size": (5, 2), "align_corners": True})],
          [(normal(2, 4, 3, 3),), (normal(1, 2, 2, 2),)]),
    Entry("Upsample", [*grids("bilinear", {"size": (1, 3)}), {"size": 4},
                       *grids("bicubic", {"size": (3, 3)})], IMAGES),
    Entry("Upsample", [{"scale_factor": 2}, *grids("trilinear", {"scale_factor": 2}, *CORNERS),
                       *grids("area", {"size": (1, 4, 2)})],
          [(normal(2, 2, 2, 3, 2),), (normal(1, 1, 1, 2, 3),)]),
    Entry("UpsamplingNearest2d", [{"scale_factor": 2}, {"size": (4, 3)}, {"size": 5}], IMAGES),
    Entry("UpsamplingBilinear2d", [{"scale_factor": 2}, {"size": (4, 3)}, {"scale_factor": 2.5}],
          IMAGES),
    Entry("PixelShuffle", [{"upscale_factor": 2}],
          [*IMAGES, (normal(8, 1, 3),), (normal(2, 1, 4, 2, 2),)]),
    Entry("PixelShuffle", [{"upscale_factor": 1}], IMAGES[:1]),
    Entry("PixelUnshuffle", [{"downscale_factor": 2}],
          [(normal(2, 3, 4, 2),), (normal(1, 1, 2, 2),), (normal(3, 2, 4),)]),
    Entry("ChannelShuffle", [{"groups": 2}, {"groups": 4}, {"groups": 1}],
          [*IMAGES, (normal(3, 4, 2),), (normal(1, 8, 1, 1),)]),
    Entry("Unflatten", [{"dim": 1, "unflattened_size": (2, 3)},
                        {"dim": -1, "unflattened_size": (-1, 2)}],
          [(normal(4, 6),), (normal(1, 6),)]),
    Entry("Unflatten", [{"dim": 0, "unflattened_size": (2, -1)}], [(normal(6),), (normal(4, 3),)]),
]  # fmt: skip

BILINEAR = [
    Entry("Bilinear", [{"in1_features": 3, "in2_features": 2, "out_features": 4, "bias": bias}
                       for bias in (True, False)],
          [(normal(5, 3), normal(5, 2)), (normal(1, 3), normal(1, 2)), (normal(3), normal(2)),
           (normal(2, 1, 3), normal(2, 1, 2))]),
    Entry("Bilinear", [{"in1_features": 1, "in2_features": 1, "out_features": 1}],
          [(normal(4, 1), normal(4, 1))]),
]  # fmt: skip


@dataclass(frozen=True)
class Several:
    """A class with several results: compared by `test_defined_layers.py`, after their names."""

    name: str
    constructions: Sequence[dict[str, Any]]
    data: Sequence[Arrays]
    results: tuple[str, ...]


CLUSTERS = {"in_features": 8, "n_classes": 9, "cutoffs": [3, 5], "div_value": 2.0}
ADAPTIVE = [
    Several("AdaptiveLogSoftmaxWithLoss", [CLUSTERS, {**CLUSTERS, "head_bias": True},
                                           {"in_features": 8, "n_classes": 4, "cutoffs": [1]}],
            [(normal(6, 8), np.array([0, 3, 2, 1, 3, 0])), (normal(1, 8), whole(4, 1)),
             (normal(8), whole(4))], ("output", "loss")),
    Several("AdaptiveLogSoftmaxWithLoss", [CLUSTERS],
            [(normal(9, 8), rng.permutation(9)), (normal(8), np.array(8))], ("output", "loss")),
]  # fmt: skip

ENTRIES = [*NORMS, *SIMILARITIES, *EMBEDDINGS, *EMBEDDING_OPTIONS, *GRIDS, *BILINEAR, *ADAPTIVE]
