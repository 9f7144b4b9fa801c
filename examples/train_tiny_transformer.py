"""Trains the small transformer on the help texts that ship with Python, and lets it write.

python -m examples.train_tiny_transformer
"""

from __future__ import annotations

import numpy as np

from examples.learning_to_write import learn_to_write
from examples.text import decoded, encoded, extracts
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


def batch(train: np.ndarray, rng: np.random.Generator) -> Arrays:
    """Extracts, one in each row."""
    pieces = extracts(train, BATCH, CONTEXT + 1, rng)
    return {"text": pieces[:, :-1], "following": pieces[:, 1:]}


def rate(step: int) -> float:
    """Rises for a while, then falls to 0."""
    return RATE * min(step / WARM_UP, 1 - (step - 1) / STEPS)


def main() -> tuple[float, float]:
    return learn_to_write(net, STEPS, batch, rate, bits_per_character, written)


if __name__ == "__main__":
    main()
