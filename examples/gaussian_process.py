"""Gaussian-process regression: the log marginal likelihood, and predictions with their deviation.

Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, algorithm 2.1: one
Cholesky factor of the kernel serves the solution, the log-determinant and the predictions.
"""

import math

import symgrad as sg

n, m = sg.dim("n"), sg.dim("m")
x = sg.input("x", (n, 10))
y = sg.input("y", (n,))
x_new = sg.input("x_new", (m, 10))

log_scale = sg.parameter("log_scale", (), init=sg.zeros)
log_length = sg.parameter("log_length", (), init=sg.zeros)
log_noise = sg.parameter("log_noise", (), init=sg.zeros)


def kernel(a, b):
    """exp(2 log_scale - |a_i - b_j|^2 / (2 length^2)) for all pairs of rows."""
    squares = sg.sum(a**2, axis=1)[:, None] + sg.sum(b**2, axis=1) - 2 * (a @ b.T)
    return sg.exp(2 * log_scale - squares / (2 * sg.exp(2 * log_length)))


K = (kernel(x, x) + sg.exp(2 * log_noise) * sg.eye(n)).named("K")
L = sg.linalg.cholesky(K).named("L")
whitened = sg.linalg.solve_triangular(L, y, lower=True).named("whitened")  # L^-1 y
alpha = sg.linalg.solve_triangular(L, whitened, trans=1, lower=True).named("alpha")  # K^-1 y

fit = sg.sum(whitened**2) / 2
log_det = sg.sum(sg.log(sg.diag(L)))  # half of log det K

K_new = kernel(x_new, x).named("K_new")
explained = sg.linalg.solve_triangular(L, K_new.T, lower=True).named("explained")
variance = sg.exp(2 * log_scale) + sg.exp(2 * log_noise) - sg.sum(explained**2, axis=0)

model = sg.Model(
    "gaussian_process",
    loss=fit + log_det + n * math.log(2 * math.pi) / 2,
    outputs={"mean": K_new @ alpha, "deviation": sg.sqrt(variance)},
)
