"""Backpropagation through time: a tanh network that reads a sequence.

P. Werbos, "Backpropagation through time: what it does and how to do it" (1990).
"""

import symgrad as sg

T, d, m = sg.dim("T"), sg.dim("d"), sg.dim("m")
x = sg.input("x", (T, d))
y = sg.input("y", (m,))
W_xh = sg.parameter("W_xh", (m, d))
W_hh = sg.parameter("W_hh", (m, m))
b = sg.parameter("b", (m,))
h_0 = sg.input("h_0", (m,))


def step(h, x_t):
    a = W_xh @ x_t + W_hh @ h + b
    h = sg.tanh(a)
    return h, None


h_T, _ = sg.scan(step, h_0, x)
loss = sg.sum((h_T - y) ** 2) / 2

model = sg.Model("recurrent", loss=loss, outputs={"h_T": h_T})
