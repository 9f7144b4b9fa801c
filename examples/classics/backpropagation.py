"""Nielsen's equations BP1 to BP4: a deep network of sigmoids with the quadratic cost.

M. Nielsen, "Neural Networks and Deep Learning" (2015), chapter 2.
"""

import symgrad as sg

x = sg.input("x", (784,))
y = sg.input("y", (10,))
W2, b2 = sg.parameter("W2", (30, 784)), sg.parameter("b2", (30,))
W3, b3 = sg.parameter("W3", (20, 30)), sg.parameter("b3", (20,))
W4, b4 = sg.parameter("W4", (10, 20)), sg.parameter("b4", (10,))

z2 = W2 @ x + b2
a2 = sg.sigmoid(z2)
z3 = W3 @ a2 + b3
a3 = sg.sigmoid(z3)
z4 = W4 @ a3 + b4
a4 = sg.sigmoid(z4)
r = a4 - y
C = sg.sum(r**2) / 2

model = sg.Model("backpropagation", loss=C, outputs={"a4": a4})
