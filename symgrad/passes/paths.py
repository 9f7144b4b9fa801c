"""Orders of multiplication: what a product of several terms costs, and the cheapest order.

    sum_ij a[i] B[i,j] c[j]   ->   (a, B) first, then c: two products of a matrix and a vector

Costs are counted in elements moved, with sample sizes for dimensions that are not known yet: an
elementwise product moves three per entry, BLAS multiplies `BLAS` numbers in the time of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import opt_einsum
import sympy

SAMPLE = 64  # what a dimension symbol is taken to be
BLAS = 16
STRIDED = 6  # how much slower a sum of products is along an axis that is not the last

Labels = tuple[int, ...]
Pair = tuple[int, int]


@lru_cache(maxsize=65536)
def sample_size(size: sympy.Expr) -> int:
    """`size` with every dimension symbol set to a typical batch size."""
    if isinstance(size, sympy.Integer):
        return int(size)
    return max(int(size.subs(dict.fromkeys(size.free_symbols, SAMPLE))), 0)


def elements(labels: Iterable[int], sizes: dict[int, int]) -> int:
    """The number of entries of a tensor with these labels."""
    total = 1
    for label in set(labels):
        total *= sizes[label]
    return total


def sum_cost(labels: Labels, out: Labels, sizes: dict[int, int]) -> float:
    """Of adding up one term."""
    return elements(labels, sizes) + elements(out, sizes)


def elementwise_cost(labels: Iterable[int], sizes: dict[int, int]) -> float:
    """Of one product, entry by entry."""
    return 3 * elements(labels, sizes)


def pair_cost(a: Labels, b: Labels, out: Labels, sizes: dict[int, int]) -> float:
    """Of `sum a * b -> out`; what only one of them carries is summed first."""
    cost = 0.0
    kept = []
    for mine, other in ((a, b), (b, a)):
        rest = tuple(i for i in mine if i in other or i in out)
        if len(rest) < len(mine):
            cost += sum_cost(mine, rest, sizes)
        kept.append(rest)
    a, b = kept
    contracted = [i for i in a if i in b and i not in out]
    if not contracted:
        return cost + elementwise_cost(out, sizes)
    moved = elements(a, sizes) + elements(b, sizes) + elements(out, sizes)
    if set(a) == set(b):
        # row by row: np.vecdot, along the memory where the summed axes are the last
        count = len(contracted)
        is_contiguous = a[-count:] == b[-count:] and set(a[-count:]) == set(contracted)
        return cost + moved * (1 if is_contiguous else STRIDED)
    return cost + moved + elements((*a, *b), sizes) / BLAS


@lru_cache(maxsize=4096)
def best_path(
    terms: tuple[Labels, ...], out: Labels, sizes: tuple[tuple[int, int], ...]
) -> tuple[float, tuple[Pair, ...]]:
    """The cheapest order and its cost: pairs of positions, each removed for its product at the end.

    Labels that one term alone carries must be summed already.
    """
    of = dict(sizes)
    symbols = {label: opt_einsum.get_symbol(k) for k, label in enumerate(of)}
    inputs = ",".join("".join(symbols[i] for i in labels) for labels in terms)
    equation = f"{inputs}->{''.join(symbols[i] for i in out)}"
    shapes = [tuple(max(of[i], 1) for i in labels) for labels in terms]
    found, _ = opt_einsum.contract_path(equation, *shapes, shapes=True, optimize="auto")
    remaining = list(terms)
    cost = 0.0
    path: list[Pair] = []
    for step in found:
        for pair in _pairs(step, len(remaining)):
            first, second = (remaining[k] for k in pair)
            rest = [t for k, t in enumerate(remaining) if k not in pair]
            product = out if not rest else product_labels(first, second, [*rest, out])
            cost += pair_cost(first, second, product, of)
            path.append(pair)
            remaining = [*rest, product]
    return cost, tuple(path)


def _pairs(step: Sequence[int], count: int) -> list[Pair]:
    """A step of opt_einsum, which may take several terms at once, as pairs."""
    if len(step) < 2:
        return []
    a, b, *others = sorted(step)
    pairs = [(a, b)]
    gone = [a, b]
    for k in others:
        shifted = k - sum(g < k for g in gone)
        pairs.append((shifted, count - len(pairs) - 1))
        gone.append(k)
    return pairs


def product_labels(a: Labels, b: Labels, needed: Iterable[Labels]) -> Labels:
    """The labels of `a * b` that others need: those of `a`, then those of `b`."""
    wanted = {label for labels in needed for label in labels}
    return tuple(label for label in dict.fromkeys((*a, *b)) if label in wanted)
