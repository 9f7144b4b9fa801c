"""A recurrent language model: the probabilities of each next character of a text."""

import symgrad as sg
from symgrad import nn

SYMBOLS = 96  # examples/text.py: ALPHABET
WIDTH, HIDDEN = 32, 128

length, n = sg.dim("length"), sg.dim("n")  # characters of a text, texts side by side
text = sg.input("text", (length, n), dtype="int")
following = sg.input("following", (length, n), dtype="int")  # the text, one character on
h_0, c_0 = sg.input("h_0", (1, n, HIDDEN)), sg.input("c_0", (1, n, HIDDEN))


class CharLSTM(nn.Module):
    def __init__(self):
        self.embedding = nn.Embedding(SYMBOLS, WIDTH)
        self.lstm = nn.LSTM(WIDTH, HIDDEN)
        self.decoder = nn.Linear(HIDDEN, SYMBOLS)

    def forward(self, text, state):
        outputs, state = self.lstm(self.embedding(text), state)
        return self.decoder(outputs), state


logits, (h_n, c_n) = CharLSTM()(text, (h_0, c_0))
flat = sg.reshape(logits, (length * n, SYMBOLS)), sg.reshape(following, (length * n,))

model = sg.Model(
    "char_lstm",
    loss=nn.functional.cross_entropy(*flat),
    outputs={"log_p": sg.log_softmax(logits, axis=-1), "h_n": h_n, "c_n": c_n},
)
