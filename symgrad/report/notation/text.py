"""Formulas as one line of Unicode text, for a terminal.

>>> from symgrad.report.notation.formula import *
>>> text(Relation("=", Partial(Symbol("W")), Product((Transposed(Symbol("X")), Symbol("G")))))
'∂L/∂W = Xᵀ G'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unicodedata import normalize

from symgrad.report.notation import formula as m
from symgrad.report.notation.brackets import (
    ends_openly,
    factor_needs_brackets,
    is_fenced,
    needs_brackets,
    needs_dot,
)  # fmt: skip
from symgrad.report.notation.greek import GREEK_LETTERS
from symgrad.report.notation.signs import MARKS, RELATIONS

OPERATORS = {"sum": "Σ", "product": "Π", "max": "max", "min": "min", "argmax": "argmax",
             "argmin": "argmin"}  # fmt: skip
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def text(formula: m.Math) -> str:
    """`formula` on one line."""
    return PRINTERS[type(formula)](formula)


def _held(part: m.Math, within: int, is_first: bool = True) -> str:
    inner = text(part)
    # On one line a fraction is a division, which must be told from its surroundings.
    is_loose = isinstance(part, m.Partial | m.SecondPartial) and within > m.PRODUCT
    return f"({inner})" if is_loose or needs_brackets(part, within, is_first) else inner


def _word(word: str) -> str:
    return GREEK_LETTERS.get(word, _plain(word))


def _plain(words: str) -> str:
    """Without what would break the line or steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in words)


def _symbol(s: m.Symbol) -> str:
    return "_".join((_marked(s), *map(_word, s.below)))


def _marked(s: m.Symbol) -> str:
    return normalize("NFC", _word(s.base) + m.MARKS.get(s.mark, ""))


def _sum(s: m.Sum) -> str:
    line = ""
    for k, term in enumerate(s.terms):
        if k and isinstance(term, m.Negative):
            line += " - " + _held(term.of, m.PRODUCT, is_first=False)
        else:
            line += (" + " if k else "") + _held(term, m.SUM, is_first=k == 0)
    return line


def _product(p: m.Product) -> str:
    line = ""
    for k, factor in enumerate(p.factors):
        written = text(factor)
        # on one line a derivative among factors is not told from a fraction of them
        loose = isinstance(_bare(factor), m.Fraction | m.Partial | m.SecondPartial)
        if factor_needs_brackets(p, k) or loose:
            written = f"({written})"
        if k:
            line += " ⊙ " if p.is_entrywise else "·" if needs_dot(p, k) else " "
        line += written
    return line


def _bare(part: m.Math) -> m.Math:
    return part.of if isinstance(part, m.Repeated) else part


def _fraction(f: m.Fraction) -> str:
    above, below = _held(f.above, m.PRODUCT, is_first=False), _held(f.below, m.POWER)
    is_open = ends_openly(f.above) or isinstance(_bare(f.above), m.Fraction)
    above = f"({above})" if is_open and not above.startswith("((") else above
    is_power = isinstance(_bare(f.below), m.Power)
    return f"{above}/({below})" if is_power and not below.startswith("(") else f"{above}/{below}"


def _power(p: m.Power) -> str:
    base, exponent = _held(p.base, m.POWER), text(p.exponent)
    mark = "^⊙" if p.is_entrywise else "^"
    if not p.is_entrywise and exponent.lstrip("-").isdecimal():
        return base + exponent.translate(RAISED)
    return f"{base}{mark}{_held(p.exponent, m.POWER)}"


def _apply(a: m.Apply) -> str:
    arguments = ", ".join(map(text, a.arguments))
    return _plain(a.function) + (arguments if is_fenced(a) else f"({arguments})")


def _between(b: m.Between) -> str:
    before, after = MARKS[b.kind][0], MARKS[b.kind][1]
    return f"{before}{', '.join(map(text, b.parts))}{after}"


def _indexed(x: m.Indexed) -> str:
    of = text(x.of) if isinstance(x.of, m.Symbol | m.Along) else f"({text(x.of)})"
    return f"{of}[{', '.join(map(text, x.indices))}]"


