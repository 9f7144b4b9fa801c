"""Expectations under a normal law as numbers, with the error that is left.

Adaptive Gauss-Kronrod quadrature (7 and 15 points, QUADPACK's qk15) on intervals that are halved
where the two rules differ; kinks whose place is known are ends of intervals from the start.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from sympy import Expr

from symgrad.expr.arithmetic import evaluate
from symgrad.health.machine import MACHINE

REACH = 9.0  # deviations: beyond lies a probability of 2e-19
RELATIVE = 1e-11
MOST_INTERVALS = 400
NODES = (
    0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
    0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
    0.586087235467691130294144691693303, 0.405845151377397166906606412076961,
    0.207784955007898467600689403773245, 0.0,
)  # fmt: skip
KRONROD = (
    0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
    0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
    0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
    0.204432940075298892414161999234649, 0.209482141084727828012999174891714,
)  # fmt: skip
GAUSS = (
    0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
    0.381830050505118944950369775488975, 0.417959183673469387755102040816327,
)  # fmt: skip


def expectation(
    formula: Expr, deviation: float, kinks: Sequence[float] = (), mean: float = 0.0
) -> tuple[float, float]:
    """E[h(mean + deviation t)] for a standard normal t, and the error that is left.

    `formula`: h, of slot 0. `kinks`: where it is not smooth, as far as is known. The value is
    infinite or nan where the formula is that within REACH deviations.
    """
    ends = {-REACH, -3.0, 0.0, 3.0, REACH}
    ends |= {t for t in ((x - mean) / deviation for x in kinks) if abs(t) < REACH}
    if deviation > 1:  # a formula that varies on the scale of 1 varies within 1/deviation here
        ends |= {t for x in (-8.0, -2.0, 2.0, 8.0) if abs(t := (x - mean) / deviation) < REACH}

    def weighted(t: float) -> float:
        value = float(evaluate(formula, {0: mean + deviation * t}, MACHINE))
        return value * math.exp(-t * t / 2) / math.sqrt(2 * math.pi)

    bounds = sorted(ends)
    heap = [_interval(weighted, a, b) for a, b in pairwise(bounds)]
    heapq.heapify(heap)
    while len(heap) < MOST_INTERVALS:
        size, left = sum(x[4] for x in heap), sum(-x[0] for x in heap)
        if not math.isfinite(size) or left <= RELATIVE * size:
            break
        _, low, high, *_ = heapq.heappop(heap)
        middle = (low + high) / 2
        heapq.heappush(heap, _interval(weighted, low, middle))
        heapq.heappush(heap, _interval(weighted, middle, high))
    return math.fsum(x[3] for x in heap), math.fsum(-x[0] for x in heap)


def _interval(
    function: Callable[[float], float], low: float, high: float
) -> tuple[float, float, float, float, float]:
    """(-error, low, high, integral, integral of the size) of one interval."""
    centre, half = (low + high) / 2, (high - low) / 2
    pairs = [(function(centre - half * x), function(centre + half * x)) for x in NODES]
    values = [a + b if x else a for x, (a, b) in zip(NODES, pairs, strict=True)]
    size = half * sum(w * (abs(a) + abs(b)) for w, (a, b) in zip(KRONROD, pairs, strict=True))
    fine = half * sum(w * v for w, v in zip(KRONROD, values, strict=True))
    coarse = half * sum(w * v for w, v in zip(GAUSS, values[1::2], strict=True))
    error = abs(fine - coarse)
    return (-error if math.isfinite(error) else -math.inf), low, high, fine, size
