"""Policy gradient: the probabilities of two actions in a state, and the loss of REINFORCE.

The gradient of the loss is that of the expected return, turned around, where each advantage is
the return that followed the action less a baseline.  Source: Williams 1992.
"""

import symgrad as sg
from symgrad import nn

n = sg.dim("n")  # the steps of all episodes, one after another
states = sg.input("states", (n, 4))
actions = sg.input("actions", (n,), dtype="int")
advantages = sg.input("advantages", (n,))

policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2))
logits = policy(states)
log_pi = sg.log_softmax(logits, axis=-1)
log_pi_taken = sg.take_along_axis(log_pi, actions[:, None], axis=1)[:, 0]

model = sg.Model(
    "reinforce",
    loss=-sg.sum(advantages * log_pi_taken),
    outputs={"pi": sg.softmax(logits, axis=-1)},
)
