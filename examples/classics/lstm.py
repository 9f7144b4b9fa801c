"""Long short-term memory that reads a sequence [Hochreiter and Schmidhuber 1997, Gers et al. 2000].

The forget gate f keeps what the cell c holds; through c, derivatives pass from step to step
multiplied by f alone.
"""

import symgrad as sg

T, d, m = sg.dim("T"), sg.dim("d"), sg.dim("m")
x = sg.input("x", (T, d))
y = sg.input("y", (m,))
W_i, W_f = sg.parameter("W_i", (m, d)), sg.parameter("W_f", (m, d))
W_g, W_o = sg.parameter("W_g", (m, d)), sg.parameter("W_o", (m, d))
U_i, U_f = sg.parameter("U_i", (m, m)), sg.parameter("U_f", (m, m))
U_g, U_o = sg.parameter("U_g", (m, m)), sg.parameter("U_o", (m, m))
h_0, c_0 = sg.input("h_0", (m,)), sg.input("c_0", (m,))


def step(state, x):
    h, c = state["h"], state["c"]
    i = sg.sigmoid(W_i @ x + U_i @ h)
    f = sg.sigmoid(W_f @ x + U_f @ h)
    g = sg.tanh(W_g @ x + U_g @ h)
    o = sg.sigmoid(W_o @ x + U_o @ h)
    c = f * c + i * g
    h = o * sg.tanh(c)
    return {"h": h, "c": c}, None


last, _ = sg.scan(step, {"h": h_0, "c": c_0}, x)
h_T = last["h"]
loss = sg.sum((h_T - y) ** 2) / 2

model = sg.Model("lstm", loss=loss, outputs={"h_T": h_T})
