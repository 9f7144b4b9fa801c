"""Compiles the digits network, checks it against finite differences, and trains it.

python -m examples.train_digits
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import symgrad as sg
from examples.training import descend, minibatches

EPOCHS, BATCH, RATE = 40, 32, 0.3
TARGET = 0.96


def main() -> float:
    start = time.perf_counter()
    model = sg.load_model(Path(__file__).with_name("digits_mlp.py"))
    compiled = sg.compile(model)
    net = compiled.load()
    print(
        f"compiled {model.name} in {time.perf_counter() - start:.2f} s: "
        f"{len(compiled.source.splitlines())} lines of NumPy"
    )
    if not net.check():
        raise SystemExit("the gradients do not agree with finite differences")

    digits = load_digits()
    images = (digits.data / 16.0).astype(np.float32)
    x, x_test, y, y_test = train_test_split(
        images, digits.target, test_size=0.2, random_state=0, stratify=digits.target
    )
    print(f"{len(x)} images to train on, {len(x_test)} to test")
    params = net.init_params(seed=0, dtype=np.float32)
    rng = np.random.default_rng(0)
    for epoch in range(1, EPOCHS + 1):
        losses = []
        for rows in minibatches(len(x), BATCH, rng):
            loss, grads = net.value_and_grad(params, x=x[rows], y=y[rows])
            descend(params, grads, RATE)
            losses.append(loss)
        if epoch in (1, 2, 5, 10, 20, EPOCHS):
            print(
                f"epoch {epoch:3d}   loss {np.mean(losses):.4f}   test accuracy "
                f"{accuracy(net, params, x_test, y_test):.2%}"
            )
    reached = accuracy(net, params, x_test, y_test)
    print(f"test accuracy {reached:.2%} in {time.perf_counter() - start:.1f} s in all")
    if reached < TARGET:
        raise SystemExit(f"expected at least {TARGET:.0%}")
    return reached


def accuracy(net: object, params: dict, x: np.ndarray, y: np.ndarray) -> float:
    return float((net.forward(params, x=x).argmax(axis=1) == y).mean())  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
