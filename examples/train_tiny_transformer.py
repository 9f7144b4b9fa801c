"""Trains the small transformer on the help texts that ship with Python, and lets it write.

python -m examples.train_tiny_transformer
"""

from __future__ import annotations

import time

import numpy as np

from examples.adam import Adam, clip
from examples.text import decoded, encoded, extracts, help_texts, unigram_entropy
from examples.training import Arrays
from generated import tiny_transformer as net

STEPS, BATCH, RATE, WARM_UP = 1500, 32, 4e-3, 100
TEMPERATURE = 0.7
CONTEXT = net.INPUTS["text"][0][1]


def bits_per_character(params: Arrays, codes: np.ndarray) -> float:
    """Of a text read in pieces, each of which starts without knowing what came before."""
    count = (len(codes) - 1) // CONTEXT
    text = codes[: count * CONTEXT].reshape(count, CONTEXT)
    following = codes[1 : count * CONTEXT + 1].reshape(count, CONTEXT)
    return float(net.loss(params, text=text, following=following) / np.log(2))


def written(params: Arrays, start: str, count: int, rng: np.random.Generator) -> str:
    """`start`, and what follows it, each character drawn from the model's p^(1 / TEMPERATURE)."""
    codes = list(encoded(start))
    for _ in range(count):
        seen = codes[-CONTEXT:]
        text = np.array([seen + [0] * (CONTEXT - len(seen))])  # nobody looks at what comes later
        scores = net.forward(params, text=text)[0, len(seen) - 1].astype(float) / TEMPERATURE
        p = np.exp(scores - scores.max())
        codes.append(rng.choice(len(p), p=p / p.sum()))
    return decoded(np.array(codes))


def main() -> tuple[float, float]:
    start = time.perf_counter()
    train, held_out = help_texts()
    entropy = unigram_entropy(held_out)
    print(f"{len(train)} characters to train on, {len(held_out)} held out")
    print(f"unigram entropy of what is held out: {entropy:.2f} bits per character")
    params = net.init_params(seed=0, dtype=np.float32)
    optimiser = Adam(params)
    rng = np.random.default_rng(0)
    for step in range(1, STEPS + 1):
        pieces = extracts(train, BATCH, CONTEXT + 1, rng)
        loss, grads = net.value_and_grad(params, text=pieces[:, :-1], following=pieces[:, 1:])
        clip(grads, 1.0)
        optimiser.rate = RATE * min(step / WARM_UP, 1 - (step - 1) / STEPS)
        optimiser.step(grads)
        if step in (1, 100, 500, 1000, STEPS):
            bits = bits_per_character(params, held_out)
            print(f"step {step:5d}   loss {loss / np.log(2):.3f} bits   held out {bits:.3f} bits")
    print(
        f"held out {bits:.2f} bits per character, {bits / entropy:.0%} of the unigram entropy, "
        f"in {time.perf_counter() - start:.0f} s; it writes:"
    )
    print(written(params, "The ", 400, np.random.default_rng(0)))
    return bits, entropy


if __name__ == "__main__":
    main()
