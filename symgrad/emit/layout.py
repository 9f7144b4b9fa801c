"""Long statements over several lines, broken where a person would break them.

>>> print("\\n".join(broken("total = np.add(first.reshape((n, 3)), second, out=third)", 30)))
total = np.add(
    first.reshape((n, 3)),
    second,
    out=third,
)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

OPENING, CLOSING = "([{", ")]}"
OPERATOR = re.compile(r" (?:[-+*/@&|]|[<>]=?|[=!]=) ")
STRING = re.compile(r'"[^"]*"|\'[^\']*\'')
ASSIGNMENT = re.compile(r"[^\s(]+(?:\[[^=]*\])? (?:[-+*/]?=) ")


def broken(statement: str, width: int) -> list[str]:
    """`statement` in lines of at most `width` letters, as far as that can be done."""
    if len(statement) <= width:
        return [statement]
    match = ASSIGNMENT.match(statement)
    start = match.end() if match else 0
    head, expression = statement[:start], statement[start:]
    masked = _masked(expression)
    operators = [m for m in OPERATOR.finditer(masked) if _depth(masked, m.start()) == 0]
    if head and operators:
        inner = _by_operators(expression, operators, width - 4)
        return [f"{head}(", *(f"    {line}" for line in inner), ")"]
    return _by_arguments(head, expression, width)


def _by_operators(expression: str, operators: list[re.Match[str]], width: int) -> list[str]:
    """A line for each operand, the operator in front."""
    starts = [0, *(m.start() + 1 for m in operators), len(expression)]
    parts = [expression[a:b].rstrip() for a, b in pairwise(starts)]
    return [line for part in parts for line in _by_arguments("", part, width)]


def _by_arguments(head: str, expression: str, width: int) -> list[str]:
    """The arguments of the longest call in `expression`, each in a line of its own."""
    if len(head) + len(expression) <= width:
        return [head + expression]
    spans = _outer_brackets(expression)
    spans = [(a, b) for a, b in spans if expression[a] == "(" and b - a > 8]
    if not spans:
        return [head + expression]
    start, end = max(spans, key=lambda span: span[1] - span[0])
    arguments = _split(expression[start + 1 : end])
    if len(arguments) == 1 and not arguments[0].strip():
        return [head + expression]
    lines = [head + expression[: start + 1]]
    for argument in arguments:
        inner = _by_arguments("", argument.strip(), width - 5)
        lines += [f"    {line}" for line in inner[:-1]]
        comma = "," if len(arguments) > 1 else ""
        lines.append(f"    {inner[-1]}{comma}")
    lines.append(expression[end:])
    return lines


def _masked(text: str) -> str:
    """`text` with the letters of its string literals replaced, so that brackets count."""
    return STRING.sub(lambda match: "s" * len(match.group()), text)


def _depth(text: str, end: int) -> int:
    """How many brackets are open at position `end`."""
    part = text[:end]
    return sum(part.count(c) for c in OPENING) - sum(part.count(c) for c in CLOSING)


def _outer_brackets(text: str) -> list[tuple[int, int]]:
    """The positions of the outermost brackets, in pairs."""
    spans, depth, start = [], 0, 0
    for position, letter in enumerate(_masked(text)):
        if letter in OPENING:
            if depth == 0:
                start = position
            depth += 1
        elif letter in CLOSING:
            depth -= 1
            if depth == 0:
                spans.append((start, position))
    return spans


def _split(text: str) -> list[str]:
    """`text` at its outermost commas."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(_masked(text)):
        depth += (letter in OPENING) - (letter in CLOSING)
        if letter == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    rest = text[start:]
    return [*parts, rest] if rest.strip() else parts


def filled(tests: Sequence[str], width: int) -> list[str]:
    """Tests joined by `and`, as many to a line as fit; a chain of three may go on in the next."""
    lines: list[str] = []
    for position, test in enumerate(tests):
        mark = "is" if " is " in test else "=="
        words = test.split(f" {mark} ")
        pieces = [words[0], *(f"{mark} {word}" for word in words[1:])]
        if position:
            pieces[0] = f"and {pieces[0]}"
        for start, piece in enumerate(pieces):
            whole = start == 0 and sum(map(len, pieces)) + len(pieces) <= width
            text = " ".join(pieces) if whole else piece
            if lines and len(lines[-1]) + 1 + len(text) <= width:
                lines[-1] += f" {text}"
            else:
                lines.append(text)
            if whole:
                break
    return lines
