"""Scans written by hand, each made anew by a function: what a loop can be asked to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import symgrad as sg
from symgrad.expr.leaf import Constant, Input
from symgrad.expr.node import Node
from symgrad.expr.scan import Bound, Final, Scan, Stacked, Step
from symgrad.expr.walk import postorder

n, T = sg.dim("n"), sg.dim("T")
Outputs = Mapping[str, Node]


def recurrent(is_reversed: bool = False) -> tuple[Scan, Node]:
    """h[t] = tanh(x[t] + h[t-1] @ W.T), and the tensor that follows."""
    x, h0, W = sg.input("x", (T, n, 3)), sg.input("h0", (n, 3)), sg.input("W", (3, 3))
    h, u, w = Bound.fresh("h", (n, 3)), Bound.fresh("u", (n, 3)), Bound.fresh("w", (3, 3))
    step = Step((h,), (sg.tanh(u + h @ w.T),), (u,), (w,))
    scan = Scan(step, T, is_reversed, h0, x, W)
    assert isinstance(scan, Scan)
    return scan, step.following[0]


def last() -> Outputs:
    scan, _ = recurrent()
    return {"last": Final(scan, 0)}


def every(is_reversed: bool = False) -> Outputs:
    scan, h = recurrent(is_reversed)
    return {"every": Stacked(scan, h)}


def before_and_after(is_reversed: bool = False) -> Outputs:
    scan, h = recurrent(is_reversed)
    before = Stacked(scan, scan.step.carried[0])
    return {"before": before, "after": Stacked(scan, h), "last": Final(scan, 0)}


def before_alone(is_reversed: bool = False) -> Outputs:
    scan, _ = recurrent(is_reversed)
    return {"before": Stacked(scan, scan.step.carried[0])}


def product_of_both(is_reversed: bool = False) -> Outputs:
    scan, h = recurrent(is_reversed)
    before = Stacked(scan, scan.step.carried[0])
    return {"product": sg.einsum("tni,tnj->ij", Stacked(scan, h), before)}


def read_after_the_loop() -> Outputs:
    scan, h = recurrent()
    return {"loss": sg.sum(Stacked(scan, h) ** 2), "moved": sg.exp(Final(scan, 0))}


def first_is_needed_later() -> Outputs:
    """First states that are results too, or whose memory is free after the loop."""
    a0, x, b0 = sg.input("a0", (n, 3)), sg.input("x", (T, n, 3)), sg.input("b0", (n, 3))
    a, b, u = (Bound.fresh(name, (n, 3)) for name in "abu")
    first, second = sg.exp(a0), sg.sin(b0)
    scan = Scan(Step((a, b), (a * u + b, b / 2 + a), (u,)), T, False, first, second, x)
    last = Final(scan, 0), Final(scan, 1)
    product = (a0 @ a0.T) @ b0  # as large as a state
    return {"first": first, "sum": product + last[0], "other": last[1] * product}


def swap() -> Outputs:
    a0, b0 = sg.input("a0", (n, 3)), sg.input("b0", (n, 3))
    a, b = Bound.fresh("a", (n, 3)), Bound.fresh("b", (n, 3))
    scan = Scan(Step((a, b), (b, a)), T, False, a0, b0)
    return {"a": Final(scan, 0), "b": Final(scan, 1), "every": Stacked(scan, a)}


def two_states() -> Outputs:
    """The new value of each is made of the old value of both."""
    a0, b0, x = sg.input("a0", (n, 3)), sg.input("b0", (n, 3)), sg.input("x", (T, n, 3))
    a, b, u = (Bound.fresh(name, (n, 3)) for name in "abu")
    step = Step((a, b), (sg.sin(b) + u, a * u - b), (u,))
    scan = Scan(step, T, False, a0, b0, x)
    return {"a": Final(scan, 0), "b": Final(scan, 1), "b_every": Stacked(scan, step.following[1])}


def read_in_the_middle() -> Outputs:
    """The first lines of what follows come before the last that reads what was."""
    h0, x = sg.input("h0", (n, 3)), sg.input("x", (T, n, 3))
    h, u = Bound.fresh("h", (n, 3)), Bound.fresh("u", (n, 3))
    step = Step((h,), (sg.cos(u) * h + sg.sin(u) * sg.exp(-h * h),), (u,))
    return {"h": Final(Scan(step, T, False, h0, x), 0)}


def one_for_both() -> Outputs:
    """Two states that become the same tensor."""
    a0, b0 = sg.input("a0", (n, 3)), sg.input("b0", (n, 3))
    a, b = (Bound.fresh(name, (n, 3)) for name in "ab")
    following = sg.sin(a) + b
    scan = Scan(Step((a, b), (following, following)), T, False, a0, b0)
    return {"a": Final(scan, 0), "b": Final(scan, 1), "both": Stacked(scan, a) + Stacked(scan, b)}


def handed_on() -> Outputs:
    """A state that no step changes, and one that becomes what the other was."""
    a0, b0 = sg.input("a0", (n, 3)), sg.input("b0", (n, 3))
    a, b = (Bound.fresh(name, (n, 3)) for name in "ab")
    scan = Scan(Step((a, b), (a, a)), T, False, a0, b0)
    return {"a": Final(scan, 0), "b": Final(scan, 1), "every": Stacked(scan, b)}


def given_ones() -> Outputs:
    """States that become an entry of a sequence, and what is fixed."""
    a0, x, W = sg.input("a0", (n, 3)), sg.input("x", (T, n, 3)), sg.input("h0", (n, 3))
    a, b, u, w = (Bound.fresh(name, (n, 3)) for name in "abuw")
    scan = Scan(Step((a, b), (u, w), (u,), (w,)), T, False, a0, a0, x, W)
    return {"a": Final(scan, 0), "b": Final(scan, 1), "every": Stacked(scan, a)}


def whole_numbers() -> Outputs:
    """A counter, and a mask that stays set."""
    x, k0 = sg.input("x", (T, n)), sg.input("k0", (n,), dtype="int")
    k, u = Bound.fresh("k", (n,), "int"), Bound.fresh("u", (n,))
    seen = Bound.fresh("seen", (n,), "bool")
    first = sg.input("m0", (n,), dtype="bool")
    step = Step((k, seen), (k + 2, sg.logical_or(seen, u > 1)), (u,))
    scan = Scan(step, T, False, k0, first, x)
    return {
        "k": Final(scan, 0), "every": Stacked(scan, step.following[0]),
        "seen": Final(scan, 1), "seen_before": Stacked(scan, seen),
    }  # fmt: skip


def numbers() -> Outputs:
    """A state without axes, and a sequence of numbers."""
    s0, x = sg.input("s0", ()), sg.input("x", (T,))
    s, u = Bound.fresh("s", ()), Bound.fresh("u", ())
    half = s / 2
    step = Step((s,), (sg.sin(half) + u * half,), (u,))
    scan = Scan(step, T, False, s0, x)
    return {"s": Final(scan, 0), "every": Stacked(scan, s), "halves": Stacked(scan, half)}


def inner_tensors() -> Outputs:
    """Tensors inside the step, one that is written over there and one that is broadcast."""
    x, h0 = sg.input("x", (T, n, 3)), sg.input("h0", (n, 3))
    h, u = Bound.fresh("h", (n, 3)), Bound.fresh("u", (n, 3))
    z = h * 2 + u
    row = sg.sum(z, axis=0)
    step = Step((h,), (sg.tanh(z) + row,), (u,))
    scan = Scan(step, T, False, h0, x)
    spread = sg.broadcast_to(row, (n, 3))
    return {"z": Stacked(scan, z), "row": Stacked(scan, row), "spread": Stacked(scan, spread)}


def known_without_running() -> Outputs:
    """Of an entry, of what is fixed, and of a number, at every step."""
    scan, _ = recurrent()
    u, w = scan.step.sequences[0], scan.step.fixed[0]
    return {
        "entries": Stacked(scan, u), "fixed": Stacked(scan, w),
        "number": Stacked(scan, Constant(2, (n,))), "twice": Stacked(scan, w * 2),
    }  # fmt: skip


def from_zeros(is_reversed: bool = False) -> Outputs:
    """First states that are numbers; both are the same zeros."""
    x = sg.input("x", (T, n, 3))
    h, c, u = (Bound.fresh(name, (n, 3)) for name in "hcu")
    zeros = Constant(0, (n, 3), "float")
    step = Step((h, c), (sg.tanh(u + c), c * h + u), (u,))
    scan = Scan(step, T, is_reversed, zeros, zeros, x)
    return {"h": Final(scan, 0), "c": Final(scan, 1), "c_every": Stacked(scan, c)}


def nested() -> Outputs:
    """A scan in the step of a scan, over a sequence of the outer step."""
    x, h0 = sg.input("x", (T, n, 3)), sg.input("v0", (3,))
    s, row = Bound.fresh("s", (3,)), Bound.fresh("row", (3,))
    inner_step = Step((s,), (sg.sin(s) + row,), (row,))
    h, u = Bound.fresh("h", (3,)), Bound.fresh("u", (n, 3))
    inner = Scan(inner_step, n, False, h, u)
    kept = Stacked(inner, inner_step.following[0])
    step = Step((h,), (Final(inner, 0) / 2,), (u,))
    scan = Scan(step, T, False, h0, x)
    return {"h": Final(scan, 0), "kept": Stacked(scan, kept), "before": Stacked(scan, h)}


def same_at_every_step() -> Outputs:
    """Made before the loop: a transpose, ones, positions, an identity, a loop within the step."""
    x, W, h0 = sg.input("x", (T, n, 3)), sg.input("W", (3, 3)), sg.input("h0", (n, 3))
    h, u, w = Bound.fresh("h", (n, 3)), Bound.fresh("u", (n, 3)), Bound.fresh("w", (3, 3))
    r, s = Bound.fresh("r", (3, 3)), Bound.fresh("s", (3,))
    inner = Scan(Step((s,), (sg.sin(s + sg.sum(r, axis=0)),), (), (r,)), 3, False, W[0], w)
    r0 = Bound.fresh("r0", (3,))
    inner = Scan(inner.step, 3, False, r0, w)
    table = sg.stack([sg.sum(h, axis=0)] * 3) * sg.eye(3)
    following = sg.tanh(u @ w.T + h @ w.T + Final(inner, 0)) + sg.sum(table, axis=0)
    scan = Scan(Step((h,), (following,), (u,), (w, r0)), T, False, h0, x, W, W[0])
    return {"h": Final(scan, 0)}


def indices() -> Outputs:
    """Rows of a table chosen by a sequence of indices, and added to others."""
    k, table = sg.input("k", (T, n), dtype="int"), sg.input("W", (3, 3))
    h, row, rows = (
        Bound.fresh("h", (3, 3)),
        Bound.fresh("row", (n,), "int"),
        Bound.fresh("w", (3, 3)),
    )
    picked = sg.take(rows + h, row, axis=0)
    step = Step((h,), (h / 2 + sg.sum(picked, axis=0),), (row,), (rows,))
    scan = Scan(step, T, False, table, k, table)
    return {"h": Final(scan, 0), "picked": Stacked(scan, picked)}


def unvarying_sequence() -> Outputs:
    """A sequence that is a broadcast, and one that is a number."""
    v, h0 = sg.input("v0", (3,)), sg.input("h0", (n, 3))
    h, u, c = (Bound.fresh(name, (n, 3)) for name in "huc")
    step = Step((h,), (sg.sin(h) * u + c,), (u, c))
    length = sg.input("x", (T, n, 3)).shape[0]
    sequences = sg.broadcast_to(v, (length, n, 3)), Constant(2, (length, n, 3), "float")
    scan = Scan(step, T, False, h0, *sequences)
    whole = sg.input("x", (T, n, 3))
    return {"h": Final(scan, 0) + sg.sum(whole), "every": Stacked(scan, step.following[0])}


def in_a_row() -> Outputs:
    """One loop after the other, the second with the results of the first."""
    scan, h = recurrent()
    g, u, b = (Bound.fresh(name, (n, 3)) for name in "hub")
    step = Step((g,), (g * (1 - u * u) + b,), (u, b))
    back = Scan(
        step, T, True, Final(scan, 0), Stacked(scan, h), Stacked(scan, scan.step.carried[0])
    )
    return {"first": Final(back, 0), "every": Stacked(back, step.following[0])}


def backwards(build: Callable[[bool], Outputs]) -> Callable[[], Outputs]:
    return lambda: build(True)


CASES: dict[str, Callable[[], Outputs]] = {
    f.__name__: f
    for f in (
        last, every, before_and_after, before_alone, product_of_both, read_after_the_loop,
        first_is_needed_later, swap,
        two_states, read_in_the_middle, one_for_both, handed_on, given_ones, whole_numbers, numbers, inner_tensors,
        known_without_running, from_zeros, nested, same_at_every_step, indices,
        unvarying_sequence, in_a_row,
    )
} | {
    f"{f.__name__}_backwards": backwards(f)
    for f in (every, before_and_after, before_alone, product_of_both, from_zeros)
}  # fmt: skip


def values_for(length: int, dtype: Any, batch: int = 2) -> dict[str, Any]:
    """An array for every input of CASES."""
    rng = np.random.default_rng(length)
    shapes = {
        "x": (length, batch, 3), "h0": (batch, 3), "W": (3, 3), "a0": (batch, 3), "b0": (batch, 3),
        "s0": (), "v0": (3,),
    }  # fmt: skip
    values = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    whole = {"k": rng.integers(0, 3, (length, batch)), "k0": rng.integers(0, 9, batch)}
    return values | whole | {"m0": rng.integers(0, 2, batch).astype(bool)}


def given_to(outputs: Outputs, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that `outputs` read, with the axes that they have there."""
    leaves = [leaf for leaf in postorder(outputs.values()) if isinstance(leaf, Input)]
    given = {}
    for leaf in leaves:
        array = values[leaf.name]
        while array.ndim > leaf.ndim:
            array = array[..., 0]
        given[leaf.name] = array
    return given
