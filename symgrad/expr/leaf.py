"""Leaves: tensors that are given, not computed.

Parameter, State, Input, Cotangent and Random have names; Constant, Table, Arange and Identity are
known now.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.basic import Basic
from sympy.core.containers import Tuple
from sympy.core.symbol import Str

from symgrad.errors import DefinitionError
from symgrad.expr.dimension import Shape, as_dimension, as_shape
from symgrad.expr.node import FLOAT, INT, Node


def _shape_of(sizes: Basic) -> Shape:
    return tuple(sizes.args)


class Leaf(Node):
    """A tensor that is not computed from others."""


class Named(Leaf):
    """A tensor that the caller of a generated module passes in under `name`."""

    name: str

    def __new__(cls, name: object, shape: object, dtype: object = FLOAT, *more: Basic) -> Node:
        sizes = shape if isinstance(shape, Tuple) else Tuple(*as_shape(shape))
        return super().__new__(cls, _string(name), sizes, _string(dtype), *more)

    def _infer(self) -> tuple[Shape, str]:
        self.name = str(self.args[0])
        return _shape_of(self.args[1]), str(self.args[2])


def _string(text: object) -> Str:
    return text if isinstance(text, Str) else Str(str(text))


class Input(Named):
    """Data that is passed by keyword: features, targets, class indices.

    `sums_to_one`: an axis along which the caller promises that the entries sum to 1 (a
    distribution), as whole number, or None. `limit`: an upper bound on the entries of an integer
    input, where one follows from its use as an index, or None.
    """

    sums_to_one: int | None

    def __new__(
        cls, name: object, shape: object, dtype: object = FLOAT, sums_to_one: object = None
    ) -> Node:
        fact = sums_to_one if isinstance(sums_to_one, Basic) else _maybe(sums_to_one)
        return super().__new__(cls, name, shape, dtype, fact)

    def _infer(self) -> tuple[Shape, str]:
        fact = self.args[3]
        self.sums_to_one = int(fact) if isinstance(fact, sympy.Integer) else None
        return super()._infer()


def _maybe(axis: Any) -> Basic:
    return Str("None") if axis is None else sympy.Integer(axis)


class Filled(Named):
    """A tensor that the module fills at first. `initialiser`: how, as `(kind, *numbers)`.

    `owner` tells apart those of layers: two layers never share one by having its name.
    """

    initialiser: tuple[Any, ...]

    def __new__(
        cls,
        name: object,
        shape: object,
        dtype: object = FLOAT,
        initialiser: object = None,
        owner: object = 0,
    ) -> Node:
        kind = initialiser if isinstance(initialiser, Tuple) else _initialiser(initialiser)
        return super().__new__(cls, name, shape, dtype, kind, sympy.Integer(owner))

    def _infer(self) -> tuple[Shape, str]:
        kind, *numbers = self.args[3].args
        self.initialiser = (str(kind), *numbers)
        return super()._infer()


def _initialiser(description: Any) -> Tuple:
    kind, *numbers = description or ("normal", 0, 1)
    return Tuple(Str(kind), *(sympy.sympify(number) for number in numbers))


class Parameter(Filled):
    """A trainable tensor; `init_params` fills it."""


class State(Filled):
    """A tensor that a training step reads and replaces, and that no gradient reaches.

    `init_state` fills it; what it becomes is an expression that a model keeps beside its loss.
    """


class Tangent(Named):
    """A direction along which a derivative is taken; it has the shape of what it perturbs."""


class Cotangent(Named):
    """The sensitivity of a final quantity to one output, passed in by the caller of a vjp."""


class Random(Named):
    """A tensor that an emitted function draws from the generator that it is given as `rng`.

    `kind` and `probability`: "uniform" in [0, 1), standard "normal", or "bernoulli", which is 1
    with that probability, else 0. Every use of one leaf is the same draw; `serial` tells two draws
    apart and orders them. Its name is no part of it: the user's or the layer's, else the kind.
    """

    kind: str
    probability: sympy.Expr
    serial: int

    def __new__(cls, kind: object, shape: object, probability: object, serial: object) -> Node:
        sizes = shape if isinstance(shape, Tuple) else Tuple(*as_shape(shape))
        chance, place = sympy.sympify(probability), sympy.Integer(serial)
        return Node.__new__(cls, _string(kind), sizes, chance, place)

    def _infer(self) -> tuple[Shape, str]:
        self.kind = str(self.args[0])
        self.probability = self.args[2]
        self.serial = int(self.args[3])
        return _shape_of(self.args[1]), FLOAT

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.label or {"bernoulli": "keep"}.get(self.kind, self.kind)


class Constant(Leaf):
    """A tensor filled with one number, which may depend on dimensions: `1/n`.

    A whole number makes an "int" tensor, unless `dtype` says "float": a gradient of 1 or 0.
    """

    value: sympy.Expr

    def __new__(cls, value: object, shape: object = (), dtype: object = None) -> Node:
        number = sympy.sympify(value)
        if not isinstance(number, sympy.Expr):
            raise DefinitionError(f"{value!r} is not a number")
        sizes = shape if isinstance(shape, Tuple) else Tuple(*as_shape(shape))
        as_float = number.is_integer and dtype is not None and str(dtype) == FLOAT
        return super().__new__(cls, number, sizes, *((Str(FLOAT),) if as_float else ()))

    def _infer(self) -> tuple[Shape, str]:
        self.value = self.args[0]
        whole = self.value.is_integer and not self.value.is_Float and len(self.args) == 2
        return _shape_of(self.args[1]), INT if whole else FLOAT


class Table(Leaf):
    """A small tensor written out as numbers, in C order: index vectors, stencils."""

    values: tuple[sympy.Expr, ...]

    def __new__(cls, values: Any, shape: Any) -> Node:
        numbers = values if isinstance(values, Tuple) else Tuple(*map(sympy.sympify, values))
        sizes = shape if isinstance(shape, Tuple) else Tuple(*as_shape(shape))
        return super().__new__(cls, numbers, sizes)

    def _infer(self) -> tuple[Shape, str]:
        self.values = tuple(self.args[0].args)
        whole = all(v.is_integer and not v.is_Float for v in self.values)  # 0.0 is a float
        return _shape_of(self.args[1]), INT if whole else FLOAT


class Arange(Leaf):
    """The whole numbers 0, 1, ..., size - 1."""

    def __new__(cls, size: object) -> Node:
        return super().__new__(cls, as_dimension(size))

    def _infer(self) -> tuple[Shape, str]:
        return (self.args[0],), INT


class Identity(Leaf):
    """The Kronecker delta: 1 where both indices agree, else 0."""

    def __new__(cls, size: object) -> Node:
        return super().__new__(cls, as_dimension(size))

    def _infer(self) -> tuple[Shape, str]:
        return (self.args[0], self.args[0]), FLOAT
