"""Speed of the loss and all gradients: symgrad, NumPy by hand, PyTorch, JAX, HIPS autograd.

    python -m benchmarks.speed

Every contestant is first verified to give the same loss and gradients; then all take turns, and
the least time of each counts.
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from benchmarks.networks import NETWORKS, PEERS, Network, Run

ROUNDS = 15
SECONDS_PER_ROUND = 0.15


def same(a: tuple, b: tuple) -> bool:
    """Whether two (loss, gradients) agree to 1e-4 of the size of each tensor.

    In the norm: where a rectifier's input is within rounding of 0, single entries may differ.
    """
    pairs = [(a[0], b[0]), *zip(a[1], b[1], strict=True)]
    for mine, theirs in pairs:
        mine, theirs = (
            np.asarray(t.detach() if hasattr(t, "detach") else t) for t in (mine, theirs)
        )
        if mine.shape != theirs.shape:
            return False
        if not np.linalg.norm(mine - theirs) <= 1e-4 * np.linalg.norm(theirs):
            return False
    return True


def seconds(run: Run, least: float) -> float:
    """The mean time of a call over at least `least` seconds of calls."""
    count, start = 0, time.perf_counter()
    while True:
        run()
        count += 1
        spent = time.perf_counter() - start
        if spent >= least:
            return spent / count


def measure(network: Network) -> dict[str, float]:
    """The least mean time of a call, in microseconds, by contestant."""
    runs = {}
    for name, make in PEERS.items():
        try:
            runs[name] = make(network)
        except ImportError:
            continue
    reference = runs["NumPy by hand"]()
    for name, run in runs.items():
        if not same(run(), reference):
            raise SystemExit(f"{name} disagrees on {network}")
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            best[name] = min(best[name], seconds(run, SECONDS_PER_ROUND))
    return {name: time * 1e6 for name, time in best.items()}


def peak_bytes(network: Network) -> int:
    """The most memory that one call of the emitted code allocates beyond what it was given."""
    run = PEERS["symgrad"](network)
    run()
    tracemalloc.start()
    kept = run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept
    return peak


def main() -> None:
    for network in NETWORKS:
        times = measure(network)
        ratio = times["symgrad"] / times["NumPy by hand"]
        print(
            f"{network!s:<28}"
            + "".join(f"  {n} {t:,.1f}" for n, t in times.items())
            + f"   symgrad / hand {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
