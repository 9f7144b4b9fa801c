"""A small causal transformer over characters: at each place it predicts the next one."""

import symgrad as sg
from symgrad import nn

VOCABULARY, CONTEXT = 96, 64
WIDTH, HEADS, BLOCKS = 64, 4, 2


class Block(nn.Module):
    """Attention to what came before, then a network on each place; each added to its input."""

    def __init__(self):
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.widen = nn.Linear(WIDTH, 4 * WIDTH)
        self.narrow = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        y = self.norm1(x)
        past = nn.Transformer.generate_square_subsequent_mask(CONTEXT)
        seen, _ = self.attention(y, y, y, need_weights=False, attn_mask=past, is_causal=True)
        x = x + seen
        return x + self.narrow(nn.functional.gelu(self.widen(self.norm2(x))))


class Characters(nn.Module):
    """[n, CONTEXT] characters give [n, CONTEXT, VOCABULARY] scores of the next one."""

    def __init__(self):
        small = sg.init.normal(0, 0.02)
        self.characters = nn.Parameter((VOCABULARY, WIDTH), small)
        self.places = nn.Parameter((CONTEXT, WIDTH), small)
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, text):
        x = nn.functional.embedding(text, self.characters) + self.places
        return self.head(self.norm(self.blocks(x)))


n = sg.dim("n")
text = sg.input("text", (n, CONTEXT), dtype="int")
following = sg.input("following", (n, CONTEXT), dtype="int")
scores = Characters()(text)

model = sg.Model(
    "tiny_transformer",
    loss=nn.functional.cross_entropy(sg.transpose(scores, (0, 2, 1)), following),
    outputs={"scores": scores},
)
