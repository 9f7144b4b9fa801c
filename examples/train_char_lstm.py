"""Trains the recurrent language model on the help texts that ship with Python, and lets it write.

python -m examples.train_char_lstm
"""

from __future__ import annotations

import time

import numpy as np

from examples.adam import Adam, clip
from examples.text import decoded, encoded, extracts, help_texts, unigram_entropy
from examples.training import Arrays
from generated import char_lstm as net

STEPS, BATCH, LENGTH, RATE = 2000, 32, 64, 4e-3
TEMPERATURE = 0.7


def first_state(count: int) -> dict[str, np.ndarray]:
    """Zeros, as if nothing had been read."""
    _, _, hidden = net.INPUTS["h_0"][0]
    zeros = np.zeros((1, count, hidden), np.float32)
    return {"h_0": zeros, "c_0": zeros}


def bits_per_character(params: Arrays, codes: np.ndarray) -> float:
    """Of a text read from its first character to its last."""
    text, following = codes[:-1, None], codes[1:, None]
    log_p = net.forward(params, text=text, **first_state(1))["log_p"]
    return float(-np.take_along_axis(log_p[:, 0], following, axis=1).mean() / np.log(2))


def written(params: Arrays, start: str, count: int, rng: np.random.Generator) -> str:
    """`start`, and what follows it, each character drawn from the model's p^(1 / TEMPERATURE)."""
    codes = list(encoded(start))
    text, state = np.array(codes)[:, None], first_state(1)
    for _ in range(count):
        read = net.forward(params, text=text, **state)
        state = {"h_0": read["h_n"], "c_0": read["c_n"]}
        p = np.exp(read["log_p"][-1, 0].astype(float) / TEMPERATURE)
        codes.append(rng.choice(len(p), p=p / p.sum()))
        text = np.array([[codes[-1]]])
    return decoded(codes)


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
        pieces = extracts(train, BATCH, LENGTH + 1, rng).T
        loss, grads = net.value_and_grad(
            params, text=pieces[:-1], following=pieces[1:], **first_state(BATCH)
        )
        clip(grads, 1.0)
        optimiser.rate = RATE * (1 - (step - 1) / STEPS)
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
