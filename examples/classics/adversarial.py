"""The gradient with respect to the input: the direction of an attack.

I. Goodfellow et al., "Explaining and Harnessing Adversarial Examples" (2015).
"""

import symgrad as sg

d, m, k = sg.dim("d"), sg.dim("m"), sg.dim("k")
x = sg.input("x", (d,))
y = sg.input("y", (k,), sums_to_one=0)
W = sg.parameter("W", (m, d))
V = sg.parameter("V", (k, m))

z = W @ x
h = sg.relu(z)
s = V @ h
p = sg.softmax(s)
loss = -sg.sum(y * sg.log(p))

model = sg.Model("adversarial", loss=loss, outputs={"p": p})
