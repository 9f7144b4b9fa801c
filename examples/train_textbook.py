"""One step of the 2-2-2 textbook example, with its numbers, and then ten thousand.

python -m examples.train_textbook
"""

from __future__ import annotations

import numpy as np

from examples.training import descend
from generated import textbook_2_2_2 as net

INPUTS, TARGETS = np.array([0.05, 0.10]), np.array([0.01, 0.99])
RATE = 0.5


def start() -> dict[str, np.ndarray]:
    """The weights of the original: w1..w4 and w5..w8."""
    return {
        "W1": np.array([[0.15, 0.20], [0.25, 0.30]]),
        "W2": np.array([[0.40, 0.45], [0.50, 0.55]]),
    }


def main() -> float:
    params = start()
    outputs = net.forward(params, inputs=INPUTS)
    error, grads = net.value_and_grad(params, inputs=INPUTS, targets=TARGETS)
    print(f"out_h1 {outputs['hidden'][0]:.9f}   out_o1 {outputs['output'][0]:.8f}   E {error:.9f}")
    descend(params, grads, RATE)
    print(f"after one step: w5 {params['W2'][0, 0]:.8f}   w1 {params['W1'][0, 0]:.9f}")
    for _ in range(9999):
        error, grads = net.value_and_grad(params, inputs=INPUTS, targets=TARGETS)
        descend(params, grads, RATE)
    error = net.loss(params, inputs=INPUTS, targets=TARGETS)
    print(f"after 10000 steps: E {error:.10f}")
    return float(error)


if __name__ == "__main__":
    main()
