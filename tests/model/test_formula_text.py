"""Formulas as text: they mean what the same line means in NumPy, and nothing is ever evaluated."""

from __future__ import annotations

import contextlib
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from messages import message_of
from numpy_evaluator import evaluate

import symgrad as sg
from symgrad.errors import SymgradError

rng = np.random.default_rng(5)
VALUES: dict[str, Any] = {
    "X": rng.normal(size=(4, 3)),
    "y": rng.normal(size=4),
    "w": rng.normal(size=3),
    "lam": np.array(0.7),
    "k": np.array([2, 0, 1, 1]),
}
SHAPES = {"X": "4 3", "y": "4", "w": "3", "lam": "", "k": "4 int"}

SAME_IN_PYTHON = [
    "sum(log(1 + exp(-y * (X @ w)))) + lam/2*sum(w**2)",
    "mean((X @ w - y)**2, axis=0) * 2 - -lam",
    "(X.T @ y)[::-1] / sqrt(2)",
    "X[1:, None, 0] * (y[:-1] > 0)",
    "where(~(y < 0) & (y < 1), y, -1)",
    "np.max(np.abs(X), axis=-1, keepdims=True).sum()",
    "np.linalg.norm(X, axis=1) ** 0.5 + pi",
    "einsum('ij,j->i', X, w) % 2 // 0.5",
    "X.reshape(2, -1).mean(axis=1)",
    "X.transpose(1, 0) @ y",
    "concatenate([y, w]) * 1e3",
    "take_along_axis(X, k[:, None], axis=1)",
    "stack((w, w), axis=-1)[..., 1]",
    "sum(X**2) / X.shape[0] / 4",
    "split(w, 3)[1]",
    "pad(w, (1, 2), mode='edge') - max(w)",
    "maximum(0, minimum(y, 1.5)) != 0",
    "[1, 2, 3] * w + 2**3 - 7 // 2 + 5 % 3",
    "\n  sum(\n    y\n  )  ",
]


@pytest.mark.parametrize("text", SAME_IN_PYTHON)
def test_it_means_what_it_means_in_numpy(text: str) -> None:
    names = {name: getattr(np, name, None) for name in dir(np)} | {"norm": np.linalg.norm, "np": np}
    expected = eval(text.strip(), names, dict(VALUES))
    used = {name: SHAPES[name] for name in SHAPES if name in _words(text)}
    (value,) = evaluate([sg.formula(text, used)], VALUES)
    np.testing.assert_allclose(value, expected, rtol=1e-12)


def _words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())


def test_sizes_are_numbers() -> None:
    (value,) = evaluate([sg.formula("sum(y) / n + n", {"y": "n"})], {"y": [1.0, 2.0, 6.0]})
    assert value == 6


def test_parameters_and_given_tensors() -> None:
    x = sg.input("x", (2, 3))
    loss = sg.formula("sum((x @ w + b)**2)", {"x": x, "w": "3", "b": ()}, parameters="w b")
    model = sg.Model("net", loss=loss)
    assert [leaf.name for leaf in model.parameters] == ["w", "b"]
    assert model.inputs == (x,)


def test_a_long_sum() -> None:
    text = " + ".join(["x"] * 2000)
    (value,) = evaluate([sg.formula(text, {"x": ""})], {"x": 1.0})
    assert value == 2000


