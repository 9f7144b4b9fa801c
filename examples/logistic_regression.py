"""Logistic regression with an L2 penalty, and its Hessian for Newton's method."""

import symgrad as sg
from symgrad import nn

n = sg.dim("n")
x = sg.input("x", (n, 30))
y = sg.input("y", (n,))  # 0 or 1
penalty = sg.input("penalty", ())

weights = sg.parameter("weights", (30,), init=sg.zeros)
bias = sg.parameter("bias", (), init=sg.zeros)

logits = x @ weights + bias
fit = nn.functional.binary_cross_entropy_with_logits(logits, y)

model = sg.Model(
    "logistic_regression",
    loss=fit + penalty / 2 * sg.sum(weights**2),
    outputs={"probabilities": sg.sigmoid(logits)},
)
