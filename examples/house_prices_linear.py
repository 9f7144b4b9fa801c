"""House prices as a linear function of size and bedrooms, fitted by least squares."""

import symgrad as sg
from symgrad import nn

n = sg.dim("n")
houses = sg.input("houses", (n, 2))  # size and bedrooms, standardised
price = sg.input("price", (n, 1))

predicted = nn.Linear(2, 1)(houses)

model = sg.Model(
    "house_prices_linear",
    loss=nn.functional.mse_loss(predicted, price),
    outputs={"predicted": predicted},
)
