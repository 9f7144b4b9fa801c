"""House prices from size and bedrooms through one hidden layer."""

import symgrad as sg
from symgrad import nn

n = sg.dim("n")
houses = sg.input("houses", (n, 2))  # size and bedrooms, standardised
price = sg.input("price", (n, 1))

hidden = sg.tanh(nn.Linear(2, 8, name="hidden")(houses))
predicted = nn.Linear(8, 1, name="output")(hidden)

model = sg.Model(
    "house_prices_hidden",
    loss=nn.functional.mse_loss(predicted, price),
    outputs={"predicted": predicted},
)
