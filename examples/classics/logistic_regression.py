"""Logistic regression: the error p - y, and the Hessian of Newton's method."""

import symgrad as sg
from symgrad import nn

n, d = sg.dim("n"), sg.dim("d")
X = sg.input("X", (n, d))
y = sg.input("y", (n,))  # 0 or 1
w = sg.parameter("w", (d,))

z = X @ w
p = sg.sigmoid(z)
loss = nn.functional.binary_cross_entropy_with_logits(z, y)

model = sg.Model("logistic_regression", loss=loss, outputs={"p": p})
