"""Handwritten digits by a convolutional net: two blocks of convolution, norm, ReLU and pooling."""

import symgrad as sg
from symgrad import nn

n = sg.dim("n")  # a symbolic batch size
x = sg.input("x", (n, 1, 8, 8))
y = sg.input("y", (n,), dtype="int")  # class indices

net = nn.Sequential(
    nn.Conv2d(1, 32, kernel_size=3, padding=1, bias=False),
    nn.BatchNorm2d(32),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 64, kernel_size=3, padding=1, bias=False),
    nn.BatchNorm2d(64),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.4),
    nn.Linear(64 * 2 * 2, 10),
)
logits = net(x)  # the loss is that of training: batch statistics, dropout
scores = net.eval()(x)  # the outputs are those of use: stored statistics, nothing dropped

model = sg.Model(
    "digits_cnn",
    loss=nn.functional.cross_entropy(logits, y),
    outputs={"probabilities": sg.softmax(scores, axis=-1)},
)
