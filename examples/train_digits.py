"""Compiles the digits network, checks it against finite differences, and trains it.

python -m examples.train_digits
"""

from __future__ import annotations

import time
from pathlib import Path

import symgrad as sg
from examples.digits_data import digits
from examples.training import Arrays, accuracy, train

EPOCHS = 40
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

    x, x_test, y, y_test = digits()
    print(f"{len(x)} images to train on, {len(x_test)} to test")

    def report(epoch: int, loss: float, params: Arrays) -> None:
        if epoch in (1, 2, 5, 10, 20, EPOCHS):
            reached = accuracy(net.forward(params, x=x_test), y_test)
            print(f"epoch {epoch:3d}   loss {loss:.4f}   test accuracy {reached:.2%}")

    params = train(net, x, y, EPOCHS, report=report)
    reached = accuracy(net.forward(params, x=x_test), y_test)
    print(f"test accuracy {reached:.2%} in {time.perf_counter() - start:.1f} s in all")
    if reached < TARGET:
        raise SystemExit(f"expected at least {TARGET:.0%}")
    return reached


if __name__ == "__main__":
    main()
