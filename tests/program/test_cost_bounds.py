"""Which of several costs is the largest, where every dimension is at least 1."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
import sympy

import symgrad as sg
from symgrad.compiler import Compiled
from symgrad.program.cost import cost, moments
from symgrad.program.cost_bounds import ITEM, Bytes, is_within, largest, polynomial, terms_of
from tests.report.test_derivation import recurrent_model, small_model, softmax_regression

n, d = sg.dim("n"), sg.dim("d")
half = sympy.floor(n / 2)


def terms(cost: object) -> Bytes:
    return terms_of(sympy.expand(sympy.sympify(cost)))


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (8 - 8 * d - 8 * n, 0),
        (16 - 16 * d, 0),
        (0, 8 * n - 8),
        (n, n * d),
        (n + d - 1, n * d),
        (n**2 + 1, n**2 * d + n**3),
        (2 * n * ITEM, 8 * n * d + ITEM * n),
        (n, n + half * d),
        (1 / n, 1 / n + n),
    ],
    ids=str,
)
def test_what_is_never_more(less: object, more: object) -> None:
    assert is_within(terms(less), terms(more))
    assert not is_within(terms(more), terms(less))


@pytest.mark.parametrize(
    ("one", "other"),
    [(n, d), (8 * n - 16, 0), (ITEM * n, 5 * n), (half, n - 1), (n * d, n**2), (2, n * d)],
    ids=str,
)
def test_either_may_be_more(one: object, other: object) -> None:
    assert not is_within(terms(one), terms(other)) and not is_within(terms(other), terms(one))
    assert largest([terms(one), terms(other)]) == [terms(one), terms(other)]


def test_random_polynomials_are_compared_as_their_numbers_are() -> None:
    rng = random.Random(0)
    monomials = [1, n, d, n * d, n**2, ITEM * n, ITEM * n * d]
    places = [{n: a, d: b, ITEM: size} for a, b in itertools.product(range(1, 5), repeat=2)
              for size in (4, 8)]  # fmt: skip
    known = 0
    for _ in range(300):
        one, other = (
            terms(sum(rng.randint(-3, 3) * m for m in rng.sample(monomials, 3))) for _ in range(2)
        )
        if is_within(one, other):
            known += 1
            excess = polynomial(one) - polynomial(other)
            assert all(excess.subs(place) <= 0 for place in places)
    assert known > 30


def logistic_regression() -> sg.Model:
    X, y, w = sg.input("X", (n, d)), sg.input("y", (n,)), sg.parameter("w", (d,))
    return sg.Model("logistic", loss=sg.mean(sg.log(1 + sg.exp(-y * (X @ w)))))


@pytest.mark.parametrize(
    "model", [small_model, softmax_regression, recurrent_model, logistic_regression]
)
def test_a_peak_is_the_largest_of_all_moments(model: object) -> None:
    compiled: Compiled = sg.compile(model())  # type: ignore[operator]
    for plan in compiled.plans:
        peak = cost(plan).peak
        total: Bytes = Counter()
        alive = []
        for _, made, needed in moments(plan):
            total.update(made)
            alive.append(polynomial(total) + polynomial(needed))
        for a, b, size in itertools.product((1, 2, 3, 70), (1, 2, 50), (4, 8)):
            place = {n: a, d: b, ITEM: size}
            assert peak.subs(place) == max(moment.subs(place) for moment in alive)


def test_no_maximum_is_told_where_one_moment_always_holds_most() -> None:
    for plan in sg.compile(logistic_regression()).plans:
        assert not cost(plan).peak.has(sympy.Max)
