"""A small convolutional network for 8 by 8 images of ten digits, one derivation of all layers."""

import symgrad as sg
from symgrad import nn

n = sg.dim("n")
x = sg.input("x", (n, 1, 8, 8))
y = sg.input("y", (n,), dtype="int")

net = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(128, 10),
)
scores = net(x)

model = sg.Model("convolutional", loss=nn.functional.cross_entropy(scores, y))
