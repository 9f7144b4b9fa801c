"""Names the shape of a wave, from its samples alone, by a 1-D convolutional net."""

import symgrad as sg
from symgrad import nn

SHAPES = 5  # sine, square, triangle, sawtooth, noise

n = sg.dim("n")  # a symbolic batch size
wave = sg.input("wave", (n, 1, 128))
shape = sg.input("shape", (n,), dtype="int")  # class indices

net = nn.Sequential(
    nn.InstanceNorm1d(1),  # however loud the wave is
    nn.Conv1d(1, 16, kernel_size=7, stride=2, padding=3),
    nn.ReLU(),
    nn.Conv1d(16, 32, kernel_size=7, stride=2, padding=3),
    nn.ReLU(),
    nn.Conv1d(32, 32, kernel_size=7, stride=2, padding=3),
    nn.ReLU(),
    nn.Conv1d(32, 32, kernel_size=7, stride=2, padding=3),
    nn.ReLU(),
    nn.AdaptiveAvgPool1d(1),  # wherever it begins
    nn.Flatten(),
    nn.Linear(32, SHAPES),
)
logits = net(wave)

model = sg.Model(
    "waveforms",
    loss=nn.functional.cross_entropy(logits, shape),
    outputs={"probabilities": sg.softmax(logits, axis=-1)},
)
