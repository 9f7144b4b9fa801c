"""Adversarial examples: small changes of an image along the input's gradient fool the network.

    python -m examples.attack_digits

Each grey value moves by at most epsilon, in the direction that raises the loss: the fast gradient
sign method.  Source: Goodfellow, Shlens and Szegedy 2015.
"""

from __future__ import annotations

import numpy as np

from examples.digits_data import digits
from examples.training import accuracy, train
from generated import digits_mlp as net

EPSILONS = (0.0, 0.02, 0.05, 0.1, 0.2)
SHADES = " .:-=+*#%@"


def attacked(
    params: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, epsilon: float
) -> np.ndarray:
    """The images, each grey value moved by epsilon to where the loss is higher, cut to [0, 1]."""
    slopes = net.input_grad(params, x=x, y=y)["x"]
    return np.clip(x + np.float32(epsilon) * np.sign(slopes), 0, 1)


def shown(*images: np.ndarray) -> str:
    """8x8 images side by side, a shade for each grey value, two letters wide."""
    rows = []
    for row in zip(*(image.reshape(8, 8) for image in images), strict=True):
        rows.append(
            "   |   ".join("".join(SHADES[int(9.99 * grey)] * 2 for grey in part) for part in row)
        )
    return "\n".join(rows)


def main() -> dict[float, tuple[float, float]]:
    """For each epsilon the accuracy under the attack, and under random signs."""
    x, x_test, y, y_test = digits()
    params = train(net, x, y)
    reached = {}
    for epsilon in EPSILONS:
        moved = attacked(params, x_test, y_test, epsilon)
        noise = np.random.default_rng(0).choice([-epsilon, epsilon], x_test.shape)
        at_random = np.clip(x_test + noise, 0, 1).astype(np.float32)
        under_attack, under_noise = (
            accuracy(net.forward(params, x=images), y_test) for images in (moved, at_random)
        )
        print(
            f"epsilon {epsilon:.2f}   accuracy {under_attack:.2%}   "
            f"with random signs {under_noise:.2%}"
        )
        reached[epsilon] = under_attack, under_noise

    moved = attacked(params, x_test, y_test, 0.1)
    before, after = (net.forward(params, x=images) for images in (x_test, moved))
    fooled = (before.argmax(axis=1) == y_test) & (after.argmax(axis=1) != y_test)
    row = int(np.argmax(np.where(fooled, before.max(axis=1) * after.max(axis=1), 0)))
    for name, p in (("clean", before), ("epsilon 0.10", after)):
        digit = p[row].argmax()
        print(f"{name}: read as {digit} with probability {p[row, digit]:.3f}")
    print(shown(x_test[row], moved[row]))
    return reached


if __name__ == "__main__":
    main()
