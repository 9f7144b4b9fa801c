"""How fresh parameters are filled: `sg.parameter("W", (n, m), init=sg.init.he_normal())`.

An initialiser is asked once, with the parameter's shape, and answers with a distribution over
numbers: `("uniform", lo, hi)`, `("normal", mean, std)`, `("constant", c)`, or
`("normal_but_row", mean, std, row)` with zeros in one row. What is drawn comes from the generated
module's `init_params(seed)`.

A shape is read as PyTorch reads it: `[out, in, ...]`. For a matrix used as `x @ W`, which is
`[in, out]`, say `fan_in=`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import sympy

from symgrad.errors import DefinitionError
from symgrad.expr.dimension import Shape, as_shape, product, shape_text
from symgrad.expr.leaf import Constant
from symgrad.expr.node import FLOAT, Node, user_location
from symgrad.expr.operand import number

KINDS = ("constant", "normal", "uniform", "normal_but_row")
Distribution = tuple[Any, ...]
Initialiser = Callable[[Shape], Distribution]


def constant(value: Any) -> Initialiser:
    """Every entry is `value`."""
    filling = number(value)
    return lambda shape: ("constant", filling)


@overload
def zeros() -> Initialiser: ...
@overload
def zeros(shape: Any) -> Node: ...
def zeros(shape: Any = None) -> Initialiser | Node:
    """Every entry is 0. With a shape it is NumPy's: a tensor of zeros."""
    return constant(0) if shape is None else Constant(0, as_shape(shape), FLOAT)


@overload
def ones() -> Initialiser: ...
@overload
def ones(shape: Any) -> Node: ...
def ones(shape: Any = None) -> Initialiser | Node:
    """Every entry is 1. With a shape it is NumPy's: a tensor of ones."""
    return constant(1) if shape is None else Constant(1, as_shape(shape), FLOAT)


def normal(mean: Any = 0, std: Any = 1) -> Initialiser:
    """Drawn from a normal distribution."""
    centre, spread = number(mean), number(std)
    if spread.is_negative:
        raise DefinitionError(
            f"a standard deviation cannot be negative: {std}", where=user_location()
        )
    return lambda shape: ("normal", centre, spread)


def uniform(low: Any = 0, high: Any = 1) -> Initialiser:
    """Drawn evenly from low to high."""
    lo, hi = number(low), number(high)
    if (hi - lo).is_negative:
        raise DefinitionError(
            f"uniform from {low} to {high}: the bounds are in the wrong order",
            where=user_location(),
        )
    return lambda shape: ("uniform", lo, hi)


def _within(bound: sympy.Expr) -> Distribution:
    return "uniform", -bound, bound


def _fans(shape: Shape, what: str) -> tuple[sympy.Expr, sympy.Expr]:
    """The numbers of inputs and of outputs of one unit, for a shape [out, in, ...]."""
    if len(shape) < 2:
        raise DefinitionError(
            f"{what} needs a parameter of at least two axes, not {shape_text(shape)}",
            where=user_location(),
            fix="use init=sg.init.normal(0, std), or say fan_in= where it is taken",
        )
    field = product(shape[2:])
    return shape[1] * field, shape[0] * field


def _fan_in(shape: Shape, given: Any, what: str) -> sympy.Expr:
    return number(given) if given is not None else _fans(shape, what)[0]


def glorot_uniform(gain: Any = 1) -> Initialiser:
    """Uniform within gain sqrt(6 / (fan_in + fan_out)).  Source: Glorot and Bengio 2010."""

    def fill(shape: Shape) -> Distribution:
        return _within(number(gain) * sympy.sqrt(6 / sympy.Add(*_fans(shape, "glorot_uniform"))))

    return fill


def glorot_normal(gain: Any = 1) -> Initialiser:
    """Normal of deviation gain sqrt(2 / (fan_in + fan_out)).  Source: Glorot and Bengio 2010."""

    def fill(shape: Shape) -> Distribution:
        std = number(gain) * sympy.sqrt(2 / sympy.Add(*_fans(shape, "glorot_normal")))
        return "normal", sympy.S.Zero, std

    return fill


def he_uniform(fan_in: Any = None) -> Initialiser:
    """Uniform within sqrt(6 / fan_in), for relu.  Source: He et al. 2015."""
    return lambda shape: _within(sympy.sqrt(6 / _fan_in(shape, fan_in, "he_uniform")))


def he_normal(fan_in: Any = None) -> Initialiser:
    """Normal of deviation sqrt(2 / fan_in), for relu.  Source: He et al. 2015."""

    def fill(shape: Shape) -> Distribution:
        return "normal", sympy.S.Zero, sympy.sqrt(2 / _fan_in(shape, fan_in, "he_normal"))

    return fill


def torch_linear(fan_in: Any = None) -> Initialiser:
    """Uniform within 1 / sqrt(fan_in): what PyTorch's Linear draws its weight and bias from."""
    return lambda shape: _within(1 / sympy.sqrt(_fan_in(shape, fan_in, "torch_linear")))


def normal_but_row(row: sympy.Expr) -> Initialiser:
    """Standard normal, but zeros in one row: how PyTorch fills an embedding with padding."""
    return lambda shape: ("normal_but_row", sympy.S.Zero, sympy.S.One, row)


BY_NAME: dict[str, Callable[[], Initialiser]] = {
    function.__name__: function
    for function in (zeros, ones, normal, uniform, glorot_uniform, glorot_normal, he_uniform,
                     he_normal, torch_linear)
}  # fmt: skip


def distribution(init: Any, shape: Shape) -> Distribution:
    """What `init` (an initialiser, its name, or a number) draws for a parameter of `shape`."""
    if isinstance(init, str) and init in BY_NAME:
        init = BY_NAME[init]
    if init in BY_NAME.values():
        init = init()  # sg.zeros for sg.zeros()
    if callable(init):
        drawn = init(shape)
        if isinstance(drawn, tuple) and drawn and drawn[0] in KINDS:
            return drawn
    elif hasattr(init, "__float__") and not isinstance(init, str):
        return "constant", number(init)
    raise DefinitionError(
        f"{init!r} is not an initialiser",
        where=user_location(),
        facts={"known": ", ".join(BY_NAME)},
        fix="use one of these names, a number, or sg.init.normal(mean, std) and the like",
    )
