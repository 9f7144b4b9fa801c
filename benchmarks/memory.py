"""Memory of one call: what tracemalloc sees, beside the closed form that the compiler computes."""

from __future__ import annotations

import gc
import tracemalloc

import sympy

from benchmarks.networks import NETWORKS, Network, compiled, made_call
from benchmarks.table import table
from symgrad.program.cost import cost
from symgrad.program.cost_bounds import ITEM
from symgrad.program.instruction import VIEWS


def peak_bytes(network: Network) -> int:
    """The most that one call of the emitted code allocates beyond what it was given."""
    module, call = compiled(network).load(), made_call(network)
    module.value_and_grad(call.params, x=call.x, y=call.y)
    gc.collect()
    tracemalloc.start()
    kept = module.value_and_grad(call.params, x=call.x, y=call.y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept
    return peak


def report(quick: bool) -> str:
    """The section of the page: a table with a row for each network, and the formulas."""
    rows, formulas = [], []
    for network in NETWORKS[:3] if quick else NETWORKS:
        (plan,) = compiled(network).plans
        total = cost(plan)
        flops, _, predicted = total.at({"n": network.batch}, itemsize=4)
        peak = peak_bytes(network)
        lines = [line for line in plan.program.instructions if line.op not in VIEWS]
        rows.append(
            [str(network), f"{flops:,}", f"{predicted:,}", f"{peak:,}",
             f"{(peak - predicted) / len(lines):,.0f}", f"{100 * (peak / predicted - 1):.2f} %"]
        )  # fmt: skip
        in_float32 = sympy.expand(total.peak.subs(ITEM, 4))
        formulas.append([str(network), f"`{total.flops}`", f"`{in_float32}`"])
    return (
        "## Memory\n\n"
        "The most bytes that one call holds beyond its arguments, float32: `symgrad.program.cost`\n"
        "computes it in closed form, tracemalloc sees what NumPy allocates. What NumPy and Python\n"
        "add is a header of about 100 bytes for each array: it is all there is in the smallest\n"
        "network, and nothing in the others.\n\n"
        + table(
            ["network", "FLOPs", "bytes by formula", "bytes seen", "more, per line", "more"], rows
        )
        + "\n"
        + table(["network", "FLOPs of a batch of n", "bytes held"], formulas)
    )
