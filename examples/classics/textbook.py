"""The 2-2-2 network of M. Mazur, "A Step by Step Backpropagation Example" (2015).

The numbers of the original are in textbook.npz.
"""

import symgrad as sg

x = sg.input("x", (2,))
t = sg.input("t", (2,))
W1, b1 = sg.parameter("W1", (2, 2)), sg.input("b1", ())
W2, b2 = sg.parameter("W2", (2, 2)), sg.input("b2", ())

net_h = W1 @ x + b1
h = sg.sigmoid(net_h)
net_o = W2 @ h + b2
o = sg.sigmoid(net_o)
r = t - o
E_total = sg.sum(r**2) / 2

model = sg.Model("textbook", loss=E_total, outputs={"o": o})
