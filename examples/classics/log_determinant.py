"""The gradient of the log-determinant: maximum likelihood of a precision matrix.

S. Boyd and L. Vandenberghe, "Convex Optimization" (2004), section A.4.1.
"""

import symgrad as sg

d = sg.dim("d")
A = sg.parameter("A", (d, d))
S = sg.input("S", (d, d))  # the covariance of the data

loss = sg.trace(S @ A) - sg.linalg.slogdet(A)[1]

model = sg.Model("log_determinant", loss=loss)
