"""Costs in closed form are what a call takes: FLOPs of known cases, and memory as measured."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy

import symgrad as sg
from symgrad import nn
from symgrad.compiler import Compiled
from symgrad.expr import functions as f
from symgrad.expr.map import Map
from symgrad.expr.slots import slot
from symgrad.program.cost import cost
from symgrad.program.cost_bounds import ITEM
from symgrad.program.lower import lower
from symgrad.program.schedule import Schedule, schedule

n, m, d, h = (sg.dim(name) for name in "nmdh")
x = sg.input("x", (n, d))
w = sg.input("w", (d, h))
v = sg.input("v", (d,))
labels = sg.input("labels", (n,), dtype="int")


def plan_of(*outputs: Any) -> Schedule:
    return schedule(lower({f"r{i}": output for i, output in enumerate(outputs)}))


@pytest.mark.parametrize(
    ("output", "flops"),
    [
        (x @ w, 2 * n * d * h),
        (x @ v, 2 * n * d),
        (v @ v, 2 * d),
        (x @ w + sg.input("b", (h,)), 2 * n * d * h + n * h),
        (sg.sum(x, axis=1), 2 * n * d),  # a product with ones
        (sg.sum(x * x), 2 * n * d),
        (sg.max(x, axis=1), n * d),
        (sg.tanh(x), n * d),
        (sg.exp(x) + sg.sin(x), 3 * n * d),
        (sg.einsum("nd,dh->hn", x, w), 2 * n * d * h),
        (sg.einsum("bij,bjk->bik", sg.input("a", (m, n, d)), sg.input("c", (m, d, h))),
         2 * m * n * d * h),
        (x.T, 0),
        (sg.reshape(x, (n * d,)), 0),
    ],
    ids=str,
)  # fmt: skip
def test_flops_of_known_cases(output: Any, flops: sympy.Expr) -> None:
    assert sympy.expand(cost(plan_of(output)).flops - flops) == 0


def test_flops_and_traffic_of_an_update_count_what_it_changes() -> None:
    picked = sg.take_along_axis(x, labels[:, None], axis=1)
    total = cost(plan_of(sg.grad(sg.sum(picked), x)))
    assert total.flops == n
    assert sympy.expand(total.traffic.coeff(ITEM, 1) - (n * d + 2 * n)) == 0


@pytest.mark.parametrize(
    ("part", "entries"),
    [(slice(None, None, -1), 6), (slice(None, None, -2), 3), (slice(4, None, -2), 3),
     (slice(1, None, 2), 3), (slice(None, None, 4), 2)],
    ids=str,
)  # fmt: skip
def test_an_update_of_a_slice_counts_its_entries(part: slice, entries: int) -> None:
    r = sg.input("r", (6,))
    flops = cost(plan_of(sg.grad(sg.sum(r**2) + sg.sum(r[part] ** 2), r))).flops
    added = flops - cost(plan_of(sg.grad(sg.sum(r**2), r), 2 * r[part])).flops
    assert added == entries


def test_traffic_of_a_product() -> None:
    assert sympy.expand(cost(plan_of(x @ w)).traffic - ITEM * (n * d + d * h + n * h)) == 0


def test_what_is_in_place_takes_no_memory() -> None:
    assert cost(plan_of(sg.tanh(x @ w + 1))).peak == ITEM * n * h
    assert cost(plan_of(sg.tanh(x))).peak == ITEM * n * d


def test_a_mask_is_held_only_while_its_line_runs() -> None:
    """The mask of n*h bytes and, after it, a result of h*h entries: the larger counts."""
    g = Map(slot(0) * f.less(0, slot(1)), x @ w, sg.input("z", (n, h)))
    total = cost(plan_of(g, g.T @ g))
    assert total.at({"n": 1000, "d": 1, "h": 10}, 4)[2] == 4 * 1000 * 10 + 1000 * 10
    assert total.at({"n": 1, "d": 1, "h": 100}, 4)[2] == 4 * (100 + 100 * 100)


# -- against what NumPy allocates ----------------------------------------------------------------

ARRAYS = 150  # bytes that NumPy and Python add for each line: a header, a shape, a name
BUFFER = 1 << 17  # where NumPy converts types it does so in pieces of a fixed size


def compiled(*layers: nn.Module, classes: int = 10) -> Compiled:
    inputs = sg.input("x", (n, 64))
    targets = sg.input("y", (n,), dtype="int")
    loss = nn.functional.cross_entropy(nn.Sequential(*layers)(inputs), targets)
    return sg.compile(sg.Model("measured", loss=loss), emit=["value_and_grad"])


def measured(model: Compiled, batch: int, dtype: type) -> int:
    module = model.load()
    params = module.init_params(seed=0, dtype=dtype)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, 64)).astype(dtype)
    y = rng.integers(0, 10, batch)
    module.value_and_grad(params, x=x, y=y)
    gc.collect()
    tracemalloc.start()
    try:
        kept = module.value_and_grad(params, x=x, y=y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kept
    return peak


def agrees(plan: Schedule, bytes_measured: int, batch: int, dtype: type) -> bool:
    """Whether the closed form is right to 2 %, beside what NumPy itself needs."""
    predicted = cost(plan).at({"n": batch}, np.dtype(dtype).itemsize)[2]
    own = ARRAYS * len(plan.program.instructions) + BUFFER
    return abs(bytes_measured - predicted) <= 0.02 * predicted + own


NETS = {
    "relu": lambda: compiled(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
    ),
    "tanh": lambda: compiled(nn.Linear(64, 300), nn.Tanh(), nn.Linear(300, 10)),
    "silu": lambda: compiled(nn.Linear(64, 200), nn.SiLU(), nn.Linear(200, 10)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("net", NETS)
def test_peak_is_what_a_call_allocates(net: str, dtype: type) -> None:
    model = NETS[net]()
    for batch in (1000, 8000):
        assert agrees(model.plans[0], measured(model, batch, dtype), batch, dtype)


def test_a_wrong_plan_is_noticed() -> None:
    """The same program, but with one line taken out of place or another taken in place."""
    model = NETS["relu"]()
    (plan,) = model.plans
    peak = measured(model, 8000, np.float32)
    assert agrees(plan, peak, 8000, np.float32)
    lines = [line for line in plan.program.instructions if line.result.shape == (n, 256)]
    in_place = [line for line in lines if line in plan.written_to]
    anew = [line for line in lines if line not in plan.written_to and line.result.base is None]
    assert in_place and anew
    too_much = {k: t for k, t in plan.written_to.items() if k is not in_place[0]}
    too_little = plan.written_to | {anew[0]: anew[0].result}
    for written_to in (too_much, too_little):
        wrong = replace(plan, written_to=written_to)
        assert not agrees(wrong, peak, 8000, np.float32)
