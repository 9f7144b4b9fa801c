"""Claims of second derivatives: hvp and hessian, compared with differences of the gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symgrad.check.first_order import (
    ALL,
    Claims,
    Rng,
    along,
    parameter_directions,
    weights_like,
)
from symgrad.check.point import Point
from symgrad.check.slopes import Claim, Curve
from symgrad.check.subject import Arrays, Subject
from symgrad.check.tree import inner, magnitude

MANY_BLOCKS = 64  # up to this many, each block of a Hessian is checked alone


def gradient_curve(subject: Subject, point: Point, direction: Arrays, weights: Arrays) -> Curve:
    """h -> the sum of weights * gradient where the parameters went h along `direction`."""

    def curve(h: float) -> tuple[float, float]:
        moved = point.moved(direction, h)
        _, grads = subject.call("value_and_grad", moved)
        # a gradient that cancels to 0 (of a bias before a mean is taken off) still has the rounding
        # of what it is made of
        largest = max((float(np.max(np.abs(g), initial=0)) for g in grads.values()), default=0.0)
        length = np.sqrt(sum(float(np.sum(np.square(w))) for w in weights.values()))
        return inner(grads, weights), max(magnitude(grads, weights), largest * float(length))

    return curve


def hvp(subject: Subject, point: Point, rng: Rng) -> Iterator[Claim]:
    """weights . H t against differences of weights . gradient along t."""
    zeros = {name: np.zeros_like(a) for name, a in point.params.items()}
    for name, t in parameter_directions(subject, point, rng):
        products = subject.call("hvp", point, tangents=zeros | t)
        for row, weights in _rows(weights_like(products, rng), name == ALL):
            yield Claim(
                "hvp",
                f"{row} along {name}",
                inner(products, weights),
                gradient_curve(subject, point, t, weights),
            )


def hessian(subject: Subject, point: Point, rng: Rng) -> Iterator[Claim]:
    """weights_a . H[a][b] t_b against differences of weights_a . gradient_a along t_b."""
    blocks = subject.call("hessian", point)
    is_small = len(blocks) ** 2 <= MANY_BLOCKS
    for name, t in parameter_directions(subject, point, rng):
        for row, weights in _rows(weights_like(point.params, rng), is_small and name != ALL):
            slope = sum(along(blocks[a][b], t[b], weights[a]) for a in weights for b in t)
            yield Claim(
                "hessian", f"{row} along {name}", slope, gradient_curve(subject, point, t, weights)
            )


def _rows(weights: Arrays, apart: bool) -> Iterator[tuple[str, Arrays]]:
    """Weights for each tensor alone, or for all together."""
    if apart or len(weights) == 1:
        for name, w in weights.items():
            yield name, {name: w}
    else:
        yield ALL, weights


SECOND_ORDER: dict[str, Claims] = {"hvp": hvp, "hessian": hessian}
