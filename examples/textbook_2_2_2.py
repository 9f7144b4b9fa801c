"""The 2-2-2 sigmoid network of M. Mazur, "A Step by Step Backpropagation Example" (2015).

The biases are numbers, as in the original, which does not train them.
"""

import symgrad as sg

inputs = sg.input("inputs", (2,))
targets = sg.input("targets", (2,))
W1 = sg.parameter("W1", (2, 2))  # rows: w1 w2, w3 w4
W2 = sg.parameter("W2", (2, 2))  # rows: w5 w6, w7 w8

hidden = sg.sigmoid(W1 @ inputs + 0.35)
output = sg.sigmoid(W2 @ hidden + 0.60)
error = sg.sum((targets - output) ** 2) / 2

model = sg.Model("textbook_2_2_2", loss=error, outputs={"hidden": hidden, "output": output})
