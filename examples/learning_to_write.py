"""What the character-level models share: the loop that trains one, and what it prints."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType

import numpy as np

from examples.adam import Adam, clip
from examples.text import help_texts, unigram_entropy
from examples.training import Arrays

SHOWN = (1, 100, 500, 1000)  # steps after which the bits of what is held out are printed

Batch = Callable[[np.ndarray, np.random.Generator], Arrays]
Bits = Callable[[Arrays, np.ndarray], float]
Written = Callable[[Arrays, str, int, np.random.Generator], str]


def learn_to_write(
    net: ModuleType,
    steps: int,
    batch: Batch,
    rate: Callable[[int], float],
    bits_per_character: Bits,
    written: Written,
) -> tuple[float, float]:
    """Trains with Adam; returns the bits per character of unseen text and its unigram entropy.

    `batch`: the inputs of one step. `rate`: the learning rate at a step, from 1 on.
    """
    start = time.perf_counter()
    train, held_out = help_texts()
    entropy = unigram_entropy(held_out)
    print(f"{len(train)} characters to train on, {len(held_out)} held out")
    print(f"unigram entropy of what is held out: {entropy:.2f} bits per character")
    params = net.init_params(seed=0, dtype=np.float32)
    optimiser = Adam(params)
    rng = np.random.default_rng(0)
    for step in range(1, steps + 1):
        loss, grads = net.value_and_grad(params, **batch(train, rng))
        clip(grads, 1.0)
        optimiser.rate = rate(step)
        optimiser.step(grads)
        if step in (*SHOWN, steps):
            bits = bits_per_character(params, held_out)
            print(f"step {step:5d}   loss {loss / np.log(2):.3f} bits   held out {bits:.3f} bits")
    print(
        f"held out {bits:.2f} bits per character, {bits / entropy:.0%} of the unigram entropy, "
        f"in {time.perf_counter() - start:.0f} s; it writes:"
    )
    print(written(params, "The ", 400, np.random.default_rng(0)))
    return bits, entropy
