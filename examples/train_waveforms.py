"""Names the shapes of made waves that begin anywhere, and are of any pitch, loud or soft, noisy.

python -m examples.train_waveforms
"""

from __future__ import annotations

import time

import numpy as np

from examples.adam import Adam
from examples.training import accuracy
from generated import waveforms as net

SHAPES = ("sine", "square", "triangle", "sawtooth", "noise")
SAMPLES = 128
STEPS, BATCH, RATE = 600, 64, 3e-3


def made_waves(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Waves [count, 1, SAMPLES] in float32, and the indices of their shapes.

    They have from 2 to 8 periods, a size from 0.3 to 3, and noise of 5% to 20% of it.
    """
    shape = rng.integers(len(SHAPES), size=count)
    periods, phase = rng.uniform(2, 8, (count, 1)), rng.uniform(0, 1, (count, 1))
    turn = (periods * np.arange(SAMPLES) / SAMPLES + phase) % 1
    waves = np.stack(
        [
            np.sqrt(2) * np.sin(2 * np.pi * turn),
            np.where(turn < 0.5, 1.0, -1.0),
            np.sqrt(3) * (4 * np.abs(turn - 0.5) - 1),
            np.sqrt(3) * (2 * turn - 1),
            rng.standard_normal((count, SAMPLES)),
        ]
    )  # each of variance 1
    clean = waves[shape, np.arange(count)]
    noise = rng.uniform(0.05, 0.2, (count, 1)) * rng.standard_normal((count, SAMPLES))
    amplitude = np.exp(rng.uniform(np.log(0.3), np.log(3), (count, 1)))
    return (amplitude * (clean + noise))[:, None].astype(np.float32), shape


def confusion(named: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """How many waves of each shape (rows) were named as each (columns)."""
    table = np.zeros((len(SHAPES), len(SHAPES)), int)
    np.add.at(table, (shape, named), 1)
    return table


def main() -> float:
    start = time.perf_counter()
    params = net.init_params(seed=0, dtype=np.float32)
    rng = np.random.default_rng(0)
    waves, shape = made_waves(1000, np.random.default_rng(1))
    print(f"{net.ravel(params).size} weights; each of {STEPS} steps sees {BATCH} new waves")
    optimiser = Adam(params)
    for step in range(1, STEPS + 1):
        wave_batch, shape_batch = made_waves(BATCH, rng)
        optimiser.rate = RATE * (1 - (step - 1) / STEPS)
        loss, grads = net.value_and_grad(params, wave=wave_batch, shape=shape_batch)
        optimiser.step(grads)
        if step in (1, 100, 200, STEPS):
            probabilities = net.forward(params, wave=waves)
            reached = accuracy(probabilities, shape)
            print(f"step {step:4d}   loss {loss:.4f}   test accuracy {reached:.1%}")
    print(" " * 10 + "".join(f"{name:>10}" for name in SHAPES))
    for name, row in zip(SHAPES, confusion(probabilities.argmax(axis=1), shape), strict=True):
        print(f"{name:<10}" + "".join(f"{count:10d}" for count in row))
    print(f"{reached:.1%} of {len(shape)} new waves named in {time.perf_counter() - start:.1f} s")
    return reached


if __name__ == "__main__":
    main()
