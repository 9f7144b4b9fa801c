"""House prices from size and bedrooms: a linear model and one with a hidden layer.

    python -m examples.train_house_prices

The table is made, not observed: prices follow a curve in the size plus noise, so that a hidden
layer has something to find that a line has not.
"""

from __future__ import annotations

import numpy as np

from examples.training import descend, standardise
from generated import house_prices_hidden, house_prices_linear


def made_houses(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Made data: (square metres, bedrooms) and prices in thousands."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(40, 220, count)
    bedrooms = np.clip(np.round(size / 35 + rng.normal(0, 0.7, count)), 1, 6)
    price = 60 + 1.6 * size + 12 * bedrooms + 0.012 * (size - 110) ** 2 + rng.normal(0, 12, count)
    return np.stack([size, bedrooms], axis=1), price[:, None]


def main() -> dict[str, float]:
    (houses, price), (test_houses, test_price) = made_houses(200, 0), made_houses(100, 1)
    houses, test_houses = standardise(houses, test_houses)
    mean, deviation = price.mean(), price.std()
    target = (price - mean) / deviation
    print("made data: 200 houses to train on, 100 to test; prices in thousands")
    reached = {}
    for net, rate, steps in ((house_prices_linear, 0.1, 300), (house_prices_hidden, 0.1, 3000)):
        params = net.init_params(seed=0)
        for _ in range(steps):
            loss, grads = net.value_and_grad(params, houses=houses, price=target)
            descend(params, grads, rate)
        predicted = net.forward(params, houses=test_houses) * deviation + mean
        error = float(np.sqrt(np.mean((predicted - test_price) ** 2)))
        name = net.__name__.rpartition(".")[2]
        reached[name] = error
        print(f"{name:<22} {steps} steps   training loss {loss:.4f}   test error {error:.1f}")
    return reached


if __name__ == "__main__":
    main()
