"""Principal component analysis: the variance that a projection keeps, tr(V^T S V)."""

import symgrad as sg

d, k = sg.dim("d"), sg.dim("k")
S = sg.input("S", (d, d))  # the covariance of the data
V = sg.parameter("V", (d, k))

A = V.T @ S

model = sg.Model("principal_components", loss=-sg.trace(A @ V))
