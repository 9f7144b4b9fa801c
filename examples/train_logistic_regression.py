"""Logistic regression on the breast-cancer data by Newton's method, with the emitted Hessian.

python -m examples.train_logistic_regression
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from examples.training import standardise
from generated import logistic_regression as net

PENALTY = 1e-3


def main() -> int:
    data = load_breast_cancer()
    x, x_test, y, y_test = train_test_split(
        data.data, data.target.astype(float), test_size=0.25, random_state=0, stratify=data.target
    )
    x, x_test = standardise(x, x_test)

    def value_and_gradient(vector: np.ndarray) -> tuple[float, np.ndarray]:
        loss, grads = net.value_and_grad(net.unravel(vector), x=x, y=y, penalty=PENALTY)
        return float(loss), net.ravel(grads)

    def hessian(vector: np.ndarray) -> np.ndarray:
        return net.ravel_hessian(net.hessian(net.unravel(vector), x=x, penalty=PENALTY))

    vector = net.ravel(net.init_params())
    iterations = 0
    while True:
        loss, gradient = value_and_gradient(vector)
        size = float(np.abs(gradient).max())
        print(f"Newton step {iterations}   loss {loss:.10f}   largest slope {size:.1e}")
        if size < 1e-8 or iterations == 20:
            break
        vector = vector - np.linalg.solve(hessian(vector), gradient)
        iterations += 1

    start = net.ravel(net.init_params())
    found = minimize(value_and_gradient, start, jac=True, hess=hessian, method="trust-exact")
    print(f"scipy.optimize trust-exact: loss {found.fun:.10f} in {found.nit} iterations")
    probabilities = net.forward(net.unravel(vector), x=x_test)
    accuracy = float(((probabilities > 0.5) == y_test).mean())
    print(f"test accuracy {accuracy:.2%} after {iterations} Newton steps")
    return iterations


if __name__ == "__main__":
    main()
