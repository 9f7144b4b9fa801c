"""Batch normalisation, and what its backward pass is after simplification.

S. Ioffe and C. Szegedy, "Batch Normalization" (2015).
"""

import symgrad as sg

n, d = sg.dim("n"), sg.dim("d")
X = sg.parameter("X", (n, d))
gamma = sg.parameter("gamma", (d,))
beta = sg.parameter("beta", (d,))
G = sg.input("G", (n, d))  # what arrives from above: the loss is linear in the output

mu = sg.mean(X, axis=0)
D = X - mu
v = sg.mean(D**2, axis=0) + 1e-5  # the variance, and a little more
X_hat = D / sg.sqrt(v)
Y = gamma * X_hat + beta

model = sg.Model("batch_norm", loss=sg.sum(G * Y), outputs={"Y": Y})
