"""Speed of the loss and all gradients: symgrad, NumPy by hand, PyTorch, JAX, HIPS autograd.

Every contestant is first verified against the same formulas in float64; then all take turns, and
the least time of each counts.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.contestants import PEERS, Run, by_hand
from benchmarks.networks import NETWORKS, Network, made_call
from benchmarks.table import table

ROUNDS = 15
SECONDS_PER_ROUND = 0.15
LEAST_TURNS = 8
SECONDS_TOGETHER = 1e-3  # calls timed as one: the clock must cost nothing
PRECISION = 1e-5  # of a gradient in float32, relative to its norm
TARGET = 1.2  # times the hand-written form
EXPLANATION = f"""\
One call for the loss and the gradients of all parameters, float32. Hidden layers are tanh with a
squared error for one output, else ReLU with a cross-entropy. Every contestant is within
{PRECISION:g} (of the norm of each gradient) of the same formulas in float64; then all take turns,
and the least mean of a millisecond of calls counts. The emitted module checks its arguments, the
hand-written form does not. The target is {TARGET} times the hand-written form.

No input of a rectifier lies within rounding of 0: there two right programs may take different sides
of the kink, and one entry of a million moves the gradient of a layer by 0.2 %.
"""


def disagreement(run: Run, reference: Run) -> float:
    """The largest distance of the loss or a gradient from the reference, relative to its norm."""
    (loss, grads), (true_loss, true_grads) = run(), reference()
    worst = 0.0
    for mine, truth in [(loss, true_loss), *zip(grads, true_grads, strict=True)]:
        mine, truth = _array(mine), _array(truth)
        if mine.shape != truth.shape or not np.isfinite(mine).all():
            return float("inf")
        worst = max(worst, float(np.linalg.norm(mine - truth) / np.linalg.norm(truth)))
    return worst


def _array(tensor: Any) -> np.ndarray:
    detached = tensor.detach() if hasattr(tensor, "detach") else tensor
    return np.asarray(detached, np.float64)


def seconds(run: Run, spend: float) -> float:
    """The least mean time of a few successive calls, from calls that take `spend` seconds.

    There are never few of them: the threads of the contestant before spin for a while.
    """
    start = time.perf_counter()
    run()
    together = max(1, int(SECONDS_TOGETHER / (time.perf_counter() - start)))
    least = float("inf")
    turns = 0
    while (now := time.perf_counter()) - start < spend or turns < LEAST_TURNS:
        turns += 1
        for _ in range(together):
            run()
        least = min(least, (time.perf_counter() - now) / together)
    return least


def measured(network: Network, rounds: int) -> dict[str, float]:
    """The least mean time of a call, in seconds, by contestant; those that are not installed lack.

    Raises: SystemExit if a contestant computes something else.
    """
    call = made_call(network)
    reference = by_hand(network, call.in_type(np.float64))
    runs: dict[str, Run] = {}
    for name, make in PEERS.items():
        try:
            runs[name] = make(network, call)
        except ImportError:
            continue
        off = disagreement(runs[name], reference)
        if off > PRECISION:
            raise SystemExit(f"{name} is off by {off:.1e} on {network}")
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            best[name] = min(best[name], seconds(run, SECONDS_PER_ROUND))
    return best


def time_text(spent: float) -> str:
    """Seconds as microseconds below a millisecond, else as milliseconds: three digits."""
    return f"{spent * 1e6:.3g} us" if spent < 1e-3 else f"{spent * 1e3:.3g} ms"


def report(quick: bool) -> str:
    """The section of the page: a table with a row for each network."""
    rows = []
    for network in NETWORKS[:3] if quick else NETWORKS:
        times = measured(network, 3 if quick else ROUNDS)
        ratio = times["symgrad"] / times["NumPy by hand"]
        shown = [time_text(times[name]) if name in times else "-" for name in PEERS]
        rows.append([str(network), *shown, f"{ratio:.2f}"])
    return f"## Speed\n\n{EXPLANATION}\n{table(['network', *PEERS, 'symgrad / by hand'], rows)}"
