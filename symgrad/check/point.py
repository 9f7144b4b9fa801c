"""Points: random arguments at which a module is checked, all in float64.

Entries are normal first. Where the loss is not finite there (a logarithm of a feature), they are
drawn from (0.1, 0.9), and last from (1, 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from symgrad.check.draws import Alone
from symgrad.check.sizes import NoSuchSize, names_in, shape_of
from symgrad.check.subject import Arrays, Specification, Subject
from symgrad.check.tree import Array, Tree, leaves
from symgrad.errors import CheckError

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
DRAWS: tuple[Draw, ...] = (
    lambda rng, shape: rng.standard_normal(shape),
    lambda rng, shape: rng.uniform(0.1, 0.9, shape),
    lambda rng, shape: rng.uniform(1, 2, shape),
)
LARGEST_INDEX = 4096
FIRST_SIZES = (5, 6, 4, 8, 12)


@dataclass(frozen=True)
class Point:
    """Parameters, inputs, the state, and what the names of sizes stand for.

    `alone`: which example it is, where the point holds one of those of another point.
    """

    params: Arrays
    inputs: Arrays
    sizes: Mapping[str, int]
    state: Arrays = field(default_factory=dict)
    alone: Alone | None = None

    def moved(self, direction: Arrays, step: float) -> Point:
        """The point `step` times `direction` further; keys are those of parameters."""
        return replace(self, params=_moved(self.params, direction, step))

    def inputs_moved(self, direction: Arrays, step: float) -> Point:
        """Likewise with the inputs."""
        return replace(self, inputs=_moved(self.inputs, direction, step))

    def mapped(self, function: Callable[[Array], Array]) -> Point:
        """`function` applied to every array of floats."""
        params, inputs, state = (
            {k: function(a) if a.dtype.kind == "f" else a for k, a in group.items()}
            for group in (self.params, self.inputs, self.state)
        )
        return replace(self, params=params, inputs=inputs, state=state)


def _moved(group: Arrays, direction: Arrays, step: float) -> Arrays:
    return {
        k: np.asarray(a + step * direction[k]) if k in direction else a for k, a in group.items()
    }


def draw_point(
    subject: Subject,
    seed: int,
    sizes: Mapping[str, int] | None = None,
    functions: tuple[str, ...] = (),
) -> Point:
    """A random point at which `functions` (by default the loss and the outputs) are finite.

    Raises: CheckError if there is none among those tried, or no sizes fit.
    """
    rng = np.random.default_rng(seed)
    sizes = sizes if sizes is not None else fitting_sizes(subject, seed)
    watched = (
        functions
        or tuple(f for f in ("loss", "forward") if subject.lower(f))
        or subject.functions[:1]
    )
    for draw in DRAWS:
        for are_positive in (False, True):
            point = _drawn(subject, rng, sizes, draw, are_positive)
            if all(is_finite(subject, f, point) for f in watched):
                return point
    raise CheckError(
        f"{subject.name}: no random arguments were found for which {' and '.join(watched)} "
        "give finite numbers",
        facts={"tried": "normal numbers, numbers in (0.1, 0.9) and in (1, 2)"},
    )


def is_finite(subject: Subject, function: str, point: Point) -> bool:
    """Whether `function` gives finite numbers at `point`."""
    given = random_directions(subject, function, point, np.random.default_rng(0))
    result = subject.call(function, point, **given)
    return all(bool(np.all(np.isfinite(array))) for _, array in leaves(result))


def random_directions(
    subject: Subject, function: str, point: Point, rng: np.random.Generator
) -> dict[str, Tree]:
    """Tangents and cotangents for those functions that take them."""
    given: dict[str, Tree] = {}
    if function in ("jvp", "hvp"):
        given["tangents"] = normal_like(subject.parameters, point.sizes, rng)
    if function == "vjp":
        given["cotangents"] = as_returned(normal_like(subject.outputs, point.sizes, rng))
    return given


def as_returned(outputs: Arrays) -> Tree:
    """Outputs in the form in which `forward` returns them: one alone stands for itself."""
    return next(iter(outputs.values())) if len(outputs) == 1 else outputs


def normal_like(
    table: Mapping[str, Specification], sizes: Mapping[str, int], rng: np.random.Generator
) -> Arrays:
    """A normal array for every entry of floats in `table`."""
    return {
        name: np.asarray(rng.standard_normal(shape_of(shape, sizes)))
        for name, (shape, dtype) in table.items()
        if dtype == "float"
    }


def fitting_sizes(subject: Subject, seed: int = 0) -> dict[str, int]:
    """A different small size for each name, such that all shapes are whole numbers."""
    tables = [*subject.parameters.values(), *subject.inputs.values()]
    names = list(dict.fromkeys(name for shape, _ in tables for name in names_in(shape)))
    for shift in range(len(FIRST_SIZES)):
        first = FIRST_SIZES[(seed + shift) % len(FIRST_SIZES)]
        sizes = {name: first + position for position, name in enumerate(names)}
        try:
            for shape, _ in tables:
                shape_of(shape, sizes)
        except NoSuchSize:
            continue
        return sizes
    raise CheckError(
        f"{subject.name}: no sizes were found that fit its shapes",
        facts={"tried": f"{', '.join(names)} from {', '.join(map(str, FIRST_SIZES))} on"},
    )


def _drawn(
    subject: Subject,
    rng: np.random.Generator,
    sizes: Mapping[str, int],
    draw: Draw,
    params_are_positive: bool,
) -> Point:
    params = {
        name: np.asarray(a + 0.1 * rng.standard_normal(a.shape))
        for name, a in subject.init_params(int(rng.integers(2**31)), sizes).items()
    }
    if params_are_positive:
        params = {name: np.abs(a) + 0.1 for name, a in params.items()}
    inputs: Arrays = {}
    for name, (shape, dtype) in subject.inputs.items():
        extent = shape_of(shape, sizes)
        if name in subject.distributions:
            weights = rng.uniform(0.1, 0.9, extent)
            axis = subject.distributions[name]
            inputs[name] = weights / weights.sum(axis=axis, keepdims=True)
        elif dtype == "float":
            inputs[name] = np.asarray(draw(rng, extent))
        elif dtype == "bool":
            inputs[name] = rng.integers(0, 2, extent).astype(bool)
        else:
            inputs[name] = np.zeros(extent, np.int64)
    point = Point(params, inputs, sizes, _state(subject, rng, sizes))
    for name, (_, dtype) in subject.inputs.items():
        if dtype == "int":
            limit = _index_limit(subject, name, point)
            inputs[name] = rng.integers(0, limit, inputs[name].shape)
    return point


def _state(subject: Subject, rng: np.random.Generator, sizes: Mapping[str, int]) -> Arrays:
    """A state near the one to start from; what is positive stays so."""
    if not subject.states:
        return {}
    return {
        name: np.asarray(a + rng.uniform(0, 0.5, a.shape)) if a.dtype.kind == "f" else a
        for name, a in subject.init_state(int(rng.integers(2**31)), sizes).items()
    }


def _index_limit(subject: Subject, name: str, point: Point) -> int:
    """The number of values that the whole-number input `name` may take, found by asking.

    A module refuses indices out of range with an IndexError. What nothing refuses counts
    something, and gets small numbers.
    """

    def accepts(number: int) -> bool:
        inputs = point.inputs | {name: np.full_like(point.inputs[name], number)}
        for function in subject.functions:
            if name in subject.reads(function):
                given = random_directions(subject, function, point, np.random.default_rng(0))
                try:
                    subject.call(function, replace(point, inputs=inputs), **given)
                except IndexError:
                    return False
                return True
        return True

    if not point.inputs[name].size:
        return 1
    largest = 1
    while largest <= LARGEST_INDEX and accepts(largest):
        largest *= 2
    if largest > LARGEST_INDEX:
        return 10
    low, high = largest // 2, largest  # low is accepted (or 0), high is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepts(middle) else (low, middle)
    return high
