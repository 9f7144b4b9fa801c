"""Speed of networks that are more than dense layers, against PyTorch, through its own modules.

Each is defined once in `torch.nn`; `sg.from_torch` makes symgrad's definition of it, and its
numbers are PyTorch's. Both are compared before they are timed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import symgrad as sg
from benchmarks.speed import PRECISION, SECONDS_PER_ROUND, disagreement, seconds, time_text
from benchmarks.table import table

ROUNDS = 10
EXPLANATION = """\
One call for the loss (the mean of the squares of the output) and the gradients of all parameters,
float32, in PyTorch and as compiled from the same `torch.nn` module; they take turns, and the least
mean of a millisecond of calls counts. A column for NumPy by hand is missing: the emitted code is
what one would write.
"""


@dataclass(frozen=True)
class Architecture:
    """A `torch.nn` module, what it is called with, and which part of its result counts."""

    name: str
    build: Callable[[], Any]
    shape: tuple[int, ...]
    first: bool = False  # of a tuple of results


def _lenet() -> Any:
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84),
        nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def _convolutions() -> Any:
    from torch import nn

    return nn.Sequential(
        *(part for _ in range(4) for part in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()))
    )


def _block(width: int, heads: int) -> Callable[[], Any]:
    def build() -> Any:
        from torch import nn

        return nn.TransformerEncoderLayer(
            width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )

    return build


def _lstm() -> Any:
    from torch import nn

    return nn.LSTM(128, 128)


ARCHITECTURES = (
    Architecture("LeNet, n = 64", _lenet, (64, 1, 28, 28)),
    Architecture("four 3x3x64 convolutions, 32x32, n = 32", _convolutions, (32, 64, 32, 32)),
    Architecture("transformer block, 8 x 64 x 128", _block(128, 4), (8, 64, 128)),
    Architecture("transformer block, 8 x 128 x 256", _block(256, 8), (8, 128, 256)),
    Architecture("LSTM, batch 32, 50 steps, h = 128", _lstm, (50, 32, 128), first=True),
)


def contestants(case: Architecture) -> dict[str, Callable[[], Any]]:
    """symgrad and PyTorch: each gives the loss and the gradients in the order of the parameters."""
    import torch

    torch.manual_seed(0)
    module = case.build()
    data = np.random.default_rng(0).standard_normal(case.shape).astype(np.float32)
    output = sg.from_torch(module)(sg.input("x", (sg.dim("n"), *case.shape[1:])))
    output = output[0] if case.first else output
    net = sg.compile(sg.Model("net", loss=sg.mean(output * output)), ["value_and_grad"]).load()
    params, _ = sg.weights_from_torch(module)
    weights = list(module.parameters())
    names = [name for name, _ in module.named_parameters()]
    x = torch.tensor(data)

    def ours() -> Any:
        loss, grads = net.value_and_grad(params, x=data)
        return loss, [grads[name] for name in names]

    def theirs() -> Any:
        result = module(x)
        result = result[0] if case.first else result
        loss = (result * result).mean()
        return loss, torch.autograd.grad(loss, weights)

    return {"symgrad": ours, "PyTorch": theirs}


def report(quick: bool) -> str:
    """The section of the page; empty without PyTorch."""
    try:
        import torch  # noqa: F401
    except ImportError:
        return ""
    rows = []
    for case in ARCHITECTURES:
        runs = contestants(case)
        off = disagreement(runs["symgrad"], runs["PyTorch"])
        if off > 10 * PRECISION:  # both are rounded
            raise SystemExit(f"symgrad and PyTorch differ by {off:.1e} on {case.name}")
        best = dict.fromkeys(runs, float("inf"))
        for _ in range(2 if quick else ROUNDS):
            for name, run in runs.items():
                best[name] = min(best[name], seconds(run, SECONDS_PER_ROUND))
        ratio = best["symgrad"] / best["PyTorch"]
        rows.append([case.name, *(time_text(best[name]) for name in runs), f"{ratio:.2f}"])
    head = ["network", "symgrad", "PyTorch", "symgrad / PyTorch"]
    return f"## Convolutions, attention, recurrence\n\n{EXPLANATION}\n{table(head, rows)}"
