"""Arrays in print: digits, cuts, matrices; as text and in LaTeX."""

from __future__ import annotations

import numpy as np
import pytest

from symgrad.evaluation import shown as module
from symgrad.evaluation.shown import number_text, shown, text_of

TEXTS = [
    (np.float64(0.298371108760), "0.29837111"),
    (np.float64(1.0), "1"),
    (np.float64(-0.0), "0"),
    (np.float64(1.5e-12), "1.5e-12"),
    (np.int64(7), "7"),
    (np.bool_(True), "true"),
    (np.float64(np.nan), "nan"),
    (np.array([0.05, np.inf, -np.inf]), "[0.05 inf -inf]"),
    (np.array([[0.15, 0.2], [0.25, 0.3]]), "[0.15 0.2; 0.25 0.3]"),
    (np.array([[1], [2]]), "[1; 2]"),
    (np.zeros((0, 3)), "[]  (0 x 3)"),
    (np.arange(20), "[0 1 2 ... 19]  (20)"),
    (np.arange(40).reshape(20, 2), "[0 1; 2 3; 4 5; ... ...; 38 39]  (20 x 2)"),
    (np.zeros((2, 1, 2)), "0: [0 0], 1: [0 0]  (2 x 1 x 2)"),
    (np.zeros((9, 1, 1)), "0: [0], 1: [0], 2: [0], ...  (9 x 1 x 1)"),
    (
        np.full((3, 3), 1 / 3),
        "[0.3333 0.3333 0.3333; " * 1 + "0.3333 0.3333 0.3333; " + "0.3333 0.3333 0.3333]",
    ),
]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=[text for _, text in TEXTS])
def test_as_text(value: np.ndarray, text: str) -> None:
    assert text_of(value) == text


def test_in_latex() -> None:
    assert shown(np.array(-1.5e-12)).latex == r"-1.5 \times 10^{-12}"
    assert shown(np.array([1.0, np.inf])).latex == r"\begin{bmatrix} 1 & \infty \end{bmatrix}"
    assert r"\dots" in shown(np.zeros(30)).latex


def test_as_data() -> None:
    found = shown(np.array([[0.12345678901, 2], [3, 4]]), digits=3)
    assert found.blocks[0].rows == (("0.123", "2"), ("3", "4"))
    assert not found.is_cut and not found.is_number and found.size_text == "2 x 2"
    assert shown(np.zeros((3, 100_000))).is_cut


def test_digits_are_significant() -> None:
    assert number_text(123456.789, 4) == "1.235e+05"
    assert number_text(0.00043856773, 4) == "0.0004386"


def test_the_examples_of_the_file_run() -> None:
    import doctest

    assert doctest.testmod(module).failed == 0
