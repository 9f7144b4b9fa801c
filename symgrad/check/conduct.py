"""Conduct: what a function owes its caller beyond right numbers.

It returns what it declares, the same for every layout and every call, in the type it was given;
it writes to nothing it was handed, and hands out memory that no later call touches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symgrad.check.finding import Finding
from symgrad.check.point import Point, random_directions
from symgrad.check.sizes import shape_of
from symgrad.check.subject import Subject
from symgrad.check.tree import Array, Tree, copied, identical, leaves, mapped

ROUNDING = 1e-9  # float64, other order of additions
SINGLE = 1e-3  # float32 against float64, of the largest entry
PART = 1e-2  # how much of it small arrays may borrow from the largest of the same result


def conduct(subject: Subject, function: str, point: Point, other: Point) -> Iterator[Finding]:
    """All findings about `function`, called at `point` and, in between, at `other`."""
    call = _Call(subject, function, point)
    before = [copied(argument) for argument in call.arguments]
    first = call(point)
    changed = [identical(a, b) for a, b in zip(call.arguments, before, strict=True)]
    yield Finding(
        function,
        "arguments are not written to",
        not any(changed),
        note=next((f"{path} was changed" for path in changed if path), ""),
    )
    yield _declared(subject, function, first, point)
    kept = copied(first)
    second = call(point)
    yield _same(function, "two calls give the same bytes", identical(first, second))
    _Call(subject, function, other)(other)
    yield _same(function, "a result outlives later calls", identical(first, kept))
    yield _memory(function, first, second, call.arguments, list(point.state.values()))
    del first, second  # a Hessian may be large
    yield compared(function, "strided arguments", call(point.mapped(strided)), kept, ROUNDING)
    yield compared(
        function, "Fortran-ordered arguments", call(point.mapped(transposed)), kept, ROUNDING
    )
    single = call(point.mapped(lambda a: np.asarray(a, np.float32)), np.float32)
    wide = [path for path, a in leaves(single) if a.dtype == np.float64]
    if wide:
        yield Finding(function, "float32", False, note=f"{wide[0] or 'the result'} is float64")
    else:
        yield compared(function, "float32 against float64", single, kept, SINGLE)


def consistency(subject: Subject, point: Point) -> Iterator[Finding]:
    """Functions that return the same quantity agree on it."""
    for values, functions in (
        ("loss", {"loss": (), "value_and_grad": (0,)}),
        ("outputs", {"forward": (), "jvp": (0,), "vjp": (0,)}),
    ):
        present = [f for f in functions if f in subject.functions]
        results = {}
        for function in present:
            result = _Call(subject, function, point)(point)
            if subject.updates_state(function):
                result = result[:-1] if len(result) > 2 else result[0]
            try:
                for position in functions[function]:
                    result = result[position]
            except (TypeError, KeyError, IndexError):
                yield Finding(function, f"{values} come first", False)
                return
            results[function] = result
        for function in present[1:]:
            yield compared(
                function,
                f"{values} as in {present[0]}",
                results[function],
                results[present[0]],
                ROUNDING,
            )


def state_consistency(subject: Subject, point: Point) -> Iterator[Finding]:
    """The loss and its gradient leave the same new state."""
    changing = [f for f in ("loss", "value_and_grad") if f in subject.functions]
    changing = [f for f in changing if subject.updates_state(f)]
    states = [_Call(subject, function, point)(point)[-1] for function in changing]
    for function, state in zip(changing[1:], states[1:], strict=True):
        what = f"new state as in {changing[0]}"
        yield compared(function, what, state, states[0], ROUNDING)


class _Call:
    """One function with its directions fixed."""

    def __init__(self, subject: Subject, function: str, point: Point) -> None:
        self.subject, self.function = subject, function
        self.directions = random_directions(subject, function, point, np.random.default_rng(1))
        self.arguments: list[Tree] = [point.params, point.inputs, *self.directions.values()]
        self.arguments += [point.state] if point.state else []

    def __call__(self, point: Point, dtype: Any = np.float64) -> Tree:
        directions = mapped(lambda a: np.asarray(a, dtype), self.directions)
        result = self.subject.call_whole(self.function, point, **directions)
        return mapped(np.asarray, result) if not isinstance(result, np.ndarray) else result


def strided(array: Array) -> Array:
    """The same numbers, every axis spread out over twice the memory and laid down backwards."""
    memory = np.zeros(tuple(2 * s for s in array.shape), array.dtype)
    backwards: Any = (*(slice(None, None, -2) for _ in array.shape), ...)
    view = memory[backwards]
    view[...] = array
    return view


def transposed(array: Array) -> Array:
    """The same numbers, columns first."""
    return np.array(array, order="F")


def _same(function: str, subject: str, differs: str | None) -> Finding:
    return Finding(function, subject, differs is None, note=f"{differs} differs" if differs else "")


def compared(function: str, what: str, result: Tree, expected: Tree, bound: float) -> Finding:
    """Whether arrays agree within `bound` of the largest entry; whole numbers exactly."""
    try:
        pairs = list(zip(leaves(result), leaves(expected), strict=True))
    except ValueError:
        return Finding(function, what, False, note="the results have different parts")
    largest = max((_size(b) for _, (_, b) in pairs), default=0.0)
    worst, where, claimed, found = 0.0, "", "", ""
    for (path, a), (_, b) in pairs:
        if np.shape(a) != np.shape(b):
            return Finding(
                function,
                what,
                False,
                str(np.shape(a)),
                str(np.shape(b)),
                note=f"the shape of {path or 'the result'}",
            )
        a, b = np.asarray(a), np.asarray(b)
        if not a.size or (a.dtype.kind != "f" and bound == SINGLE):
            continue
        with np.errstate(all="ignore"):
            gaps = np.abs(a.astype(np.float64) - b.astype(np.float64))
            if b.dtype.kind == "f":
                gaps = gaps / max(_size(b), PART * largest, 1e-300)
        gaps = np.where(np.isnan(gaps), np.inf, gaps)
        place = np.unravel_index(int(np.argmax(gaps)), gaps.shape)
        if gaps[place] > worst:
            worst, where = float(gaps[place]), path or "the result"
            claimed, found = f"{a[place]:.9g}", f"{b[place]:.9g}"
    agrees = worst <= bound
    return Finding(function, what, agrees, claimed, found, worst, "" if agrees else f"in {where}")


def _size(array: Array) -> float:
    array = np.asarray(array)
    return float(np.max(np.abs(array))) if array.size and array.dtype.kind == "f" else 0.0


def _memory(
    function: str, first: Tree, second: Tree, arguments: list[Tree], state: list[Array]
) -> Finding:
    """Whether a result has memory of its own; a state that does not change is handed through."""
    what = "results have memory of their own"
    mine = [(path, a) for path, a in leaves(first) if not any(a is s for s in state)]
    given = [(f"argument {path}", a) for group in arguments for path, a in leaves(group)]
    later = [(f"{path or 'the result'} of a later call", a) for path, a in leaves(second)]
    for position, (path, array) in enumerate(mine):
        for other, memory in (*mine[position + 1 :], *given, *later):
            if np.shares_memory(array, memory):
                return Finding(
                    function, what, False, note=f"{path or 'it'} shares memory with {other}"
                )
    return Finding(function, what, True)


def _declared(subject: Subject, function: str, result: Tree, point: Point) -> Finding:
    """Keys, shapes and types of what is returned."""
    what = "keys, shapes and types"
    try:
        problem = None
        if subject.updates_state(function):
            *values, state = result
            result = values[0] if len(values) == 1 else tuple(values)
            problem = _misshapen_state(state, point)
        problem = problem or _misshapen(subject, function, result, point)
    except (TypeError, IndexError, KeyError, AttributeError, ValueError):
        problem = "is not built as its kind of function returns it"
    return Finding(function, what, problem is None, note=problem or "")


def _misshapen_state(state: Tree, point: Point) -> str | None:
    if list(state) != list(point.state):
        return f"the keys of the new state {list(state)} are not {list(point.state)}"
    for name, old in point.state.items():
        new = np.asarray(state[name])
        if new.shape != old.shape or new.dtype != old.dtype:
            return f"the new state {name} is {new.dtype} {new.shape}, not {old.dtype} {old.shape}"
    return None


def _misshapen(subject: Subject, function: str, result: Tree, point: Point) -> str | None:
    parameters = {n: shape_of(s, point.sizes) for n, (s, _) in subject.parameters.items()}
    shapes: Callable[[str], tuple[int, ...]] = parameters.__getitem__
    grads: dict[str, Array] = {}
    if function in ("value_and_grad", "vjp"):
        grads = result[1]
    elif function in ("hvp", "per_example_grad"):
        grads = result
    elif function == "input_grad":
        grads = result
        shapes = lambda name: np.shape(point.inputs[name])  # noqa: E731
    if function in ("loss", "value_and_grad"):
        loss = result if function == "loss" else result[0]
        if np.shape(loss) != ():
            return f"the loss has shape {np.shape(loss)}"
    if function in ("value_and_grad", "vjp", "hvp", "per_example_grad") and list(grads) != list(
        parameters
    ):
        return f"keys {list(grads)} are not {list(parameters)}"
    for name, grad in grads.items():
        shape = np.shape(grad)[1:] if function == "per_example_grad" else np.shape(grad)
        if shape != shapes(name):
            return f"{name} has shape {shape}, not {shapes(name)}"
    if function == "hessian":
        for a, row in result.items():
            for b, block in row.items():
                if np.shape(block) != parameters[a] + parameters[b]:
                    return f"[{a}][{b}] has shape {np.shape(block)}"
    for path, array in leaves(result):
        if array.dtype.kind == "f" and array.dtype != np.float64:
            return f"{path or 'the result'} is {array.dtype}"
    return None
