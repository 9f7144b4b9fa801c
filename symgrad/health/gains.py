"""The initialisation that keeps a signal's size from layer to layer, derived from the activation.

A layer y = W f(z) with weights of variance v multiplies, in expectation,

    forward    E[y^2] = fan_in v E[f(z)^2]         (He et al. 2015, eq. 8)
    backward   E[d_z^2] = fan_out v E[f'(z)^2] E[d_y^2]     (He et al. 2015, eq. 13)

Keeping either at 1 gives v = gain^2 / fan. He's sqrt(2), sqrt(2 / (1 + a^2)) and Glorot's
2 / (fan_in + fan_out) come out.
"""

from __future__ import annotations

from typing import Any, Literal

import sympy
from sympy import Expr

from symgrad.errors import UnsupportedError
from symgrad.health.moments import Q, moments

Direction = Literal["backward", "forward"]


def gain(formula: Any, variance: Any = 1, *, direction: Direction = "backward") -> Expr:
    """The gain g for which weights of variance g^2 / fan keep the signal's second moment.

    backward: 1 / sqrt(E[f'(z)^2]).  forward: sqrt(q / E[f(z)^2]), which keeps it at q.

    `variance`: q, of the pre-activations; 0 is the limit of small ones; a symbol stays one where
    there is a closed form. Most activations' gain depends on it: of those in use only multiples
    of relu and leaky relu do not. (PyTorch's table has 5/3 for tanh, which is empirical.)

    Raises: UnsupportedError if the slope, or the function, vanishes.
    """
    found = moments(formula)
    variance = sympy.sympify(variance)
    if direction == "backward":
        kept = found.slope_square.at(variance)
    elif variance == 0:
        # near 0, f(z) = f(0) + f'(0) z: E[f(z)^2] / q tends to f'(0)^2 only if f(0) is 0
        kept = found.slope_square.at(0)
        if found.square.at(0) != 0:
            raise UnsupportedError(f"{found.formula} is not 0 at 0: no gain keeps a small signal")
    else:
        kept = found.square.at(variance) / variance
    if kept == 0:
        raise UnsupportedError(
            f"no gain keeps the {direction} signal of {found.formula}: it lets nothing through"
        )
    return sympy.sqrt(1 / kept)


def weight_variance(
    formula: Any,
    fan_in: Any,
    fan_out: Any,
    variance: Any = 1,
    *,
    keep: Literal["forward", "backward", "both"] = "both",
) -> Expr:
    """The variance of weights that keeps the forward signal, the backward one, or on average both.

    Both at once need fan_in = fan_out; "both" is the harmonic mean of the two variances, as Glorot
    and Bengio 2010, eq. 12: for the identity, 2 / (fan_in + fan_out).
    """
    ahead = gain(formula, variance, direction="forward") ** 2 / sympy.sympify(fan_in)
    back = gain(formula, variance, direction="backward") ** 2 / sympy.sympify(fan_out)
    if keep == "both":
        return sympy.factor_terms(2 / (1 / ahead + 1 / back))
    return ahead if keep == "forward" else back


__all__ = ["Q", "gain", "weight_variance"]
