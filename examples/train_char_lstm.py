"""Trains the recurrent language model on the help texts that ship with Python, and lets it write.

python -m examples.train_char_lstm
"""

from __future__ import annotations

import numpy as np

from examples.learning_to_write import learn_to_write
from examples.text import decoded, encoded, extracts
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


def batch(train: np.ndarray, rng: np.random.Generator) -> Arrays:
    """Extracts side by side, read from the state that has read nothing."""
    pieces = extracts(train, BATCH, LENGTH + 1, rng).T
    return {"text": pieces[:-1], "following": pieces[1:], **first_state(BATCH)}


def main() -> tuple[float, float]:
    return learn_to_write(
        net, STEPS, batch, lambda step: RATE * (1 - (step - 1) / STEPS), bits_per_character, written
    )


if __name__ == "__main__":
    main()
