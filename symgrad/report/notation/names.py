"""Names of tensors and dimensions as symbols: what follows an underscore or a letter goes below.

W_hh -> W with hh below        x1 -> x with 1 below        alpha_t -> the letter, t below
x_hat -> x with a hat          mu_bar_2 -> the letter with a bar, 2 below
layers.0.weight -> W with layers, 0 below: the last word of a path says what it is, and a weight or
bias of a layer is written as in textbooks, W and b.
"""

from __future__ import annotations

import re

from symgrad.expr.step_index import LATER
from symgrad.report.notation import formula as m
from symgrad.report.notation.greek import GREEK_LETTERS

GREEK = frozenset(GREEK_LETTERS)
LETTERS_AND_NUMBER = re.compile(r"([^\W\d_]+)(\d+)\Z")
IN_TEXTBOOKS = {"weight": "W", "weights": "W", "bias": "b"}
IDLE = frozenset({"layer", "layers", "module", "modules", "net", "model"})
UPRIGHT = frozenset({"e", "i"})  # Euler's number and an index look like these


def symbol(name: str) -> m.Symbol:
    """`name` as a symbol. Words of several letters stay whole and are set upright."""
    is_path = "." in name.strip(".")
    path = [part for part in re.split(r"[._]+" if not is_path else r"\.+", name) if part]
    if not path:
        return m.Symbol(name, (), True)
    if is_path and len(path) > 1:
        return _of_path(path)
    return _base(path[0], tuple(path[1:]))


def _of_path(path: list[str]) -> m.Symbol:
    """The last word of a path is what it is; where it lies goes below."""
    *places, word = path
    told = [p for p in places if p not in IDLE or len(places) == 1]
    base, _, rest = word.partition("_")
    return _base(IN_TEXTBOOKS.get(base, base), (*filter(None, rest.split("_")), *(told or places)))


def _base(word: str, below: tuple[str, ...]) -> m.Symbol:
    split = LETTERS_AND_NUMBER.match(word)
    if split is not None:
        word, below = split[1], (split[2], *below)
    is_word = len(word) > 1 and word not in GREEK
    mark = below[0] if below and below[0] in m.MARKS and not is_word else ""
    return m.Symbol(word, below[1:] if mark else below, is_word or word in UPRIGHT, mark)


def is_letter(of: m.Symbol) -> bool:
    """Whether it is a letter, with or without something below: not a word."""
    return len(of.base) == 1 or of.base in GREEK


def derivative(name: str, loss: m.Math = m.LOSS) -> m.Math:
    """What a derived tensor is called: `d_h` the loss's derivative by h, `t_h` the change of h.

    Marks may follow one another: `t_d_h` is how the derivative by h changes. `d_h_later`, what
    arrives at h from the step after it, is a delta. `loss`: its symbol.
    """
    mark, _, rest = name.partition("_")
    if rest and mark == "d" and name.endswith(LATER):
        part = symbol(rest.removesuffix(LATER))
        return m.Symbol("delta", (part.base, *part.below, LATER.strip("_")))
    if rest and mark == "d":
        return m.Partial(derivative(rest, loss), loss)
    if rest and mark == "t":
        return m.Along(derivative(rest, loss))
    return symbol(name)
