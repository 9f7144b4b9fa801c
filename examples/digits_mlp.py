"""Handwritten digits: 8x8 grey values in, the probabilities of ten digits out."""

import symgrad as sg
from symgrad import nn

n = sg.dim("n")  # a symbolic batch size
x = sg.input("x", (n, 64))
y = sg.input("y", (n,), dtype="int")  # class indices

net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
logits = net(x)

model = sg.Model(
    "digits_mlp",
    loss=nn.functional.cross_entropy(logits, y),
    outputs={"probabilities": sg.softmax(logits, axis=-1)},
)
