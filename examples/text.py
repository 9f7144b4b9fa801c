"""The help texts that ship with Python (`pydoc_data.topics`): English prose with code in it.

Texts are arrays of whole numbers, the places of their characters in ALPHABET.
"""

from __future__ import annotations

from pydoc_data.topics import topics

import numpy as np

ALPHABET = "\n" + "".join(map(chr, range(32, 127)))


def help_texts() -> tuple[np.ndarray, np.ndarray]:
    """A text to train on, and its last twentieth, held out.

    Topics contain one another, so a paragraph is kept only where it comes first: what is held out
    does not occur in what is trained on.
    """
    pieces = "\n\n".join(topics[name] for name in sorted(topics)).split("\n\n")
    codes = encoded("\n\n".join(dict.fromkeys(pieces)))
    end = len(codes) * 19 // 20
    return codes[:end], codes[end:]


def encoded(text: str) -> np.ndarray:
    """Characters outside ALPHABET are left out."""
    place = {character: i for i, character in enumerate(ALPHABET)}
    return np.array([place[character] for character in text if character in place])


def decoded(codes: np.ndarray) -> str:
    return "".join(ALPHABET[code] for code in codes)


def unigram_entropy(codes: np.ndarray) -> float:
    """Bits per character of a text of which only the frequencies of its characters are known."""
    frequencies = np.bincount(codes) / len(codes)
    frequencies = frequencies[frequencies > 0]
    return float(-(frequencies * np.log2(frequencies)).sum())


def extracts(codes: np.ndarray, count: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """[count, length] pieces of a text, from places drawn at random."""
    starts = rng.integers(len(codes) - length + 1, size=count)
    return codes[starts[:, None] + np.arange(length)]
