"""`sg.elementwise`: any scalar SymPy formula applied to tensors, adopted at once or refused."""

from __future__ import annotations

import numpy as np
import sympy
from messages import message_of
from numpy_evaluator import evaluate

import symgrad as sg

t, u = sympy.symbols("t u")
x = sg.input("x", (2, 3))
X = np.linspace(-2, 2, 6).reshape(2, 3)


def test_one_argument() -> None:
    mish = sg.elementwise(sympy.Lambda(t, t * sympy.tanh(sympy.log(1 + sympy.exp(t)))))
    (value,) = evaluate([mish(x)], {"x": X})
    np.testing.assert_allclose(value, X * np.tanh(np.log1p(np.exp(X))), rtol=1e-14)
    assert mish.__doc__ == "t*tanh(log(exp(t) + 1)), elementwise."


def test_several_arguments_are_broadcast() -> None:
    blend = sg.elementwise(sympy.Lambda((t, u), sympy.Piecewise((t, t > u), (u**2, True))))
    row = sg.input("row", (3,))
    values = {"x": X, "row": np.array([0.5, -1, 3])}
    results = evaluate([blend(x, row), blend(x, 0.5), blend(2, x)], values)
    for result, other in zip(results, (values["row"], 0.5, None), strict=True):
        a, b = (X, other) if other is not None else (2, X)
        np.testing.assert_allclose(result, np.where(a > b, a, b**2))


def test_a_dimension_may_stand_in_the_formula() -> None:
    n = sg.dim("n")
    rows = sg.input("rows", (n,))
    (value,) = evaluate([sg.elementwise(sympy.Lambda(t, t / n))(rows)], {"rows": [2.0, 4.0]})
    assert value.tolist() == [1.0, 2.0]


def test_assumptions_of_the_symbol_do_not_matter() -> None:
    whole = sympy.Symbol("whole", integer=True)
    (value,) = evaluate([sg.elementwise(sympy.Lambda(whole, sympy.sin(whole * sympy.pi / 2)))(x)],
                        {"x": X})  # fmt: skip
    np.testing.assert_allclose(value, np.sin(X * np.pi / 2), atol=1e-15)


def test_messages() -> None:
    assert message_of(lambda: sg.elementwise(sympy.Lambda(t, sympy.gamma(t)))) == (
        "UnsupportedError: elementwise: the function gamma is not supported in a scalar formula\n"
        "  at   HERE\n"
        "  fix  see symgrad.expr.functions.FUNCTIONS for those that are"
    )
    assert message_of(lambda: sg.elementwise(sympy.Lambda(t, t * u))) == (
        "UnsupportedError: elementwise: the symbol u of a scalar formula is neither an operand nor "
        "a dimension\n"
        "  at   HERE\n"
        "  fix  make it an argument of the sympy.Lambda"
    )
    assert message_of(lambda: sg.elementwise(sympy.tanh)) == (
        "DefinitionError: elementwise: a sympy.Lambda of one or more arguments is expected\n"
        "  at   HERE\n"
        "  fix  write sg.elementwise(sympy.Lambda(t, sympy.tanh(t)))"
    )
    square = sg.elementwise(sympy.Lambda(t, t**2))
    assert message_of(lambda: square(x, x)) == (
        "DefinitionError: elementwise: 2 operands were given instead of 1\n"
        "  at           HERE\n"
        "  x            [2, 3]\n"
        "  operands[1]  [2, 3]"
    )
