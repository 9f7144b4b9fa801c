"""The naive texts whose emitted code is measured: where, and against what an error counts.

Each is compiled from the text as a user would write it; the truth is SymPy's own derivative of the
same naive formula in mpmath, with as many digits as it takes (nothing of symgrad's is in it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import sympy
from sympy import Expr, Symbol, cos, exp, log, sqrt

from symgrad.expr.node import Node
from symgrad.model.formula_text import formula

X, Y, T = sympy.symbols("x y t", real=True)
Z = sympy.symbols("z0 z1 z2", real=True)
WIDTH = len(Z)
Points = np.ndarray  # [points, variables], float64
Draw = Callable[[np.random.Generator, int, type], Points]


@dataclass(frozen=True)
class NaiveText:
    """One row of the table.

    `text`: what the user writes; `shapes`: of its tensors; `wrt`: those that are differentiated.
    `naive`: the same for SymPy, one symbol per number of a point. `draw`: the points.
    `conditioned`: errors are divided by the condition number of the point where that is above 1.
    `sizes`: for the value and for the derivatives of first and second order, with respect to the
    numbers i and j of a point, what else an error is measured against if it is larger.
    """

    text: str
    shapes: Mapping[str, str]
    wrt: tuple[str, ...]
    naive: Expr
    symbols: tuple[Symbol, ...]
    draw: Draw
    conditioned: bool = False
    sizes: Callable[[tuple[int, ...]], Expr | None] = lambda index: None
    inner: tuple[str, str] | None = None
    note: str = ""

    @property
    def is_rowwise(self) -> bool:
        """Whether a point is a row of one tensor, and not one entry of each."""
        return self.symbols == Z

    @property
    def title(self) -> str:
        return (
            self.text if self.inner is None else f"{self.text}, {self.inner[0]} = {self.inner[1]}"
        )

    def build(self) -> Node:
        """The expression, from the text."""
        if self.inner is None:
            return formula(self.text, shapes=self.shapes, parameters=self.wrt)
        name, definition = self.inner
        own = {k: s for k, s in self.shapes.items() if k in self.wrt}
        within = formula(definition, shapes=own, parameters=self.wrt)
        others = {k: s for k, s in self.shapes.items() if k not in own}
        return formula(self.text, shapes={**others, name: within})


def line(rng: np.random.Generator, count: int, lowest: float, highest: float) -> np.ndarray:
    """Sizes spread evenly over the decades, the corners where formulas bend among them."""
    return 10.0 ** rng.uniform(np.log10(lowest), np.log10(highest), count)


EDGES = np.array(
    [0.5, np.log(2), 1, 2, 9.7, 16.6, 17.3, 36.7, 37.4, 44.1, 60, 87.3, 88.7, 103.9, 350, 372.6,
     708.4, 709.7, 745.1, 1e4]
)  # fmt: skip


def positive(rng: np.random.Generator, count: int, dtype: type) -> Points:
    """From where nothing happens yet to 1e4 and beyond."""
    low = 1e-30 if dtype is np.float32 else 1e-290
    near, far = count // 3, count // 4
    return np.concatenate(
        [
            EDGES,
            line(rng, count - near - far, low, 1e4),
            rng.uniform(0.05, 20, near),
            rng.uniform(20, 900, far),
        ]
    )[:, None]


def real(rng: np.random.Generator, count: int, dtype: type) -> Points:
    """Both signs, and 0."""
    half = positive(rng, count // 2, dtype)
    return np.concatenate([half, -half, [[0.0]]])


def everywhere(rng: np.random.Generator, count: int, dtype: type) -> Points:
    """Positive, over nearly all of the type's decades."""
    about = np.finfo(dtype)
    return line(rng, count, float(about.smallest_normal) * 4, float(about.max) / 4)[:, None]


