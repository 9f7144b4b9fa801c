"""Kinks: what the slope is *on* each point where a function has none, and who says so.

The decisions follow PyTorch, since people compare with it. They are carried out by the classes in
`steps`, `smooth` and `comparison`; the tests stand on every point of this table.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr

from symgrad.expr import functions as f
from symgrad.expr.slots import slot

A, B, C = slot(0), slot(1), slot(2)
HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class Kink:
    """One decision: at `point` the slopes of `formula`, one per slot, are `slopes`.

    source: where PyTorch (or mathematics) says so.
    """

    formula: Expr
    point: tuple[Expr | int, ...]
    slopes: tuple[Expr | int, ...]
    source: str


YAML = "PyTorch tools/autograd/derivatives.yaml"
SUBGRADIENT = "PyTorch docs, Autograd mechanics, 'Gradients for non-differentiable functions'"

KINKS: tuple[Kink, ...] = (
    Kink(f.relu(A), (0,), (0,), f"{YAML}: relu, threshold_backward(grad, result, 0)"),
    Kink(f.absolute(A), (0,), (0,), f"{YAML}: abs, grad * self.sgn()"),
    Kink(f.sign(A), (0,), (0,), f"{YAML}: sign, zeros_like"),
    Kink(f.maximum(A, B), (2, 2), (HALF, HALF), f"{YAML}: maximum, ties take grad / 2"),
    Kink(f.minimum(A, B), (2, 2), (HALF, HALF), f"{YAML}: minimum, ties take grad / 2"),
    Kink(f.fmax(A, B), (2, 2), (HALF, HALF), "as maximum; PyTorch's fmax gives all to the first"),
    Kink(f.fmin(A, B), (2, 2), (HALF, HALF), "as minimum; PyTorch's fmin gives all to the first"),
    Kink(f.clip(A, -1, 1), (-1,), (1,), f"{YAML}: clamp, grad where min <= self <= max"),
    Kink(f.clip(A, -1, 1), (1,), (1,), f"{YAML}: clamp, grad where min <= self <= max"),
    Kink(f.clip(A, B, C), (2, 2, 5), (1, 0, 0), f"{YAML}: clamp_backward_min_max"),
    Kink(f.clip(A, B, C), (5, 2, 5), (1, 0, 0), f"{YAML}: clamp_backward_min_max"),
    Kink(f.clip(A, B, C), (3, 5, 2), (0, 0, 1), f"{YAML}: clamp, the upper bound wins"),
    Kink(f.raised(A, 2), (1,), (1,), "PyTorch cosine_similarity: clamp_min_ under NoGradGuard"),
    Kink(f.raised(A, 2), (2,), (1,), "PyTorch cosine_similarity: clamp_min_ under NoGradGuard"),
    Kink(f.hypot(A, B), (0, 0), (0, 0), SUBGRADIENT + ": minimal norm (torch.hypot: nan)"),
    Kink(f.root(A), (0,), (0,), f"{YAML}: norm_backward masks where the norm is 0"),
    Kink(f.power(A, B), (0, 2), (0, 0), "PyTorch FunctionsManual.cpp: pow_backward_exponent"),
    Kink(f.power(A, B), (0, 0), (0, 0), "PyTorch FunctionsManual.cpp: pow_backward_self"),
    Kink(f.floor(A), (3,), (0,), f"{YAML}: floor, zeros_like"),
    Kink(f.ceil(A), (3,), (0,), f"{YAML}: ceil, zeros_like"),
    Kink(f.trunc(A), (3,), (0,), f"{YAML}: trunc, zeros_like"),
    Kink(f.rint(A), (HALF,), (0,), f"{YAML}: round, zeros_like"),
    Kink(f.mod(A, B), (6, 3), (1, -2), f"{YAML}: remainder, 1 and -floor(self / other)"),
    Kink(f.fmod(A, B), (-6, 3), (1, 2), f"{YAML}: fmod, 1 and -trunc(self / other)"),
    Kink(f.floor_divide(A, B), (6, 3), (0, 0), "flat; PyTorch refuses to differentiate it"),
    Kink(f.heaviside(A, B), (0, 7), (0, 1), "flat; PyTorch refuses to differentiate it"),
    Kink(f.less(A, B), (1, 1), (0, 0), f"{YAML}: lt, output_differentiability False"),
    Kink(f.where(f.less(0, A), A, 3 * A), (0,), (3,), f"{YAML}: where, by the condition"),
    Kink(f.sine_quotient(A, 0), (0,), (0,), "the limit; PyTorch sinc_backward likewise"),
)
