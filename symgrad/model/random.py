"""Random tensors that the emitted code draws from the generator which its caller passes.

    noise = sg.random.normal((n, 64))
    h = x + 0.1 * noise                      # loss(params, x=x, rng=np.random.default_rng(0))

Each call is a draw of its own; every use of the tensor that it gives is the same draw. Derivatives
hold it fixed.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import sympy

from symgrad.errors import DefinitionError
from symgrad.expr.dimension import as_shape
from symgrad.expr.leaf import Random
from symgrad.expr.node import Node, user_location
from symgrad.expr.operand import number

_serial = count(1)


def uniform(shape: Any) -> Node:
    """Numbers in [0, 1), each as likely."""
    return Random("uniform", as_shape(shape), 0, next(_serial))


def normal(shape: Any) -> Node:
    """Numbers of the standard normal distribution."""
    return Random("normal", as_shape(shape), 0, next(_serial))


def bernoulli(p: Any, shape: Any) -> Node:
    """1 with probability `p`, else 0.

    Raises: DefinitionError if p is not a number from 0 to 1.
    """
    return Random("bernoulli", as_shape(shape), probability(p), next(_serial))


def probability(p: Any, what: str = "a probability") -> sympy.Expr:
    """`p` as an exact number. Raises: DefinitionError if it is not one from 0 to 1."""
    chance = number(p)
    if not chance.is_number or not 0 <= chance <= 1:
        raise DefinitionError(f"{what} must be a number from 0 to 1, not {p}",
                              where=user_location())  # fmt: skip
    return chance