def _along(a: m.Along) -> str:
    """A dot over the letter, its indices behind it."""
    if isinstance(a.of, m.Indexed):
        return f"{_along(m.Along(a.of.of))}[{', '.join(map(text, a.of.indices))}]"
    if isinstance(a.of, m.Symbol) and len(_word(a.of.base)) == 1:
        dotted = normalize("NFC", _word(a.of.base) + "\u0307")
        return _symbol(m.Symbol(dotted, a.of.below, mark=a.of.mark))
    return f"d({text(a.of)})"


def _span(s: m.Span) -> str:
    ends = ("" if end is None else text(end) for end in (s.start, s.stop))
    return ":".join((*ends, text(s.step)) if s.step else ends)


def _blocks(b: m.Blocks) -> str:
    return f"[{'; '.join(', '.join(map(text, row)) for row in b.rows)}]"


def _entries(e: m.Entries) -> str:
    return f"[{text(e.body)}]_{{{', '.join(map(text, e.indices))}}}"


def _second(p: m.SecondPartial) -> str:
    return f"∂²{text(p.loss)}/" + "".join(f"∂{text(each)}" for each in p.below)


def _big(b: m.Big) -> str:
    below = ", ".join(map(text, b.below))
    sign = OPERATORS[b.operator] + (f"_{{{below}}}" if len(below) > 1 else f"_{below}")
    body = _held(b.body, m.PRODUCT, is_first=False)
    return f"{sign} {body}"


def _cases(c: m.Cases) -> str:
    rows = [
        f"{text(value)} " + ("otherwise" if when is None else f"if {text(when)}")
        for value, when in c.rows
    ]
    return "{" + "; ".join(rows) + "}"


def _relation(r: m.Relation) -> str:
    left, right = (_side(side, r.operator) for side in (r.left, r.right))
    return f"{left} {RELATIONS[r.operator]} {right}"


def _side(side: m.Math, operator: str) -> str:
    is_joined = isinstance(side, m.Relation | m.Chained)
    return f"({text(side)})" if is_joined else text(side)


def _chained(c: m.Chained) -> str:
    line = _side(c.parts[0], "")
    for operator, part in zip(c.operators, c.parts[1:], strict=True):
        line += f" {RELATIONS[operator]} {_side(part, operator)}"
    return line


def _listed(x: m.Listed) -> str:
    inner = ", ".join(map(text, x.parts))
    return inner if x.is_bare else f"({inner})"


PRINTERS: dict[type[m.Math], Callable[[Any], str]] = {
    m.Symbol: _symbol,
    m.Number: lambda n: n.text,
    m.Partial: lambda p: f"∂{text(p.loss)}/∂{text(p.of)}",
    m.Along: _along,
    m.Sum: _sum,
    m.Negative: lambda n: "-" + _held(n.of, m.PRODUCT, is_first=False),
    m.Product: _product,
    m.Fraction: _fraction,
    m.Power: _power,
    m.Transposed: lambda t: f"{_held(t.of, m.POWER)}ᵀ",
    m.Inverted: lambda i: f"{_held(i.of, m.POWER)}⁻{'ᵀ' if i.is_transposed else '¹'}",
    m.Apply: _apply,
    m.Root: lambda r: f"{'√' if r.degree == 2 else f'{r.degree}√'}({text(r.of)})",
    m.Between: _between,
    m.Indexed: _indexed,
    m.Big: _big,
    m.Cases: _cases,
    m.Relation: _relation,
    m.Chained: _chained,
    m.Listed: _listed,
    m.Words: lambda w: _plain(w.text),
    m.SecondPartial: _second,
    m.Span: _span,
    m.Blocks: _blocks,
    m.Entries: _entries,
    m.Ones: lambda o: "𝟏",
    m.Zeros: lambda z: "0",
    m.Unit: lambda u: "I",
    m.OneHot: lambda o: f"onehot({text(o.labels)})",
    m.Repeated: lambda r: text(r.of),
}
