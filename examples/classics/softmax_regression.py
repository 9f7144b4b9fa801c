"""Softmax regression with one-hot rows Y: the error P - Y of several classes."""

import symgrad as sg

n, d, k = sg.dim("n"), sg.dim("d"), sg.dim("k")
X = sg.input("X", (n, d))
Y = sg.input("Y", (n, k), sums_to_one=1)
W = sg.parameter("W", (d, k))

Z = X @ W
P = sg.softmax(Z, axis=1)
loss = -sg.sum(Y * sg.log(P)) / n

model = sg.Model("softmax_regression", loss=loss, outputs={"P": P})
