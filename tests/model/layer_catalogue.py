"""The activations and losses of `torch.nn` that symgrad has: how each is made, and on what it runs.

One `Entry` per class drives `test_layer_catalogue.py`; a class without one fails there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

rng = np.random.default_rng(11)
Arrays = tuple[Any, ...]
REDUCED = [{"reduction": r} for r in ("mean", "sum", "none")]


@dataclass(frozen=True)
class Entry:
    """A class: its constructions, and the arrays that each of them is called with.

    `data`: where it is smooth: values, first and second derivatives are compared. `kinks`: on its
    joints and ties, where second derivatives are not.
    `fixed`: positions of arrays that no gradient is taken for (targets; integers never have one).
    `second_order`: whether PyTorch has second derivatives; where it says not, it must refuse.
    `slope_tolerance`: relative; larger where PyTorch itself computes with a 32-bit constant.
    """

    name: str
    constructions: Sequence[dict[str, Any]] = ({},)
    data: Sequence[Arrays] = ()
    kinks: Sequence[Arrays] = ()
    fixed: tuple[int, ...] = ()
    second_order: bool = True
    slope_tolerance: float = 1e-10


def normal(*shape: int, scale: float = 1.5) -> Any:
    return rng.normal(scale=scale, size=shape)


def whole(high: int, *shape: int) -> Any:
    return np.asarray(rng.integers(0, high, shape))


def signs(*shape: int) -> Any:
    return np.asarray(rng.choice([-1.0, 1.0], shape))


def probabilities(*shape: int, axis: int = -1) -> Any:
    p = rng.uniform(0.1, 1, size=shape)
    return p / p.sum(axis=axis, keepdims=True)


PLAIN: list[Arrays] = [(normal(4, 3, scale=4),), (normal(1, 3),), (normal(),)]
IMAGES: list[Arrays] = [(normal(2, 3, 2, 2),), (normal(1, 4, 1, 3),), (normal(3, 2, 2),)]


def at(*points: float) -> list[Arrays]:
    """The points, each with its neighbours in float64."""
    return [(np.array([w for p in points for w in (np.nextafter(p, -9), p, np.nextafter(p, 9))]),)]


ACTIVATIONS = [
    Entry("ReLU", data=PLAIN, kinks=at(0)),
    Entry("Tanh", data=PLAIN),
    Entry("Sigmoid", data=PLAIN),
    Entry("Softplus", [{}, {"beta": 2.5}, {"beta": 0.5, "threshold": 1.0}], PLAIN),
    Entry("GELU", [{}, {"approximate": "tanh"}], [(normal(4, 3),), (normal(),)]),
    Entry("SiLU", data=PLAIN),
    Entry("Mish", data=PLAIN),
    Entry("LogSigmoid", data=[*PLAIN, (np.array([-800.0, 800.0]),)]),
    Entry("Tanhshrink", data=PLAIN),
    Entry("Softsign", data=PLAIN, kinks=at(0)),
    Entry("Identity", data=PLAIN),
    Entry("LeakyReLU", [{}, {"negative_slope": 0.3}], PLAIN, at(0)),
    Entry("RReLU", [{}, {"lower": 0.1, "upper": 0.2}], PLAIN, at(0)),
    Entry("PReLU", [{}, {"init": 0.5}], PLAIN, at(0)),
    Entry("PReLU", [{"num_parameters": 3}], [(normal(4, 3),), (normal(1, 3, 2, 2),)]),
    Entry("ReLU6", data=PLAIN, kinks=at(0, 6)),
    Entry("Hardtanh", [{}, {"min_val": -2.5, "max_val": 0.5}], PLAIN, at(-1, 1, -2.5, 0.5)),
    # hardsigmoid_backward multiplies by 1/6 rounded to 32 bits, in float64 too
    Entry("Hardsigmoid", data=PLAIN, kinks=at(-3, 3), second_order=False, slope_tolerance=1e-7),
    Entry("Hardswish", data=PLAIN, kinks=at(-3, 3)),
    Entry("ELU", [{}, {"alpha": 2.5}], [*PLAIN, (np.array([-800.0, 800.0]),)], at(0)),
    Entry("SELU", data=[*PLAIN, (np.array([-800.0, 800.0]),)], kinks=at(0)),
    Entry("CELU", [{}, {"alpha": 0.5}], [*PLAIN, (np.array([-800.0, 800.0]),)], at(0)),
    Entry("Hardshrink", [{}, {"lambd": 1.25}], PLAIN, at(0, 0.5, -0.5, 1.25, -1.25)),
    Entry("Softshrink", [{}, {"lambd": 1.25}], PLAIN, at(0, 0.5, -0.5, 1.25, -1.25)),
    Entry("Threshold", [{"threshold": 0.5, "value": -7.0}], PLAIN, at(0.5)),
    Entry("Softmax", [{"dim": -1}, {"dim": 0}], [(normal(4, 3, scale=4),), (normal(1, 3),)]),
    Entry("LogSoftmax", [{"dim": 1}, {"dim": 0}], [(normal(4, 3, scale=4),), (normal(1, 3),)]),
    Entry("Softmin", [{"dim": -1}, {"dim": 0}], [(normal(4, 3, scale=4),), (normal(1, 3),)]),
    Entry("Softmax2d", data=IMAGES),
    Entry("GLU", [{}, {"dim": 0}], [(normal(4, 6),), (normal(2, 3, 2),), (normal(6),)]),
]  # fmt: skip


def pairs(*shapes: tuple[int, ...]) -> list[Arrays]:
    return [(normal(*shape), normal(*shape)) for shape in shapes]


SHAPES = ((4, 3), (1, 3), (3,), ())
TIES = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
WEIGHT = np.array([0.5, 2.0, 1.25])
SCORES: list[Arrays] = [
    (normal(5, 3, scale=4), whole(3, 5)),
    (normal(1, 3), whole(3, 1)),
    (normal(3), whole(3)),
]
LABELLED: list[Arrays] = [*SCORES, (normal(2, 3, 4), whole(3, 2, 4))]
SOME_IGNORED: list[Arrays] = [
    (normal(5, 3), np.array([0, 2, -100, 1, -100])),
    (normal(2, 3, 2), np.array([[1, -100], [0, 2]])),
    (normal(3), np.array(2)),
]


def options(*more: dict[str, Any]) -> list[dict[str, Any]]:
    """Every reduction plain, and each further option with a mean and with none."""
    return [*REDUCED, *({**m, "reduction": r} for m in more for r in ("mean", "none"))]


REGRESSION = [
    Entry("MSELoss", REDUCED, pairs(*SHAPES)),
    Entry("L1Loss", REDUCED, pairs(*SHAPES), [(TIES, np.zeros(7))]),
    Entry("HuberLoss", options({"delta": 0.5}), pairs(*SHAPES), [(TIES, np.zeros(7))]),
    Entry("SmoothL1Loss", options({"beta": 0.5}, {"beta": 0.0}), pairs(*SHAPES),
          [(TIES, np.zeros(7))]),
]  # fmt: skip

LIKELIHOODS = [
    Entry("KLDivLoss", [*REDUCED, {"reduction": "batchmean"}],
          [(normal(4, 3), probabilities(4, 3)), (normal(1, 3), probabilities(1, 3)),
           (normal(3), probabilities(3)), (normal(), np.array(0.3))]),
    Entry("KLDivLoss", [{"reduction": "batchmean"}, {}], fixed=(1,),
          data=[(normal(3), np.array([0.0, 1.0, 0.0]))]),
    Entry("KLDivLoss", [{"log_target": True, "reduction": r} for r in ("batchmean", "mean", "none")],
          pairs(*SHAPES)),
    Entry("PoissonNLLLoss", options({"full": True}),
          [(normal(4, 3), rng.poisson(2.0, (4, 3)) + 0.25), (normal(), np.array(3.5))]),
    Entry("PoissonNLLLoss", [{"full": True}], fixed=(1,), data=[(normal(3), np.array([0.0, 1, 2]))]),
    Entry("PoissonNLLLoss", [{"log_input": False}, {"log_input": False, "full": True, "eps": 0.01}],
          [(rng.uniform(0.5, 3, (4, 3)), rng.poisson(2.0, (4, 3)) + 0.25)]),
    Entry("GaussianNLLLoss", options({"full": True}, {"eps": 0.25}),
          [(normal(4, 3), normal(4, 3), rng.uniform(0.3, 2, s)) for s in ((4, 3), (4,), (4, 1), (1, 3))]
          + [(normal(3), normal(3), rng.uniform(0.3, 2, 3))]),
    Entry("GaussianNLLLoss", [{"eps": 0.25}], fixed=(2,),
          data=[(normal(3), normal(3), np.array([0.0, 0.25, 0.5]))]),
]  # fmt: skip

CLASSES = [
    Entry("CrossEntropyLoss",
          options({"weight": WEIGHT}, {"label_smoothing": 0.25},
                  {"weight": WEIGHT, "label_smoothing": 0.25}), LABELLED),
    Entry("CrossEntropyLoss",
          [{"ignore_index": -100, "reduction": r, **more} for r in ("mean", "sum", "none")
           for more in ({}, {"weight": WEIGHT, "label_smoothing": 0.25})], SOME_IGNORED),
    Entry("CrossEntropyLoss", [{"ignore_index": 1, "label_smoothing": 0.1}], LABELLED[:1]),
    Entry("CrossEntropyLoss",
          options({"weight": WEIGHT, "label_smoothing": 0.25}), fixed=(1,),
          data=[(normal(4, 3), probabilities(4, 3)), (normal(3), probabilities(3)),
                (normal(2, 3, 2), probabilities(2, 3, 2, axis=1))]),
    Entry("NLLLoss", options({"weight": WEIGHT}), LABELLED),
    Entry("NLLLoss", [{"ignore_index": -100, "reduction": r, **more} for r in ("mean", "none")
                      for more in ({}, {"weight": WEIGHT})], SOME_IGNORED),
]  # fmt: skip

BINARY: list[Arrays] = [
    (rng.uniform(0.05, 0.95, shape), rng.uniform(0, 1, shape)) for shape in SHAPES
]
WITH_LOGITS: list[Arrays] = [(normal(*shape, scale=4), rng.uniform(0, 1, shape)) for shape in SHAPES]
YES_NO = [
    Entry("BCELoss", REDUCED, BINARY, fixed=(1,)),
    Entry("BCELoss", [{"weight": WEIGHT}, {"weight": WEIGHT, "reduction": "none"}],
          BINARY[:3], fixed=(1,)),
    Entry("BCEWithLogitsLoss", REDUCED, WITH_LOGITS, [(TIES, 1.0 * (TIES > 0))], fixed=(1,)),
    Entry("BCEWithLogitsLoss", [{"weight": WEIGHT}, {"pos_weight": 2 * WEIGHT},
                                {"weight": WEIGHT, "pos_weight": WEIGHT, "reduction": "none"}],
          WITH_LOGITS[:3], fixed=(1,)),
    Entry("SoftMarginLoss", REDUCED, [(normal(*s, scale=4), signs(*s)) for s in SHAPES], fixed=(1,)),
    Entry("MultiLabelSoftMarginLoss", options({"weight": WEIGHT}),
          [(normal(*s, scale=4), 1.0 * whole(2, *s)) for s in ((4, 3), (1, 3), (3,), (2, 2, 3))],
          fixed=(1,)),
]  # fmt: skip

MARGINS = [
    Entry("HingeEmbeddingLoss", options({"margin": 2.5}),
          [(normal(*s), signs(*s)) for s in SHAPES],
          [(TIES, -np.ones(7)), (TIES, np.ones(7)), (TIES, np.zeros(7))], fixed=(1,)),
    Entry("MarginRankingLoss", options({"margin": 0.5}),
          [(normal(*s), normal(*s), signs(*s)) for s in SHAPES],
          [(TIES, np.zeros(7), np.ones(7)), (TIES, np.zeros(7), -np.ones(7))], fixed=(2,)),
    Entry("MultiMarginLoss", options({"p": 2}, {"margin": 0.5, "weight": WEIGHT},
                                     {"p": 2, "weight": WEIGHT}), SCORES,
          [(np.array([[1.0, 0.0, 1.0], [2.0, 1.0, 1.0]]), np.array([0, 0]))], second_order=False),
    Entry("MultiLabelMarginLoss", REDUCED,
          [(normal(3, 4), np.array([[2, 0, -1, 3], [-1, 1, 2, 0], [3, 1, 0, 2]])),
           (normal(1, 4), np.array([[1, 1, -1, 0]])), (normal(4), np.array([3, 0, -1, 1]))],
          [(np.array([[1.0, 0.0, 0.0, 2.0]]), np.array([[0, -1, -1, -1]]))], second_order=False),
]  # fmt: skip

VECTORS: list[Arrays] = [(normal(4, 3), normal(4, 3), normal(4, 3)), (normal(1, 3),) * 2 + (normal(1, 3),),
                         (normal(3), normal(3), normal(3))]  # fmt: skip
EQUAL = np.array([[0.5, 1.0, 2.0]])
EMBEDDINGS = [
    Entry("CosineEmbeddingLoss", options({"margin": 0.5}),
          [(normal(4, 3), normal(4, 3), signs(4)), (normal(1, 3), normal(1, 3), signs(1)),
           (normal(3), normal(3), np.array(-1.0))],
          [(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 2.0], [0.0, 2.0]]), t)
           for t in (np.ones(2), -np.ones(2))], fixed=(2,)),
    Entry("TripletMarginLoss", options({"margin": 0.5, "swap": True}, {"p": 1}, {"p": 3}), VECTORS),
    Entry("TripletMarginLoss", [{"p": float("inf")}], VECTORS[:1]),
    Entry("TripletMarginLoss", [{"margin": 1.0, "eps": 0.0, "swap": swap} for swap in (False, True)],
          kinks=[(EQUAL, EQUAL, EQUAL), (EQUAL, EQUAL, EQUAL + np.array([1.0, 0.0, 0.0]))]),
    Entry("TripletMarginWithDistanceLoss", options({"margin": 0.5, "swap": True}), VECTORS),
]  # fmt: skip

LOSSES = [*REGRESSION, *LIKELIHOODS, *CLASSES, *YES_NO, *MARGINS, *EMBEDDINGS]
ENTRIES = [*ACTIVATIONS, *LOSSES]

# The functions whose name is not the class's in small letters; None where there is none.
FUNCTIONS: dict[str, str | None] = {
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "CosineEmbeddingLoss": "cosine_embedding_loss",
    "CrossEntropyLoss": "cross_entropy",
    "GaussianNLLLoss": "gaussian_nll_loss",
    "HingeEmbeddingLoss": "hinge_embedding_loss",
    "HuberLoss": "huber_loss",
    "Identity": None,
    "KLDivLoss": "kl_div",
    "L1Loss": "l1_loss",
    "LeakyReLU": "leaky_relu",
    "LogSoftmax": "log_softmax",
    "MSELoss": "mse_loss",
    "MarginRankingLoss": "margin_ranking_loss",
    "MultiLabelMarginLoss": "multilabel_margin_loss",
    "MultiLabelSoftMarginLoss": "multilabel_soft_margin_loss",
    "MultiMarginLoss": "multi_margin_loss",
    "NLLLoss": "nll_loss",
    "PReLU": None,
    "PoissonNLLLoss": "poisson_nll_loss",
    "SmoothL1Loss": "smooth_l1_loss",
    "SoftMarginLoss": "soft_margin_loss",
    "Softmax2d": None,
    "TripletMarginLoss": "triplet_margin_loss",
    "TripletMarginWithDistanceLoss": "triplet_margin_with_distance_loss",
}
