"""Polynomials in the dimensions, and which of several is the largest wherever those are at least 1.

8 - 8*d - 8*n is never more than 0: with d = 1 + d' and n = 1 + n' it is -8 - 8*d' - 8*n', and no
coefficient is positive. 8*n - 8*d may be either, so both stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from math import comb, prod

import sympy

ITEM = sympy.Symbol("itemsize", integer=True, positive=True)  # bytes of a float: one of ITEMSIZES
ITEMSIZES = (4, 8)

Bytes = Counter[sympy.Expr]  # a polynomial: the coefficient of each product of dimensions
Powers = tuple[tuple[sympy.Expr, int], ...]


@lru_cache(maxsize=4096)
def terms_of(polynomial: sympy.Expr) -> Bytes:
    """The terms of what is expanded."""
    return Counter(polynomial.as_coefficients_dict())


def polynomial(terms: Bytes) -> sympy.Expr:
    """The sum of `terms`."""
    return sympy.Add(*(coefficient * term for term, coefficient in terms.items()))


def difference(a: Bytes, b: Bytes) -> Bytes:
    """What `a` has more than `b`."""
    terms = Counter({t: a[t] - b[t] for t in (*a, *b)})
    return Counter({t: c for t, c in terms.items() if c != 0})


def largest(candidates: Iterable[Bytes]) -> list[Bytes]:
    """Those of `candidates` that are not known to be exceeded by another, each once."""
    kept: list[Bytes] = []
    for one in candidates:
        if not any(is_within(one, other) for other in kept):
            kept = [*(other for other in kept if not is_within(other, one)), one]
    return kept


def is_within(a: Bytes, b: Bytes) -> bool:
    """Whether `a` is known to be no more than `b` for all dimensions of at least 1.

    What is no plain dimension, such as floor(n/2), is taken to be at least 0.
    """
    excess = difference(a, b)
    if all(c <= 0 for c in excess.values()):
        return True
    return all(c <= 0 for size in ITEMSIZES for c in _from_one(excess, size).values())


def _from_one(terms: Bytes, itemsize: int) -> Counter[Powers]:
    """The coefficients of `terms` in d' = d - 1, for floats of `itemsize` bytes."""
    found: Counter[Powers] = Counter()
    for term, coefficient in terms.items():
        held, shifted = _split(term)
        scale = coefficient * itemsize ** dict(held).get(ITEM, 0)
        rest = tuple((base, power) for base, power in held if base != ITEM)
        for chosen in product(*(range(power + 1) for _, power in shifted)):
            ways = prod(comb(p, k) for (_, p), k in zip(shifted, chosen, strict=True))
            left = ((base, k) for (base, _), k in zip(shifted, chosen, strict=True) if k)
            found[*rest, *left] += scale * ways
    return found


@lru_cache(maxsize=4096)
def _split(term: sympy.Expr) -> tuple[Powers, Powers]:
    """The factors of a product: those that are kept as they are, and powers of dimensions."""
    held: list[tuple[sympy.Expr, int]] = []
    dimensions: list[tuple[sympy.Expr, int]] = []
    for base, power in sorted(term.as_powers_dict().items(), key=lambda pair: str(pair[0])):
        if base == 1:
            continue
        if not (power.is_Integer and power > 0):
            held.append((base**power, 1))
        elif base.is_Symbol and base != ITEM:
            dimensions.append((base, int(power)))
        else:
            held.append((base, int(power)))
    return tuple(held), tuple(dimensions)
