"""What is said beside an equation: ranges, batches, remarks; and the letters of its indices."""

from __future__ import annotations

import doctest
import sys

import pytest

import symgrad as sg
from symgrad.report import notation
from symgrad.report.notation import equations_of, latex, mathml, symbol, text
from symgrad.report.notation import formula as m

n = sg.dim("n")
x, w, b = sg.input("X", (n, 3)), sg.parameter("W", (3, 4)), sg.parameter("b", (4,))
NAMES = {x: symbol("X"), w: symbol("W"), b: symbol("b")}


@pytest.mark.parametrize("module", ["", ".text", ".latex"])
def test_the_examples_run(module: str) -> None:
    # the package exports functions of the same names as its modules
    assert doctest.testmod(sys.modules[f"symgrad.report.notation{module}"]).failed == 0


def test_a_bias_is_told_to_stand_in_every_row() -> None:
    z = x @ w + b
    found = equations_of(z, {**NAMES, z: symbol("Z")}.get)
    assert text(found.matrix) == "Z = X W + b"
    assert found.remarks == ("b stands in every row",)
    assert [latex(r) for r in found.range_relations()] == [
        r"0 \leq i < n", r"0 \leq j < 4", r"0 \leq k < 3",
    ]  # fmt: skip


def test_a_batch_is_told() -> None:
    q, k = sg.input("Q", (n, 5, 3)), sg.input("K", (n, 5, 3))
    s = q @ sg.swapaxes(k, 1, 2) / 2
    found = equations_of(s, {q: symbol("Q"), k: symbol("K"), s: symbol("S")}.get)
    assert text(found.matrix) == "S[b] = Q[b] K[b]ᵀ/2"
    assert found.remarks == ("for every b",)
    assert found.batch == {symbol("b"): symbol("n")}


def test_no_index_bears_a_name_in_use() -> None:
    i, j = sg.input("i", (n, 3)), sg.input("j", (3, sg.dim("k")))
    z = i @ j
    found = equations_of(z, {i: symbol("i"), j: symbol("j"), z: symbol("p")}.get)
    letters = {letter.base for letter in found.ranges}
    assert not letters & {"i", "j", "k", "n", "p"}


def test_what_has_no_form_in_matrices_has_one_with_indices() -> None:
    z = sg.reshape(x, (3 * n,))
    found = equations_of(z, {**NAMES, z: symbol("Z")}.get)
    assert found.matrix is None
    assert text(found.indices) == "Z[i] = X[⌊i/3⌋, mod(i, 3)]"


def test_the_conventions_are_printed() -> None:
    for sign, meaning in notation.CONVENTIONS:
        assert isinstance(sign, m.Math) and meaning
        assert text(sign) and latex(sign) and mathml(sign)
