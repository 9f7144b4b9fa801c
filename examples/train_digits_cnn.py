"""Trains the convolutional net on the bundled digits.

python -m examples.train_digits_cnn
"""

from __future__ import annotations

import time

import numpy as np

from examples.adam import Adam
from examples.digits_data import digits
from examples.training import accuracy, minibatches
from generated import digits_cnn as net

EPOCHS, BATCH, RATE = 12, 32, 3e-3


def main() -> float:
    start = time.perf_counter()
    x, x_test, y, y_test = digits()
    x, x_test = x.reshape(-1, 1, 8, 8), x_test.reshape(-1, 1, 8, 8)
    params = net.init_params(seed=0, dtype=np.float32)
    state = net.init_state(dtype=np.float32)
    print(f"{len(x)} images to train on, {len(x_test)} to test; {net.ravel(params).size} weights")
    optimiser = Adam(params)
    rng = np.random.default_rng(0)
    for epoch in range(1, EPOCHS + 1):
        optimiser.rate = RATE * (1 - (epoch - 1) / EPOCHS)
        losses = []
        for rows in minibatches(len(x), BATCH, rng):
            loss, grads, state = net.value_and_grad(params, state, x=x[rows], y=y[rows], rng=rng)
            optimiser.step(grads)
            losses.append(loss)
        if epoch in (1, 2, 4, 8, EPOCHS):
            reached = accuracy(net.forward(params, state, x=x_test), y_test)
            print(f"epoch {epoch:3d}   loss {np.mean(losses):.4f}   test accuracy {reached:.2%}")
    print(f"test accuracy {reached:.2%} in {time.perf_counter() - start:.1f} s")
    return reached


if __name__ == "__main__":
    main()
