"""Gaussian-process regression on the diabetes data, its hyperparameters found by the likelihood.

python -m examples.train_gaussian_process
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import symgrad as sg
from examples.training import standardise


def main() -> dict[str, float]:
    net = sg.compile(sg.load_model(Path(__file__).with_name("gaussian_process.py"))).load()
    data = load_diabetes()
    x, x_test, y, y_test = train_test_split(data.data, data.target, test_size=0.25, random_state=0)
    x, x_test = standardise(x, x_test)
    y, y_test = standardise(y, y_test)

    def value_and_gradient(vector: np.ndarray) -> tuple[float, np.ndarray]:
        loss, grads = net.value_and_grad(net.unravel(vector), x=x, y=y)
        return float(loss), net.ravel(grads)

    start = net.ravel(net.init_params())
    before = value_and_gradient(start)[0]
    found = minimize(value_and_gradient, start, jac=True, method="L-BFGS-B")
    params = net.unravel(found.x)
    print(f"negative log likelihood of {len(y)} patients {before:.1f} -> {found.fun:.1f}")
    print(f"in {found.nit} steps of L-BFGS, largest slope {np.abs(found.jac).max():.1e}")
    for name, value in params.items():
        print(f"{name.removeprefix('log_'):>8} {np.exp(value):.3f}")

    predicted = net.forward(params, x=x, y=y, x_new=x_test)
    error = y_test - predicted["mean"]
    reached = {
        "before": before,
        "after": float(found.fun),
        "noise": float(np.exp(params["log_noise"])),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "constant": float(np.sqrt(np.mean(y_test**2))),
        "covered": float(np.mean(np.abs(error) < 1.96 * predicted["deviation"])),
    }
    print(
        f"test RMSE {reached['rmse']:.3f}, of the constant predictor {reached['constant']:.3f}; "
        f"{reached['covered']:.0%} of the test set within the predicted 95% interval"
    )
    return reached


if __name__ == "__main__":
    main()
