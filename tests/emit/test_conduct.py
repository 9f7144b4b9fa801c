"""How emitted functions treat memory: the caller's is read only, the results are the caller's."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from emitted_models import MODELS, Arrays, call_of, module_of, reads

from symgrad.derivation import BUILDERS
from symgrad.errors import DefinitionError

Case = tuple[str, str]


def cases() -> list[Case]:
    """Every function of every model that has it."""
    found = []
    for model, function in itertools.product(MODELS, BUILDERS):
        try:
            module_of(model, function)
        except DefinitionError:
            continue
        found.append((model, function))
    return found


CASES = cases()
each_function = pytest.mark.parametrize(("model", "function"), CASES, ids=map(" ".join, CASES))


def arguments(
    model: str, function: str, n: int = 5, dtype: Any = np.float64, seed: int = 0
) -> tuple[Callable[..., Any], list[Any], Arrays]:
    """A function, its positional arguments and its keywords."""
    net = module_of(model, function)
    params, inputs = call_of(model, n, dtype, seed)
    rng = np.random.default_rng(seed + 1)
    positional: list[Any] = [params]
    if function in ("jvp", "hvp"):
        positional.append(
            {k: rng.standard_normal(p.shape).astype(dtype) for k, p in params.items()}
        )
    if function == "vjp":
        sizes = {"n": n, "d": 3, "2*d": 6}
        given = {
            name: rng.standard_normal([sizes.get(s, s) for s in shape]).astype(dtype)
            for name, (shape, kind) in net.OUTPUTS.items()
            if kind == "float"
        }
        positional.append(given if len(given) > 1 else given.popitem()[1])
    target = getattr(net, function)
    return target, positional, reads(target, inputs)


def arrays_in(value: Any) -> Iterator[np.ndarray]:
    """All arrays in nested tuples and dicts."""
    if isinstance(value, tuple | list):
        for part in value:
            yield from arrays_in(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from arrays_in(part)
    else:
        yield np.asanyarray(value)


def mapped(change: Callable[[np.ndarray], np.ndarray], value: Any) -> Any:
    """The same structure with every array changed."""
    if isinstance(value, list):
        return [mapped(change, part) for part in value]
    if isinstance(value, dict):
        return {key: mapped(change, part) for key, part in value.items()}
    return change(value) if value.ndim else value


def close(a: Any, b: Any, rtol: float = 1e-11) -> None:
    pairs = list(zip(arrays_in(a), arrays_in(b), strict=True))
    assert pairs
    for left, right in pairs:
        np.testing.assert_allclose(left, right, rtol=rtol, atol=rtol)


@each_function
@pytest.mark.parametrize("n", [1, 2, 7])
def test_arguments_are_not_written_to(model: str, function: str, n: int) -> None:
    target, positional, keywords = arguments(model, function, n)
    before = [a.copy() for a in arrays_in([positional, keywords])]
    for array in arrays_in([positional, keywords]):
        array.flags.writeable = False
    target(*positional, **keywords)
    for array, old in zip(arrays_in([positional, keywords]), before, strict=True):
        assert np.array_equal(array, old)


@each_function
def test_results_have_memory_of_their_own(model: str, function: str) -> None:
    target, positional, keywords = arguments(model, function)
    first = target(*positional, **keywords)
    kept = [a.copy() for a in arrays_in(first)]
    second = target(*positional, **keywords)
    mine = list(arrays_in(first))
    others = [*arrays_in([positional, keywords]), *arrays_in(second)]
    for a, b in (*itertools.combinations(mine, 2), *itertools.product(mine, others)):
        assert not np.shares_memory(a, b)
    other_target, other_positional, other_keywords = arguments(model, function, 2, seed=9)
    other_target(*other_positional, **other_keywords)
    for array, old in zip(arrays_in(first), kept, strict=True):
        assert np.array_equal(array, old)
        if array.ndim:
            assert array.flags.writeable
            array += 1  # the caller may do as he likes


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "columns first": lambda a: np.array(a, order="F"),
    "every second entry": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: np.flip(np.ascontiguousarray(np.flip(a))),
    "a window": lambda a: np.pad(a, [(1, 2)] * a.ndim)[(slice(1, -2),) * a.ndim],
    "not aligned": lambda a: unaligned(a),
}


def unaligned(array: np.ndarray) -> np.ndarray:
    memory = np.zeros(array.nbytes + 1, np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


@each_function
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_do_not_matter(model: str, function: str, layout: str) -> None:
    target, positional, keywords = arguments(model, function)
    expected = target(*positional, **keywords)
    positional, keywords = (mapped(LAYOUTS[layout], part) for part in (positional, keywords))
    close(target(*positional, **keywords), expected)


@each_function
@pytest.mark.parametrize("n", [1, 5])
def test_the_float_type_is_that_of_the_call(model: str, function: str, n: int) -> None:
    target, positional, keywords = arguments(model, function, n, np.float32)
    single = target(*positional, **keywords)
    assert {a.dtype for a in arrays_in(single) if a.dtype.kind == "f"} <= {np.dtype(np.float32)}
    _, positional, keywords = arguments(model, function, n, np.float64)
    wide = target(*positional, **keywords)
    assert {a.dtype for a in arrays_in(wide) if a.dtype.kind == "f"} <= {np.dtype(np.float64)}
    close(single, wide, 2e-4)


@pytest.mark.parametrize("model", ["classifier", "ridge", "counted", "symbolic"])
def test_two_threads_at_once(model: str) -> None:
    calls = [arguments(model, "value_and_grad", n, seed=n) for n in (3, 8)]
    expected = [target(*positional, **keywords) for target, positional, keywords in calls]
    found: list[list[Any]] = [[], []]
    start = threading.Barrier(2)

    def work(k: int) -> None:
        target, positional, keywords = calls[k]
        start.wait()
        for _ in range(200):
            found[k].append(target(*positional, **keywords))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(2):
        assert len(found[k]) == 200
        for result in found[k]:
            close(result, expected[k], 1e-13)


WITH_OUT = [(m, f) for m, f in CASES if f in ("value_and_grad", "input_grad", "per_example_grad")]
each_with_out = pytest.mark.parametrize(
    ("model", "function"), WITH_OUT, ids=map(" ".join, WITH_OUT)
)


def gradients_of(result: Any) -> Arrays:
    return result[1] if isinstance(result, tuple) else result


@each_with_out
def test_results_in_the_memory_of_the_caller(model: str, function: str) -> None:
    target, positional, keywords = arguments(model, function)
    expected = target(*positional, **keywords)
    out = {k: np.full(np.shape(g), np.nan) for k, g in gradients_of(expected).items()}
    result = target(*positional, **keywords, out=out)
    assert gradients_of(result) is out
    close(result, expected, 1e-15)
    if isinstance(expected, tuple):
        assert result[0] == expected[0]


def test_results_over_the_parameters_themselves() -> None:
    target, (params,), keywords = arguments("classifier", "value_and_grad")
    expected = target(params, **keywords)
    close(target(params, **keywords, out=params), expected, 1e-15)


def test_results_in_one_flat_vector() -> None:
    target, (params,), keywords = arguments("classifier", "value_and_grad")
    flat = np.empty(sum(p.size for p in params.values()))
    out, start = {}, 0
    for name, p in params.items():
        out[name] = flat[start : start + p.size].reshape(p.shape)
        start += p.size
    _, grads = target(params, **keywords)
    target(params, **keywords, out=out)
    assert np.array_equal(flat, np.concatenate([g.ravel() for g in grads.values()]))


WRONG_OUT: dict[str, tuple[Callable[[Arrays], Any], str]] = {
    "no dict": (
        lambda out: list(out.values()),
        "ValueError: value_and_grad: out must be a dict with the keys ['w', 'b'], got list",
    ),
    "a missing key": (
        lambda out: {"w": out["w"]},
        "ValueError: value_and_grad: out must be a dict with the keys ['w', 'b'], got ['w']",
    ),
    "no array": (
        lambda out: {**out, "b": 0.0},
        "TypeError: value_and_grad: out['b'] must be a NumPy array of shape [], got float",
    ),
    "another shape": (
        lambda out: {**out, "w": np.zeros((2, 1))},
        "ValueError: value_and_grad: out['w'] must be float64 of shape [2], "
        "got float64 of shape [2, 1]",
    ),
    "another type": (
        lambda out: {**out, "w": np.zeros(2, np.float32)},
        "ValueError: value_and_grad: out['w'] must be float64 of shape [2], "
        "got float32 of shape [2]",
    ),
    "read-only memory": (
        lambda out: {**out, "w": np.broadcast_to(0.0, (2,))},
        "ValueError: value_and_grad: out['w'] is read-only; pass a copy of it",
    ),
    "shared memory": (
        lambda out: {"w": out["w"], "b": out["w"][:1].reshape(())},
        "ValueError: value_and_grad: out['b'] and out['w'] share memory; "
        "give each an array of its own",
    ),
}


@pytest.mark.parametrize("name", WRONG_OUT)
def test_memory_that_results_cannot_be_written_into(name: str) -> None:
    change, message = WRONG_OUT[name]
    target, positional, keywords = arguments("ridge", "value_and_grad")
    out = {"w": np.full(2, 7.0), "b": np.full((), 7.0)}
    with pytest.raises((ValueError, TypeError)) as caught:
        target(*positional, **keywords, out=change(out))
    assert f"{type(caught.value).__name__}: {caught.value}" == message
    assert (out["w"] == 7).all() and out["b"] == 7
