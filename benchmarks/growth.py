"""Growth of compilation: time, lines and memory against the size of the model.

    python -m benchmarks.growth "dense tanh net" 1000     # one case, as JSON

Each case runs in a process of its own, after a small model has warmed the caches, so that none
profits from another and memory is its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import symgrad as sg
from benchmarks.table import table
from symgrad import nn
from symgrad.compiler import assembled
from symgrad.derivation import derive
from symgrad.expr.node import Node
from symgrad.passes.form import Form
from symgrad.passes.pipeline import AFTER_DERIVATION

WIDTH = 16  # of the dense nets
WARM_UP = 3


def dense(layers: int) -> sg.Model:
    """A net of `layers` dense layers with tanh, and a squared error."""
    n = sg.dim("n")
    stack = [part for _ in range(layers) for part in (nn.Linear(WIDTH, WIDTH), nn.Tanh())]
    output = nn.Sequential(*stack)(sg.input("x", (n, WIDTH)))
    return sg.Model("dense", loss=nn.functional.mse_loss(output, sg.input("y", (n, WIDTH))))


def terms(count: int) -> list[Node]:
    """The elementwise terms sin(k a x), each with a formula of its own."""
    x, a = sg.input("x", (sg.dim("n"),)), sg.parameter("a", ())
    return [sg.sin((k + 1) * a * x) for k in range(count)]


def chain(count: int) -> sg.Model:
    """A sum of elementwise terms, one after the other."""
    first, *others = terms(count)
    for term in others:
        first = first + term
    return sg.Model("chain", loss=sg.mean(first))


def balanced(count: int) -> sg.Model:
    """The same sum as a balanced tree."""
    level = terms(count)
    while len(level) > 1:
        pairs = [a + b for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return sg.Model("balanced", loss=sg.mean(level[0]))


def nested(count: int) -> sg.Model:
    """A composition h = tanh(a h) + x."""
    x, a = sg.input("x", (sg.dim("n"),)), sg.parameter("a", ())
    h: Node = x
    for _ in range(count):
        h = sg.tanh(a * h) + x
    return sg.Model("nested", loss=sg.mean(h))


def convolutions(count: int) -> sg.Model:
    """A stack of 3x3 convolutions with ReLU, and the mean of the squares of what comes out."""
    n = sg.dim("n")
    parts = [part for _ in range(count) for part in (nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())]
    output = nn.Sequential(*parts)(sg.input("x", (n, 4, 8, 8)))
    return sg.Model("convolutions", loss=sg.mean(output * output))


def transformer(blocks: int) -> sg.Model:
    """Causal pre-norm blocks over an embedding, with a cross-entropy; any batch and length."""
    n, t, width = sg.dim("n"), sg.dim("t"), 128
    tokens, y = (sg.input(name, (n, t), dtype="int") for name in ("tokens", "y"))
    layer = nn.TransformerEncoderLayer(
        width, 4, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
    )
    network = nn.TransformerEncoder(layer, blocks, nn.LayerNorm(width))
    mask = nn.Transformer.generate_square_subsequent_mask(t)
    table_of, head = nn.Embedding(64, width), nn.Linear(width, 64)
    table_of.name, head.name = "table", "head"
    scores = head(network(table_of(tokens), mask, is_causal=True))
    loss = nn.functional.cross_entropy(sg.transpose(scores, (0, 2, 1)), y)
    return sg.Model("transformer", loss=loss)


def lstms(layers: int) -> sg.Model:
    """LSTM layers over sequences of any length."""
    n, t = sg.dim("n"), sg.dim("t")
    output, _ = nn.LSTM(8, 8, num_layers=layers)(sg.input("x", (t, n, 8)))
    return sg.Model("lstms", loss=sg.mean(output * output))


CASES: dict[str, tuple[Callable[[int], sg.Model], tuple[int, ...]]] = {
    "dense tanh net": (dense, (10, 100, 1_000, 5_000)),
    "sum, one by one": (chain, (100, 1_000, 10_000)),
    "sum, balanced": (balanced, (100, 1_000, 10_000)),
    "h = tanh(a h) + x": (nested, (100, 1_000, 10_000)),
    "convolutions": (convolutions, (10, 50, 200)),
    "transformer blocks": (transformer, (3, 12, 50, 100)),
    "LSTM layers": (lstms, (2, 10, 50)),
}
QUICK = 1_000  # the largest case of a quick run
EXPLANATION = f"""\
From the definition to a module that is loaded and can be called, with the gradients of all
parameters: dense nets of width {WIDTH}, sums of terms sin(k a x) (three elementwise operations
each), a composition, and stacks of convolutions, causal transformer blocks and LSTM layers; seconds of CPU time on one core. `derive` stabilises, differentiates and
folds constants; `simplify` is every other pass; `lower` makes and schedules the program and names
its values; `write` makes the text; `load` is Python's own compiler. A part is a layer or a term.
Lines of the small cases hold what every module has: its tables, checks and self-test. Memory is how
much the process has grown at its largest, with the interned expressions and every stage.
"""


@dataclass(frozen=True)
class Growth:
    """CPU seconds of each stage, lines of the module, bytes of the process at its largest."""

    define: float
    derive: float
    simplify: float
    lower: float
    write: float
    load: float
    lines: int
    bytes_held: int

    @property
    def total(self) -> float:
        return self.define + self.derive + self.simplify + self.lower + self.write + self.load


def measured(build: Callable[[int], sg.Model], size: int) -> Growth:
    """Compiles one model, with value_and_grad, up to a module that can be called."""
    clock = time.process_time
    before = _held()
    marks = [clock()]
    model = build(size)
    marks.append(clock())
    passes: list[tuple[str, float]] = []

    def observe(name: str, _: Form) -> None:
        passes.append((name, clock()))

    derived = derive(model, ["value_and_grad"], observer=observe)
    # the first pass of the second pipeline sees what differentiation made
    marks.append(passes[-len(AFTER_DERIVATION)][1])
    marks.append(clock())
    compiled = assembled(model, derived)
    marks.append(clock())
    source = compiled.source
    marks.append(clock())
    module = compiled.load()
    marks.append(clock())
    assert callable(module.value_and_grad)
    spent = [after - start for start, after in pairwise(marks)]
    return Growth(*spent, source.count("\n"), _held() - before)


def _held() -> int:
    """The most memory that this process has held; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def in_own_process(name: str, size: int) -> Growth:
    command = [sys.executable, "-m", "benchmarks.growth", name, str(size)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Growth(**json.loads(answer))


def report(quick: bool) -> str:
    """The section of the page: for each kind of model a table with a row for each size."""
    rows = []
    for name, (_, sizes) in CASES.items():
        for size in sizes:
            if quick and size > QUICK:
                continue
            growth = in_own_process(name, size)
            stages = [growth.define, growth.derive, growth.simplify, growth.lower, growth.write]
            rows.append(
                [name, f"{size:,}", *(f"{s:.2f}" for s in (*stages, growth.load, growth.total)),
                 f"{growth.total / size * 1e3:.2f}", f"{growth.lines / size:.1f}",
                 f"{growth.bytes_held / size / 1e3:.0f}"]
            )  # fmt: skip
    head = [
        "model", "size", "define", "derive", "simplify", "lower", "write", "load", "total",
        "ms / part", "lines / part", "kB / part",
    ]  # fmt: skip
    return f"## Growth\n\n{EXPLANATION}\n{table(head, rows)}"


if __name__ == "__main__":
    case, count = sys.argv[1:]
    builder, _ = CASES[case]
    measured(builder, WARM_UP)
    print(json.dumps(asdict(measured(builder, int(count)))))
