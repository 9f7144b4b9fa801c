"""Elementwise operations: NumPy's ufuncs, each a scalar formula over broadcast tensors.

They are generated from `symgrad.expr.functions.FUNCTIONS`: a function added there is here too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import sympy

from symgrad.errors import DefinitionError, UnsupportedError
from symgrad.expr import functions as f
from symgrad.expr import operators
from symgrad.expr.formula import adopt, replace_slots, slot
from symgrad.expr.functions import FUNCTIONS, ScalarFunction
from symgrad.expr.node import FLOAT, Node
from symgrad.model.operations.operation import operation

OPERAND_NAMES = "abc"


def _ufunc(name: str, function: ScalarFunction) -> Callable[..., Node]:
    build = operators.divide if function.name == "divide" else None

    def ufunc(*operands: Any, **arguments: Any) -> Node:
        for argument in arguments:
            raise UnsupportedError(f"the argument {argument} is not supported")
        if len(operands) != function.arity:
            raise DefinitionError(
                f"{len(operands)} operands were given instead of {function.arity}"
            )
        if function.name == "reciprocal" and operators.as_node(operands[0]).dtype != FLOAT:
            raise UnsupportedError(
                "NumPy would round 1/a to a whole number", fix="write 1 / a for a float"
            )
        return build(*operands) if build else operators.elementwise(function, *operands)

    ufunc.__name__ = ufunc.__qualname__ = name
    ufunc.__doc__ = f"`{function.printed}`, elementwise over broadcast tensors and numbers."
    parameters = [
        inspect.Parameter(letter, inspect.Parameter.POSITIONAL_ONLY)
        for letter in OPERAND_NAMES[: function.arity]
    ]
    described = operation(ufunc)
    described.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return described


UFUNCS: dict[str, Callable[..., Node]] = {
    name: _ufunc(name, function)
    for name, function in FUNCTIONS.items()
    if name not in ("clip", "where")
}


@operation
def where(condition: Any, x: Any = None, y: Any = None, /) -> Node:
    """`x` where `condition` is not 0, else `y`."""
    if x is None or y is None:
        raise UnsupportedError(
            "without x and y, the shape of the result would depend on the data",
            fix="give all three: sg.where(condition, x, y)",
        )
    return operators.elementwise(f.where, condition, x, y)


@operation
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *,
         min: Any = None, max: Any = None, **arguments: Any) -> Node:  # fmt: skip
    """`a` limited to a_min ... a_max; None leaves that side open. `min`, `max`: the same bounds.

    The gradient passes on both bounds, as in PyTorch.
    """
    for name, value in {"out": out, **arguments}.items():
        if value is not None:
            raise UnsupportedError(f"the argument {name} is not supported")
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise DefinitionError("a bound is given twice: as a_min and min, or as a_max and max")
    lo, hi = (a_min if min is None else min), (a_max if max is None else max)
    if lo is None and hi is None:
        return operators.as_node(a)
    if hi is None:
        return operators.elementwise(lambda x, low: f.where(f.less(x, low), low, x), a, lo)
    if lo is None:
        return operators.elementwise(lambda x, high: f.where(f.less(high, x), high, x), a, hi)
    return operators.elementwise(f.clip, a, lo, hi)


@operation
def elementwise(formula: sympy.Lambda) -> Callable[..., Node]:
    """A function on tensors that applies a scalar SymPy formula to each element.

        swish = sg.elementwise(sympy.Lambda(t, t / (1 + sympy.exp(-t))))
        h = swish(x)

    A Lambda of several arguments takes as many tensors, which are broadcast. It is derived,
    stabilised and emitted like the functions that symgrad comes with.

    Raises: UnsupportedError if the formula uses a function that symgrad does not know.
    """
    if not isinstance(formula, sympy.Lambda) or not formula.signature:
        raise DefinitionError(
            "a sympy.Lambda of one or more arguments is expected",
            fix="write sg.elementwise(sympy.Lambda(t, sympy.tanh(t)))",
        )
    if not all(isinstance(symbol, sympy.Symbol) for symbol in formula.signature):
        raise UnsupportedError("a Lambda with nested arguments is not supported")
    arity = len(formula.signature)
    # over slots, whatever the Lambda's symbols were assumed to be
    adopted = adopt(formula(*(slot(i) for i in range(arity))))

    def applied(*operands: Any) -> Node:
        if len(operands) != arity:
            raise DefinitionError(f"{len(operands)} operands were given instead of {arity}")
        return operators.elementwise(
            lambda *scalars: replace_slots(adopted, dict(enumerate(scalars))), *operands
        )

    applied.__name__ = "elementwise"
    applied.__doc__ = f"{formula.expr}, elementwise."
    return operation(applied)
