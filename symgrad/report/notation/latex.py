r"""Formulas as LaTeX, for amsmath.

>>> from symgrad.report.notation.formula import *
>>> latex(Relation("=", Partial(Symbol("W")), Product((Transposed(Symbol("X")), Symbol("G")))))
'\\frac{\\partial L}{\\partial W} = X^{\\top} \\, G'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.report.notation import formula as m
from symgrad.report.notation.brackets import (
    factor_needs_brackets,
    is_fenced,
    needs_brackets,
    needs_dot,
)  # fmt: skip
from symgrad.report.notation.greek import GREEK_LETTERS
from symgrad.report.notation.names import GREEK

OPERATORS = {
    "sum": r"\sum", "product": r"\prod", "max": r"\max", "min": r"\min",
    "argmax": r"\operatorname*{arg\,max}", "argmin": r"\operatorname*{arg\,min}",
}  # fmt: skip
RELATIONS = {
    "=": "=", "!=": r"\neq", "<": "<", "<=": r"\leq", ">": ">", ">=": r"\geq", "in": r"\in",
    "and": r"\land", "or": r"\lor", ":=": ":=",
}  # fmt: skip
KNOWN_FUNCTIONS = frozenset(
    """
    sin cos tan sinh cosh tanh exp log max min det arcsin arccos arctan
    """.split()  # noqa: SIM905
)
SPECIAL_FUNCTIONS = {
    "σ": r"\sigma", "Φ": r"\Phi", "log2": r"\log_{2}", "log10": r"\log_{10}",
    "tr": r"\operatorname{tr}", "argmax": r"\operatorname{arg\,max}",
}  # fmt: skip
MARKS = {
    "absolute": (r"\left|", r"\right|"), "iverson": (r"\left[", r"\right]"),
    "floor": (r"\left\lfloor ", r"\right\rfloor"), "ceiling": (r"\left\lceil ", r"\right\rceil"),
    "inner": (r"\left\langle ", r"\right\rangle"), "norm": (r"\left\lVert ", r"\right\rVert"),
}  # fmt: skip
LETTERS = {letter: name for name, letter in GREEK_LETTERS.items()}
SIGNS = {"∞": r"\infty", "…": r"\dots"}
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "_": r"\_", "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip


def latex(formula: m.Math) -> str:
    """`formula` as LaTeX for math mode."""
    return PRINTERS[type(formula)](formula)


def escaped(text: str) -> str:
    """Text in which no character is a command."""
    return "".join(SPECIAL.get(c, c if c.isprintable() else " ") for c in text)


def _held(part: m.Math, within: int, is_first: bool = True) -> str:
    text = latex(part)
    return rf"\left({text}\right)" if needs_brackets(part, within, is_first) else text


def _word(text: str, is_upright: bool = False) -> str:
    text = LETTERS.get(text, text)
    if text in SIGNS:
        return SIGNS[text]
    if text in GREEK:
        return "\\" + text
    if not is_upright and len(text) == 1 and text.isalpha() and text.isascii():
        return text
    if text.isdecimal() and text.isascii():
        return text
    # letters with accents exist in text only
    return rf"\{'mathrm' if text.isascii() else 'text'}{{{escaped(text)}}}"


def _symbol(s: m.Symbol) -> str:
    return _marked(s) + (f"_{{{_below(s)}}}" if s.below else "")


def _marked(s: m.Symbol) -> str:
    base = _word(s.base, s.is_upright)
    return rf"\{s.mark}{{{base}}}" if s.mark else base


def _below(s: m.Symbol) -> str:
    return ", ".join(map(_word, s.below))


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
        if k:
            line += r" \odot " if p.is_entrywise else r" \cdot " if needs_dot(p, k) else r" \, "
        written = latex(factor)
        line += rf"\left({written}\right)" if factor_needs_brackets(p, k) else written
    return line


def _power(p: m.Power) -> str:
    mark = r"\odot " if p.is_entrywise else ""
    return f"{_base(p.base)}^{{{mark}{latex(p.exponent)}}}"


def _base(part: m.Math) -> str:
    """What an exponent is put on: LaTeX takes only one for each base."""
    text = _held(part, m.POWER)
    return f"{{{text}}}" if isinstance(part, m.Indexed | m.Entries) else text


def _apply(a: m.Apply) -> str:
    name = f"\\{a.function}" if a.function in KNOWN_FUNCTIONS else SPECIAL_FUNCTIONS.get(a.function)
    name = name or rf"\operatorname{{{escaped(a.function)}}}"
    arguments = ", ".join(map(latex, a.arguments))
    return name + (arguments if is_fenced(a) else rf"\left({arguments}\right)")


def _between(b: m.Between) -> str:
    before, after = MARKS[b.kind]
    return f"{before}{', '.join(map(latex, b.parts))}{after}"


def _indexed(x: m.Indexed) -> str:
    indices = ", ".join(map(latex, x.indices))
    symbol = x.of.of if isinstance(x.of, m.Along) else x.of
    if isinstance(symbol, m.Symbol):
        base = _marked(symbol)
        base = rf"\dot{{{base}}}" if isinstance(x.of, m.Along) else base
        below = rf"{_below(symbol)};\, " if symbol.below else ""
        return f"{base}_{{{below}{indices}}}"
    return rf"\left({latex(x.of)}\right)_{{{indices}}}"


def _along(a: m.Along) -> str:
    """A dot over the letter, its indices behind it."""
    if isinstance(a.of, m.Indexed):
        return _indexed(m.Indexed(m.Along(a.of.of), a.of.indices))
    if isinstance(a.of, m.Symbol):
        dotted = rf"\dot{{{_marked(a.of)}}}"
        return dotted + (f"_{{{_below(a.of)}}}" if a.of.below else "")
    return rf"\mathrm{{d}}\left({latex(a.of)}\right)"


def _span(s: m.Span) -> str:
    # in braces, a colon is no relation with space around it
    start, stop = ("" if end is None else latex(end) for end in (s.start, s.stop))
    return f"{start}{{:}}{stop}" + (f"{{:}}{latex(s.step)}" if s.step else "")


def _blocks(b: m.Blocks) -> str:
    rows = r" \\ ".join(" & ".join(map(latex, row)) for row in b.rows)
    width = len(b.rows[0])
    if width <= 10:  # which is as many columns as amsmath gives a matrix
        return rf"\begin{{bmatrix}}{rows}\end{{bmatrix}}"
    return rf"\left[\begin{{array}}{{{'c' * width}}}{rows}\end{{array}}\right]"


def _entries(e: m.Entries) -> str:
    return rf"\left[{latex(e.body)}\right]_{{{', '.join(map(latex, e.indices))}}}"


def _second(p: m.SecondPartial) -> str:
    below = r" \, ".join(rf"\partial {latex(each)}" for each in p.below)
    return rf"\frac{{\partial^{{2}} {latex(p.loss)}}}{{{below}}}"


def _big(b: m.Big) -> str:
    below = ", ".join(map(latex, b.below))
    return f"{OPERATORS[b.operator]}_{{{below}}} {_held(b.body, m.PRODUCT, is_first=False)}"


def _cases(c: m.Cases) -> str:
    rows = [
        f"{latex(value)} & "
        + (r"\text{otherwise}" if when is None else rf"\text{{if }} {latex(when)}")
        for value, when in c.rows
    ]
    return r"\begin{cases}" + r" \\ ".join(rows) + r"\end{cases}"


def _root(r: m.Root) -> str:
    return rf"\sqrt{'' if r.degree == 2 else f'[{r.degree}]'}{{{latex(r.of)}}}"


def _inverted(i: m.Inverted) -> str:
    exponent = r"-\top" if i.is_transposed else "-1"
    return f"{_base(i.of)}^{{{exponent}}}"


def _relation(r: m.Relation) -> str:
    return f"{_side(r.left)} {RELATIONS[r.operator]} {_side(r.right)}"


def _side(side: m.Math) -> str:
    is_joined = isinstance(side, m.Relation | m.Chained)
    return rf"\left({latex(side)}\right)" if is_joined else latex(side)


def _chained(c: m.Chained) -> str:
    line = _side(c.parts[0])
    for operator, part in zip(c.operators, c.parts[1:], strict=True):
        line += f" {RELATIONS[operator]} {_side(part)}"
    return line


def _fraction(f: m.Fraction) -> str:
    """Fractions within fractions are as large as those beside them."""
    above, below = (
        rf"\displaystyle {latex(side)}" if any(isinstance(x, FRACTIONS) for x in m.parts_of(side))
        else latex(side)
        for side in (f.above, f.below)
    )  # fmt: skip
    return rf"\frac{{{above}}}{{{below}}}"


def _listed(x: m.Listed) -> str:
    inner = ", ".join(map(latex, x.parts))
    return inner if x.is_bare else rf"\left({inner}\right)"


def _number(n: m.Number) -> str:
    mantissa, _, exponent = n.text.partition("e")
    if not exponent:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"


FRACTIONS = (m.Fraction, m.Partial, m.SecondPartial)
PRINTERS: dict[type[m.Math], Callable[[Any], str]] = {
    m.Symbol: _symbol,
    m.Number: _number,
    m.Partial: lambda p: rf"\frac{{\partial {latex(p.loss)}}}{{\partial {latex(p.of)}}}",
    m.Along: _along,
    m.Sum: _sum,
    m.Negative: lambda n: "-" + _held(n.of, m.PRODUCT, is_first=False),
    m.Product: _product,
    m.Fraction: _fraction,
    m.Power: _power,
    m.Transposed: lambda t: f"{_base(t.of)}^{{\\top}}",
    m.Inverted: _inverted,
    m.Apply: _apply,
    m.Root: _root,
    m.Between: _between,
    m.Indexed: _indexed,
    m.Big: _big,
    m.Cases: _cases,
    m.Relation: _relation,
    m.Chained: _chained,
    m.Listed: _listed,
    m.SecondPartial: _second,
    m.Span: _span,
    m.Blocks: _blocks,
    m.Entries: _entries,
    m.Ones: lambda o: r"\mathbf{1}",
    m.Zeros: lambda z: "0",
    m.Unit: lambda u: "I",
    m.OneHot: lambda o: rf"\operatorname{{onehot}}\left({latex(o.labels)}\right)",
    m.Repeated: lambda r: latex(r.of),
    m.Words: lambda w: rf"\text{{{escaped(w.text)}}}",
}  # fmt: skip