MESSAGES = {
    "foo(x)": (
        "FormulaError: there is no function foo\n"
        "  at   HERE\n"
        "  in   foo(x)\n"
        "       ^^^\n"
        "  fix  did you mean floor?"
    ),
    "x * z": (
        "FormulaError: the name z is not known\n"
        "  at   HERE\n"
        "  in   x * z\n"
        "           ^\n"
        '  fix  give its shape: shapes={"z": "n d"}'
    ),
    "x +": (
        "FormulaError: the formula is not valid: invalid syntax\n  at  HERE\n  in  x +\n         ^"
    ),
    "": "FormulaError: the formula is empty\n  at  HERE",
    "x.__class__": (
        "FormulaError: the attribute .__class__ is not part of a formula\n"
        "  at  HERE\n"
        "  in  x.__class__\n"
        "      ^^^^^^^^^^^"
    ),
    "x and x": (
        "FormulaError: and / or is not part of a formula\n"
        "  at   HERE\n"
        "  in   x and x\n"
        "       ^^^^^^^\n"
        "  fix  combine conditions with & and |, in parentheses"
    ),
    "1 if x else 2": (
        "FormulaError: if ... else is not part of a formula\n"
        "  at   HERE\n"
        "  in   1 if x else 2\n"
        "       ^^^^^^^^^^^^^\n"
        "  fix  choose with where(condition, a, b)"
    ),
    "0 < x < 1": (
        "FormulaError: a chain of comparisons is not part of a formula\n"
        "  at   HERE\n"
        "  in   0 < x < 1\n"
        "       ^^^^^^^^^\n"
        "  fix  write (a < b) & (b < c)"
    ),
    "x ^ 2": (
        "FormulaError: ^ is not part of a formula\n"
        "  at   HERE\n"
        "  in   x ^ 2\n"
        "       ^^^^^\n"
        "  fix  write a power as a**b"
    ),
    "2**99999 * x": (
        "FormulaError: the exponent is larger than 1024\n"
        "  at  HERE\n"
        "  in  2**99999 * x\n"
        "      ^^^^^^^^"
    ),
    "99999999999999999999 * x": (
        "FormulaError: the whole number is too large\n"
        "  at   HERE\n"
        "  in   99999999999999999999 * x\n"
        "       ^^^^^^^^^^^^^^^^^^^^\n"
        "  fix  write it as a float, such as 1e30"
    ),
    "1 / 0 + x": (
        "FormulaError: this number is undefined or out of range\n"
        "  at  HERE\n"
        "  in  1 / 0 + x\n"
        "      ^^^^^"
    ),
    "exp(exp(exp(9))) * x": (
        "FormulaError: this number is undefined or out of range\n"
        "  at  HERE\n"
        "  in  exp(exp(exp(9))) * x\n"
        "          ^^^^^^^^^^^"
    ),
    "sum(x, axis=2)": (
        "ShapeError: sum: axis 2 does not exist: the tensor has 2 axes\n"
        "  at  HERE\n"
        "  x   [n, 3]\n"
        "  in  sum(x, axis=2)\n"
        "      ^^^^^^^^^^^^^^"
    ),
    "sum(x, dtype='f')": (
        "UnsupportedError: sum: the argument dtype is not supported\n"
        "  at  HERE\n"
        "  x   [n, 3]\n"
        "  in  sum(x, dtype='f')\n"
        "      ^^^^^^^^^^^^^^^^^"
    ),
    "sum(x, foo=1)": (
        "FormulaError: sum: got an unexpected keyword argument 'foo'\n"
        "  at  HERE\n"
        "  in  sum(x, foo=1)\n"
        "      ^^^^^^^^^^^^^"
    ),
}


@pytest.mark.parametrize("text", MESSAGES)
def test_messages(text: str) -> None:
    assert message_of(lambda: sg.formula(text, {"x": "n 3"})) == MESSAGES[text]


def test_parentheses_cost_nothing() -> None:
    assert sg.formula("(" * 80 + "x" + ")" * 80, {"x": "n 3"}).ndim == 2


def test_messages_about_shapes() -> None:
    assert message_of(lambda: sg.formula("x", {"x": "n 3.5"})) == (
        "FormulaError: '3.5' in the shape of x is not a size\n"
        "  at   HERE\n"
        "  in   n 3.5\n"
        '  fix  write sizes as letters or whole numbers: "n 64", and "int" last'
    )
    assert message_of(lambda: sg.formula("x", {"x": "n", "z": "n"})) == (
        "FormulaError: a shape is given for z, which the formula does not use\n  at  HERE\n  in  x"
    )
    assert message_of(lambda: sg.formula("x", {"x": "n"}, parameters="w")) == (
        "FormulaError: the parameter w has no shape\n"
        "  at   HERE\n"
        '  fix  give it one: shapes={"w": "n d"}'
    )


