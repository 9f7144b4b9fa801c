"""An activation of one's own: a SymPy formula is all that is said, its slope is derived.

P. Ramachandran et al., "Searching for Activation Functions" (2017): x sigmoid(beta x).
"""

import sympy

import symgrad as sg

n, d, m = sg.dim("n"), sg.dim("d"), sg.dim("m")
X = sg.input("X", (n, d))
Y = sg.input("Y", (n, m))
W = sg.parameter("W", (d, m))
beta = sg.parameter("beta", ())

z, b = sympy.symbols("z b")
swish = sg.elementwise(sympy.Lambda((z, b), z / (1 + sympy.exp(-b * z))))

Z = X @ W
A = swish(Z, beta)
E = A - Y
loss = sg.sum(E**2) / (2 * n)

model = sg.Model("custom_activation", loss=loss, outputs={"A": A})
