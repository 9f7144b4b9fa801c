"""Reads a printed formula back and works out its value, by the conventions of a reader.

A product binds stronger than a sum, a power stronger than a product; a division reaches as far to
the left as its product; what follows a big sign belongs to it up to the next + or -; a name with
brackets right behind it is a function. `from_latex` and `from_mathml` give the line that the
two-dimensional forms stand for: what stands alone over or under a line needs no brackets there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

TOKEN = re.compile(r"\d+\.?\d*(?:e-?\d+)?|[^\W\d_]|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+| +|.")
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
FUNCTIONS: dict[str, Callable[..., float]] = {"f": math.tanh, "g": lambda x, y: x - 2 * y}
MEMBERS = 3


class LineValue:
    """The value of a line over `names`."""

    def __init__(self, line: str, names: Mapping[str, float]) -> None:
        self.tokens = TOKEN.findall(line)
        self.at = 0
        self.names = dict(names)

    def value(self) -> float:
        found = self.sum()
        assert self.at == len(self.tokens), ("left over", self.tokens[self.at :])
        return found

    # -- reading -------------------------------------------------------------------------------

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> bool:
        start = self.at
        while self.peek().isspace():
            self.at += 1
        if self.peek() in wanted:
            self.at += 1
            while self.peek().isspace() and self.tokens[self.at - 1] in "+-−=<":
                self.at += 1
            return True
        self.at = start
        return False

    def need(self, mark: str) -> None:
        assert self.take(mark), (mark, self.tokens[self.at :])

    # -- grammar -------------------------------------------------------------------------------

    def sum(self) -> float:
        found = -self.product() if self.take("-") else self.product()
        while True:
            if self.take("+"):
                found += self.product()
            elif self.take("-"):
                found -= self.product()
            else:
                return found

    def product(self) -> float:
        found = self.power()
        while True:
            if self.take("/"):
                found /= self.power()
            elif self.take("⊙", "·", "\u2062"):
                found *= self.power()
            elif self.peek().isspace() and self._factor_follows():
                self.at += 1
                found *= self.power()
            else:
                return found

    def _factor_follows(self) -> bool:
        after = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else ""
        return bool(after) and after not in ("+", "-", "=", "<", ")", "]", ",", "/", "⊙", "·")

    def power(self) -> float:
        while self.peek().isspace():
            self.at += 1
        base = self.atom()
        if self.peek() and self.peek()[0] in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹":
            exponent: float = int(self.peek().translate(SUPERSCRIPTS))
            self.at += 1
        elif self.peek() == "^":
            self.at += 1
            exponent = self.power()
        else:
            return base
        assert self.peek() != "^", "a power of a power has no brackets"
        return math.copysign(abs(base) ** min(exponent, 4), 1)

    def atom(self) -> float:
        token = self.peek()
        self.at += 1
        if token in ("(", "{"):
            found = self.sum()
            self.need({"(": ")", "{": "}"}[token])
            return found
        if token in ("|", "⟨"):
            found = abs(self.sum())
            self.need("|" if token == "|" else "⟩")
            return found
        if token == "[":
            left = self.sum()
            is_less = self.take("<")
            if not is_less:
                self.need("=")
            right = self.sum()
            self.need("]")
            return float(left < right if is_less else left == right)
        if token == "√":
            return math.sqrt(abs(self.atom()))
        if token in ("Σ", "Π"):
            return self.big(token)
        if token[0].isdigit():
            return float(token)
        if self.peek() in ("|", "⟨") and token in FUNCTIONS:
            return FUNCTIONS[token](self.atom())
        if self.peek() == "(" and token in FUNCTIONS:
            self.at += 1
            arguments = [self.sum()]
            while self.take(","):
                arguments.append(self.sum())
            self.need(")")
            return FUNCTIONS[token](*arguments)
        return self.names[token]

    def big(self, sign: str) -> float:
        self.need("_")
        letter = self.peek()
        self.at += 1
        start, kept = self.at, self.names.get(letter)
        found = 0.0 if sign == "Σ" else 1.0
        for place in range(MEMBERS):
            self.at = start
            self.names[letter] = float(place)
            member = self.product()
            found = found + member if sign == "Σ" else found * member
        if kept is not None:
            self.names[letter] = kept
        return found


def from_latex(source: str) -> str:
    """The line that LaTeX stands for."""
    return re.sub(r"\s+", " ", _latex_group(source, 0, "")[0]).strip()


SIGNS = {
    r"\left(": "(", r"\right)": ")", r"\left|": "⟨", r"\right|": "⟩", r"\left[": "[",
    r"\right]": "]", r"\cdot": "·", r"\odot": "⊙", r"\,": " ", r"\sum": "Σ", r"\prod": "Π",
    r"\displaystyle": "",
}  # fmt: skip


def _latex_group(source: str, at: int, end: str) -> tuple[str, int]:
    """What stands up to `end`, and where it ends."""
    line = ""
    while at < len(source) and not (end and source.startswith(end, at)):
        sign = next((s for s in SIGNS if source.startswith(s, at)), None)
        if sign is not None:
            line, at = line + SIGNS[sign], at + len(sign)
        elif source.startswith((r"\frac{", r"\sqrt{"), at):
            above, after = _latex_group(source, at + 6, "}")
            if source.startswith(r"\sqrt", at):
                line, at = line + f"√({above})", after + 1
                continue
            below, after = _latex_group(source, after + 2, "}")
            line, at = line + f"(({above})/({below}))", after + 1
        elif source.startswith(r"\operatorname{", at):
            name, after = _latex_group(source, at + 14, "}")
            line, at = line + name, after + 1
        elif source[at] in "^_" and source.startswith("{", at + 1):
            inner, after = _latex_group(source, at + 2, "}")
            line += f"^({inner})" if source[at] == "^" else f"_{inner}"
            at = after + 1
        elif source[at] == "{":
            inner, after = _latex_group(source, at + 1, "}")
            line, at = line + inner, after + 1
        else:
            line, at = line + source[at], at + 1
    return line, at


def from_mathml(source: str) -> str:
    """The line that presentation MathML stands for."""
    root = ElementTree.fromstring(source)
    semantics = root[0]
    return _line(semantics[0])


def _line(element: Any) -> str:
    tag = element.tag.rpartition("}")[2]
    parts = [_line(child) for child in element]
    if tag == "mfrac":
        return f"(({parts[0]})/({parts[1]}))"
    if tag == "msup":
        return f"{parts[0]}^({parts[1]})"
    if tag == "munder":
        return f"{parts[0]}_{parts[1]} "
    if tag == "msqrt":
        return f"√({''.join(parts)})"
    if tag == "mo":
        if element.text == "|":
            return "⟨" if element.get("form") == "prefix" else "⟩"
        spaced = {"−": "-", "∑": "Σ", "∏": "Π", "\u2061": ""}.get(element.text, element.text)
        return f" {spaced} " if spaced in "+-=<⊙·\u2062" and spaced else spaced
    return "".join(parts) or (element.text or "")