DEEP = ["-" * 5000 + "x", "x**" * 3000 + "x", "abs(" * 150 + "x" + ")" * 150, "x" + "[0]" * 900,
        "~" * 70 + "x", "x" + ".T" * 5000, "not " * 500 + "x", "[" * 100 + "]" * 100]  # fmt: skip


@pytest.mark.parametrize("text", DEEP, ids=range(len(DEEP)))
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(SymgradError):
        sg.formula(text, {"x": "n 3"})


def test_a_long_text_is_refused() -> None:
    text = "x+" * 10_000 + "x"
    assert message_of(lambda: sg.formula(text, {"x": ""})) == (
        "FormulaError: the formula has 20001 characters, more than 20000\n"
        "  at   HERE\n"
        "  fix  build it in Python, with symgrad's functions"
    )


HOSTILE = [
    "__import__('os').system('x')",
    "().__class__.__bases__[0]",
    "open('f')",
    "eval('1')",
    "x.__init__.__globals__",
    "(lambda: 0)()",
    "[i for i in x]",
    "f'{x}'",
    "x := 2",
    "print(x)",
    "np.load('f')",
    "sg.os.system('x')",
    "np.linalg.__class__",
    "sum.__globals__",
    "'a' * 10**9",
    "b'x'",
    "1j * x",
    "yield",
    "await x",
    "*x",
    "{1: x}",
    "{x}",
    "x if x else x",
    "'%s' % x",
    "np.sum.__wrapped__(x)",
    "getattr(x, 'T')",
    "x.named('y')",
    "x.label",
    "x.operands",
    "sg.Model",
    "repeat(x, 10**30)",
    "tile(x, -1)",
    "split(x, 10**9)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_outside_of_the_language_is_reached(text: str) -> None:
    with pytest.raises(SymgradError):
        sg.formula(text, {"x": "n 3"})


ATOMS = "x y k n 1 0 -2 0.5 1e308 pi None 'a' True ... : 2**63 9999999999 z inf nan"


def _texts() -> st.SearchStrategy[str]:
    atoms = st.sampled_from(ATOMS.split())
    functions = st.sampled_from(sorted(sg.model.operations.OPERATIONS))

    def grow(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.sampled_from(
            ["+", "-", "*", "/", "//", "%", "**", "@", "<", "==", "&", "|", "^"]
        )
        keyword = st.sampled_from(["axis", "keepdims", "ord", "mode", "k", "dtype", "shape"])
        return st.one_of(
            st.tuples(part, binary, part).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            st.tuples(functions, part).map(lambda t: f"{t[0]}({t[1]})"),
            st.tuples(functions, part, part).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
            st.tuples(functions, part, keyword, part).map(
                lambda t: f"{t[0]}({t[1]}, {t[2]}={t[3]})"
            ),
            st.tuples(part, part).map(lambda t: f"{t[0]}[{t[1]}]"),
            st.tuples(part, part, part).map(lambda t: f"{t[0]}[{t[1]}:{t[2]}]"),
            st.tuples(part, functions, part).map(lambda t: f"{t[0]}.{t[1]}({t[2]})"),
            st.lists(part, max_size=3).map(lambda t: f"[{', '.join(t)}]"),
            st.lists(part, max_size=3).map(lambda t: f"({', '.join(t)},)"),
            part.map(lambda t: f"{t}.T"),
            part.map(lambda t: f"-{t}"),
        )

    return st.recursive(atoms, grow, max_leaves=8)


def _only_our_errors(text: str) -> None:
    shapes = {"x": "n 3", "y": "3", "k": "n int"}
    used = {name: shape for name, shape in shapes.items() if name in _words(text)}
    with contextlib.suppress(SymgradError):
        assert isinstance(sg.formula(text, used), sg.Node)


@settings(max_examples=400, deadline=None)
@given(_texts())
def test_texts_of_the_language_give_tensors_or_our_errors(text: str) -> None:
    _only_our_errors(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=string.printable, max_size=40))
@example("x\x00")
@example("ﬁ(x)")
def test_any_text_gives_a_tensor_or_our_errors(text: str) -> None:
    _only_our_errors(text)
