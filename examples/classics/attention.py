"""Scaled dot-product attention: softmax(Q K^T / sqrt(d)) V.

A. Vaswani et al., "Attention Is All You Need" (2017), equation 1.
"""

import symgrad as sg

n, m, d = sg.dim("n"), sg.dim("m"), 64
Q = sg.parameter("Q", (n, d))
K = sg.parameter("K", (m, d))
V = sg.parameter("V", (m, d))
Y = sg.input("Y", (n, d))

S = Q @ K.T / d**0.5
A = sg.softmax(S, axis=1)
O = A @ V  # noqa: E741
E = O - Y
loss = sg.sum(E**2) / 2

model = sg.Model("attention", loss=loss, outputs={"O": O})
