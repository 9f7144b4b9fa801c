"""Linear regression: the gradient behind the normal equations."""

import symgrad as sg

n, d = sg.dim("n"), sg.dim("d")
X = sg.input("X", (n, d))
y = sg.input("y", (n,))
w = sg.parameter("w", (d,))

r = X @ w - y  # the residuals
loss = sg.mean(r**2) / 2

model = sg.Model("linear_regression", loss=loss)