def plane(rng: np.random.Generator, count: int, dtype: type) -> Points:
    """Pairs over nearly all decades, near and far from each other, with zeros and ties."""
    sizes = everywhere(rng, count, dtype)
    others = np.concatenate(
        [
            sizes[: count // 2] * line(rng, count // 2, 0.03, 4)[:, None],
            everywhere(rng, count - count // 2, dtype),
        ]
    )
    others[0], others[1], sizes[2] = 0, sizes[1], 0
    top = float(np.finfo(dtype).max) / 4
    both = np.minimum(np.concatenate([sizes, others], axis=1), top)
    return both * rng.choice([-1.0, 1.0], both.shape)


def pairs(rng: np.random.Generator, count: int, dtype: type) -> Points:
    """Exponents of two terms: alike, apart, equal."""
    first = real(rng, count, dtype)
    gaps = real(rng, count, dtype)
    second = np.where(
        rng.random(first.shape) < 0.6, first + rng.permutation(gaps), rng.permutation(first)
    )
    second[:3] = first[:3]
    return np.concatenate([first, np.clip(second, -1e4, 1e4)], axis=1)


def with_target(rng: np.random.Generator, count: int, dtype: type) -> Points:
    """Logits with targets 0, 1 and between."""
    logits = real(rng, count, dtype)
    targets = rng.choice([0.0, 1.0, 0.25, 0.3, 0.9, 1e-3], logits.shape)
    return np.concatenate([logits, targets], axis=1)


def rows(rng: np.random.Generator, count: int, dtype: type) -> Points:
    """Logits: of a size, around a common height, with ties, one far above the others."""
    spread = line(rng, count, 1e-8, 1e4)[:, None]
    heights = np.where(rng.random((count, 1)) < 0.5, 0, rng.uniform(-1e4, 1e4, (count, 1)))
    points = np.clip(heights + spread * rng.standard_normal((count, WIDTH)), -1e4, 1e4)
    points[0], points[1], points[2] = 0, 1e4, -1e4
    points[3, 0] = points[3, 1]
    return points


RANGES = {
    positive: "x from 1e-30 (1e-290) to 1e4",
    real: "0, and both signs of 1e-30 (1e-290) to 1e4",
    everywhere: "x from the smallest to the largest number, but for a factor of 4",
    plane: "both signs of nearly all numbers, zeros, ties",
    pairs: "-1e4 to 1e4, near and apart, ties",
    with_target: "z: 0 and both signs of 1e-30 (1e-290) to 1e4; t: 0, 1 and between",
    rows: "rows of 3 in -1e4 to 1e4: of one size, around one height, ties",
}

WEIGHT = [exp(z) / sum(map(exp, Z)) for z in Z]


def _sum_sizes(index: tuple[int, ...]) -> Expr | None:
    if len(index) != 2:
        return None if index else sympy.S.One
    i, j = index
    return WEIGHT[i] * WEIGHT[j] + (WEIGHT[i] if i == j else 0)


def _softmax_sizes(index: tuple[int, ...]) -> Expr | None:
    return _sum_sizes(index) if len(index) == 2 else sympy.S.One


LARGEST = (
    "the logits are rounded. Besides, a sum of exponentials is rounded at the size of its largest "
    "term, 1 after the shift, and a difference of weights p at the size of the weights: "
)

TEXTS = (
    NaiveText(
        "log(sum(exp(z), axis=-1))", {"z": "n k"}, ("z",), log(sum(map(exp, Z))), Z, rows, True,
        _sum_sizes, None,
        LARGEST + "the value is measured against 1 where it is smaller, the second derivative "
        "`p_i (d_ij - p_j)` against `p_i (d_ij + p_j)`",
    ),
    NaiveText("log(1 + exp(x))", {"x": "n"}, ("x",), log(1 + exp(X)), (X,), real),
    NaiveText("1/(1 + exp(-x))", {"x": "n"}, ("x",), 1 / (1 + exp(-X)), (X,), real),
    NaiveText(
        "log(exp(z)/sum(exp(z), axis=-1, keepdims=True))", {"z": "n k"}, ("z",),
        log(exp(Z[0]) / sum(map(exp, Z))), Z, rows, True, _softmax_sizes, None,
        LARGEST + "value and gradient `y - p` are measured against 1 where they are smaller, the "
        "second derivative as above",
    ),
    NaiveText(
        "-(t*log(p) + (1 - t)*log(1 - p))", {"z": "n", "t": "n"}, ("z",),
        -(T * log(1 / (1 + exp(-X))) + (1 - T) * log(1 - 1 / (1 + exp(-X)))), (X, T), with_target,
        True, inner=("p", "1/(1 + exp(-z))"), note="the gradient `p - t` is 0 where p = t",
    ),
    NaiveText("exp(x) - 1", {"x": "n"}, ("x",), exp(X) - 1, (X,), real),
    NaiveText("log(1 - exp(-x))", {"x": "n"}, ("x",), log(1 - exp(-X)), (X,), positive),
    NaiveText(
        "sqrt(x**2 + y**2)", {"x": "n", "y": "n"}, ("x", "y"), sqrt(X**2 + Y**2), (X, Y), plane
    ),
    NaiveText(
        "log(exp(a) + exp(b))", {"a": "n", "b": "n"}, ("a", "b"), log(exp(X) + exp(Y)), (X, Y),
        pairs, True, note="`a - b` is rounded, and the value has zeros",
    ),
    NaiveText("1 - cos(x)", {"x": "n"}, ("x",), 1 - cos(X), (X,), real),
    NaiveText("sqrt(x + 1) - sqrt(x)", {"x": "n"}, ("x",), sqrt(X + 1) - sqrt(X), (X,), everywhere),
)  # fmt: skip
