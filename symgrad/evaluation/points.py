"""Points: a value for each leaf, random within a sensible domain.

Random entries are normal first. Where the results are not finite there (a logarithm of a
feature), they are drawn from (0.1, 0.9), and last from (1, 2). Whole numbers stay within the axes
that they index; what is declared to sum to one does.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symgrad.errors import CheckError
from symgrad.evaluation.carried import Array
from symgrad.evaluation.compare import is_moderate
from symgrad.evaluation.indices import index_limits
from symgrad.evaluation.interpreter import Evaluation
from symgrad.evaluation.sizes import NoSuchSize, Sizes
from symgrad.expr.dimension import Shape
from symgrad.expr.leaf import Cotangent, Filled, Input, Named, Parameter, Random, State, Tangent
from symgrad.expr.node import BOOL, FLOAT, INT, Node
from symgrad.expr.scan import Bundle, Scan
from symgrad.expr.walk import postorder

FIRST_SIZES = (3, 4, 2, 5, 6, 8, 12)
TRIES = 4  # of each kind of draw
SMALL_NUMBERS = 3  # whole numbers that index nothing lie below
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
DRAWS: tuple[Draw, ...] = (
    lambda rng, shape: rng.standard_normal(shape),
    lambda rng, shape: rng.uniform(0.1, 0.9, shape),
    lambda rng, shape: rng.uniform(1, 2, shape),
)


@dataclass(frozen=True)
class Point:
    """A value for each leaf, and what the names of dimensions stand for."""

    values: Mapping[Named, Array]
    sizes: Sizes

    def evaluation(self) -> Evaluation:
        """What expressions come to at this point; nothing is computed yet."""
        return Evaluation(self.values, self.sizes)

    def named(self) -> dict[str, Array]:
        """The values by name."""
        return {leaf.name: value for leaf, value in self.values.items()}


def random_point(
    leaves: Sequence[Named],
    roots: Sequence[Node],
    seed: int = 0,
    finite: Sequence[Node] | None = None,
) -> Point:
    """A random point for all that `roots` read, at which `finite` are finite: by default `roots`.

    Raises: CheckError if none was found.
    """
    return _found(leaves, roots, seed, roots if finite is None else finite, _scaled, 3)


def nice_point(
    leaves: Sequence[Named],
    roots: Sequence[Node],
    seed: int = 0,
    finite: Sequence[Node] | None = None,
) -> Point:
    """The same in numbers of one decimal, for an example that a reader follows by hand."""
    return _found(leaves, roots, seed, roots if finite is None else finite, _one_decimal, 2)


def fitting_sizes(nodes: Sequence[Node], seed: int = 0, smallest: int = 3) -> Sizes:
    """A different small size for each name, such that all shapes of `nodes` are whole numbers."""
    shapes = dict.fromkeys(n.shape for n in nodes if not isinstance(n, Scan | Bundle) and n.shape)
    lengths = dict.fromkeys((n.length,) for n in nodes if isinstance(n, Scan))
    names = list(dict.fromkeys(name for shape in [*shapes, *lengths] for name in _names(shape)))
    firsts = [*range(smallest, max(FIRST_SIZES)), *FIRST_SIZES] if smallest < 3 else FIRST_SIZES
    for shift in range(len(firsts)):
        first = firsts[(seed * (smallest >= 3) + shift) % len(firsts)]
        for spread in (1, 0):
            sizes = Sizes({name: first + spread * k for k, name in enumerate(names)})
            try:
                for shape in [*shapes, *lengths]:
                    sizes.shape(shape)
            except NoSuchSize:
                continue
            return sizes
    raise CheckError(
        "no sizes were found that make all shapes whole numbers",
        facts={"tried": f"{', '.join(names)} from {', '.join(map(str, FIRST_SIZES))} on"},
    )


def _names(shape: Shape) -> Iterator[str]:
    for size in shape:
        if not size.is_Integer:
            yield from sorted(symbol.name for symbol in size.free_symbols)


def _found(
    leaves: Sequence[Named],
    roots: Sequence[Node],
    seed: int,
    finite: Sequence[Node],
    adapt: Callable[[Array], Array],
    smallest: int,
) -> Point:
    nodes = postorder([*leaves, *roots])
    sizes = fitting_sizes(nodes, seed, smallest)
    limits = index_limits(nodes, sizes)
    rng = np.random.default_rng(seed)
    best: tuple[int, Point | None] = (-1, None)
    for draw, are_positive in itertools.product(DRAWS, (False, True)):
        for _ in range(TRIES):
            for largest in (math.inf, 2, 1):
                values = {
                    leaf: _drawn(leaf, rng, sizes, draw, adapt, limits, are_positive, largest)
                    for leaf in leaves
                }
                point = Point(values, sizes)
                count = _finite_roots(point, finite)
                if count == len(finite):
                    return point
                if count > best[0]:
                    best = count, point
                if count >= 0:  # no index was out of range: smaller ones change nothing
                    break
    if best[1] is not None and best[0] > 0:
        return best[1]
    raise CheckError(
        "no random values were found for which the results are finite",
        facts={"tried": "normal numbers, numbers in (0.1, 0.9) and in (1, 2)"},
        fix="give values with --at FILE.npz",
    )


def _finite_roots(point: Point, roots: Sequence[Node]) -> int:
    """How many of `roots` are finite and moderate; -1 if an index lies outside of its axis."""
    evaluation = point.evaluation()
    try:
        return sum(bool(np.all(is_moderate(evaluation.value(root)))) for root in roots)
    except IndexError:
        return -1


def _drawn(
    leaf: Named,
    rng: np.random.Generator,
    sizes: Sizes,
    draw: Draw,
    adapt: Callable[[Array], Array],
    limits: Mapping[Node, int],
    are_positive: bool,
    largest: float,
) -> Array:
    shape = sizes.shape(leaf.shape)
    if isinstance(leaf, Random | Tangent | Cotangent):
        return start_of(leaf, rng, sizes)
    if isinstance(leaf, State):
        start = start_of(leaf, rng, sizes)
        return start + rng.uniform(0, 0.5, shape) if leaf.dtype == FLOAT else start
    if leaf.dtype == BOOL:
        return rng.integers(0, 2, shape).astype(bool)
    if leaf.dtype == INT:
        most = min(limits.get(leaf, SMALL_NUMBERS), largest)
        return rng.integers(0, max(int(most), 1), shape)
    if isinstance(leaf, Input) and leaf.sums_to_one is not None:
        weights = np.maximum(_one_decimal(rng.uniform(0.1, 0.9, shape)), 0.1)
        return weights / weights.sum(axis=leaf.sums_to_one, keepdims=True)
    if isinstance(leaf, Parameter):
        value = adapt(rng.standard_normal(shape))
        return np.abs(value) + 0.1 if are_positive else value
    return draw(rng, shape) if adapt is _scaled else adapt(draw(rng, shape))


def _scaled(value: Array) -> Array:
    """Weights by the size of what they sum over, so that deep nets stay in range."""
    fan_in = math.prod(value.shape[1:]) if value.ndim > 1 else 1
    return value / math.sqrt(max(fan_in, 1))


def _one_decimal(value: Array) -> Array:
    """Rounded, and not to 0."""
    rounded = np.round(value, 1)
    return np.where(rounded == 0, 0.1, rounded)


def start_of(leaf: Named, rng: np.random.Generator, sizes: Sizes) -> Array:
    """A draw, a direction, or a state as a module starts with it."""
    shape = sizes.shape(leaf.shape)
    if isinstance(leaf, Random):
        if leaf.kind == "normal":
            return rng.standard_normal(shape)
        uniform = rng.random(shape)
        if leaf.kind == "bernoulli":
            return (uniform < sizes.number(leaf.probability)).astype(float)
        return uniform
    if isinstance(leaf, Filled) and leaf.initialiser[0] == "constant":
        return as_kind(np.full(shape, sizes.number(leaf.initialiser[1])), leaf)
    if leaf.dtype == FLOAT:
        return rng.standard_normal(shape)
    return np.zeros(shape, np.int64 if leaf.dtype == INT else bool)


def as_kind(array: Array, leaf: Named) -> Array:
    """`array` in the type that tensors of the kind of `leaf` are computed in."""
    return array.astype({FLOAT: np.float64, INT: np.int64, BOOL: np.bool_}[leaf.dtype])
