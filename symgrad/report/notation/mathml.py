"""Formulas as presentation MathML, with their LaTeX beside them for copying.

Browsers draw it themselves. The LaTeX is an annotation and the alternative text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from symgrad.report.notation import formula as m
from symgrad.report.notation.brackets import (
    factor_needs_brackets,
    is_fenced,
    needs_brackets,
    needs_dot,
)  # fmt: skip
from symgrad.report.notation.greek import GREEK_LETTERS
from symgrad.report.notation.latex import latex
from symgrad.report.notation.signs import MARKS
from symgrad.report.notation.signs import RELATIONS as PLAIN_RELATIONS

OPERATORS = {"sum": "∑", "product": "∏", "max": "max", "min": "min", "argmax": "arg max",
             "argmin": "arg min"}  # fmt: skip
RELATIONS = PLAIN_RELATIONS | {":=": "≔"}
LEFT = 'style="text-align: left"'
TALL = ("<mfrac", "<munder", "<mtable", "<msqrt", "<mroot")
TIGHT = ' lspace="0" rspace="0"'
OVER = {"hat": "^", "bar": "¯", "tilde": "~"}


def mathml(formula: m.Math, is_display: bool = False) -> str:
    """A whole <math> element."""
    source = escape(_clean(latex(formula)))
    display = ' display="block"' if is_display else ""
    return (
        f'<math xmlns="http://www.w3.org/1998/Math/MathML"{display} alttext="{source}">'
        f"<semantics>{_row([element(formula)])}"
        f'<annotation encoding="application/x-tex">{source}</annotation></semantics></math>'
    )


def element(formula: m.Math) -> str:
    """The elements of a formula, without <math> around them."""
    return PRINTERS[type(formula)](formula)


def _row(parts: Iterable[str]) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _sign(text: str, more: str = "") -> str:
    return f"<mo{more}>{escape(text)}</mo>"


def _bracketed(inner: str, marks: str = "()") -> str:
    size = "" if any(tag in inner for tag in TALL) else ' stretchy="false"'
    first, last = (f' form="{form}"{size}{TIGHT}' for form in ("prefix", "postfix"))
    return _row([_sign(marks[0], first), inner, _sign(marks[1], last)])


def _held(part: m.Math, within: int, is_first: bool = True) -> str:
    text = element(part)
    return _bracketed(text) if needs_brackets(part, within, is_first) else text


def _word(text: str, is_upright: bool = False) -> str:
    text = GREEK_LETTERS.get(text, text)
    if text.isdecimal():
        return f"<mn>{text}</mn>"
    upright = ' mathvariant="normal"' if is_upright and len(text) == 1 else ""
    return f"<mi{upright}>{escape(_clean(text))}</mi>"


def _symbol(s: m.Symbol) -> str:
    base = _marked(s)
    if not s.below:
        return base
    return f"<msub>{base}{_row(_separated([_word(part) for part in s.below]))}</msub>"


def _marked(s: m.Symbol) -> str:
    base = _word(s.base, s.is_upright)
    if not s.mark:
        return base
    sign = _sign(OVER[s.mark], ' stretchy="false"')
    return f'<mover accent="true">{base}{sign}</mover>'


def _separated(parts: list[str], mark: str = ",") -> list[str]:
    found = parts[:1]
    for part in parts[1:]:
        found += [_sign(mark, ' separator="true"'), part]
    return found


def _partial(p: m.Partial) -> str:
    d = "<mo>∂</mo>"
    return f"<mfrac>{_row([d, element(p.loss)])}{_row([d, element(p.of)])}</mfrac>"


def _half(side: m.Math) -> str:
    """Fractions within fractions are as large as those beside them."""
    is_tall = any(isinstance(part, FRACTIONS) for part in m.parts_of(side))
    style = ' displaystyle="true" scriptlevel="0"' if is_tall else ""
    return f"<mrow{style}>{element(side)}</mrow>"


def _second(p: m.SecondPartial) -> str:
    d = "<mo>∂</mo>"
    above = [f"<msup>{d}<mn>2</mn></msup>", element(p.loss)]
    below = [part for each in p.below for part in (d, element(each))]
    return f"<mfrac>{_row(above)}{_row(below)}</mfrac>"


def _sum(s: m.Sum) -> str:
    parts: list[str] = []
    for k, term in enumerate(s.terms):
        if k and isinstance(term, m.Negative):
            parts += [_sign("−"), _held(term.of, m.PRODUCT, is_first=False)]
        else:
            parts += [_sign("+")] if k else []
            parts.append(_held(term, m.SUM, is_first=k == 0))
    return _row(parts)


def _product(p: m.Product) -> str:
    parts: list[str] = []
    for k, factor in enumerate(p.factors):
        if k:
            parts.append(_times(p, k))
        written = element(factor)
        parts.append(_bracketed(written) if factor_needs_brackets(p, k) else written)
    return _row(parts)


def _times(p: m.Product, k: int) -> str:
    if p.is_entrywise:
        return _sign("⊙")
    return _sign("·") if needs_dot(p, k) else _sign("\u2062", ' lspace="0.1em" rspace="0.1em"')


def _power(p: m.Power) -> str:
    exponent = [_sign("⊙", TIGHT)] if p.is_entrywise else []
    return f"<msup>{_held(p.base, m.POWER)}{_row([*exponent, element(p.exponent)])}</msup>"


def _apply(a: m.Apply) -> str:
    inner = _row(_separated([element(x) for x in a.arguments]))
    arguments = inner if is_fenced(a) else _bracketed(inner)
    base = {"log2": "2", "log10": "10"}.get(a.function)
    name = f"<mi>{escape(_clean(a.function))}</mi>"
    if base is not None:
        name = f"<msub><mi>log</mi><mn>{base}</mn></msub>"
    return _row([name, _sign("\u2061"), arguments])


def _indexed(x: m.Indexed) -> str:
    indices = _separated([element(i) for i in x.indices])
    symbol = x.of.of if isinstance(x.of, m.Along) else x.of
    if isinstance(symbol, m.Symbol):
        base = _marked(symbol)
        base = _dotted(base) if isinstance(x.of, m.Along) else base
        below = _separated([_word(part) for part in symbol.below])
        indices = [*below, _sign(";", ' separator="true"'), *indices] if below else indices
    else:
        base = _bracketed(element(x.of))
    return f"<msub>{base}{_row(indices)}</msub>"


def _dotted(inner: str) -> str:
    return f'<mover accent="true">{inner}<mo>˙</mo></mover>'


def _along(a: m.Along) -> str:
    """A dot over the letter, its indices behind it."""
    if isinstance(a.of, m.Indexed):
        return _indexed(m.Indexed(m.Along(a.of.of), a.of.indices))
    if isinstance(a.of, m.Symbol):
        base = _dotted(_marked(a.of))
        below = _row(_separated([_word(part) for part in a.of.below]))
        return f"<msub>{base}{below}</msub>" if a.of.below else base
    return _row(['<mi mathvariant="normal">d</mi>', _bracketed(element(a.of))])


def _span(s: m.Span) -> str:
    parts = [s.start, s.stop] + ([s.step] if s.step else [])
    ends = ["" if part is None else element(part) for part in parts]
    return _row([ends[0], *(_sign(":", TIGHT) + end for end in ends[1:])])


def _blocks(b: m.Blocks) -> str:
    rows = ("".join(f"<mtd>{element(block)}</mtd>" for block in row) for row in b.rows)
    return _bracketed(f"<mtable>{''.join(f'<mtr>{row}</mtr>' for row in rows)}</mtable>", "[]")


def _entries(e: m.Entries) -> str:
    indices = _row(_separated([element(i) for i in e.indices]))
    return f"<msub>{_bracketed(element(e.body), '[]')}{indices}</msub>"


def _big(b: m.Big) -> str:
    is_sign = b.operator in {"sum", "product"}
    sign = _sign(OPERATORS[b.operator], "" if is_sign else ' form="prefix"')
    if b.below:
        below = _row(_separated([element(part) for part in b.below]))
        sign = f"<munder>{sign}{below}</munder>"
    return _row([sign, _held(b.body, m.PRODUCT, is_first=False)])


def _cases(c: m.Cases) -> str:
    rows = []
    for value, when in c.rows:
        words = "otherwise" if when is None else "if\u00a0"
        condition = [f"<mtext>{words}</mtext>", *([] if when is None else [element(when)])]
        cells = (element(value), _row(condition))
        rows.append("<mtr>" + "".join(f"<mtd {LEFT}>{cell}</mtd>" for cell in cells) + "</mtr>")
    return _row([_sign("{", ' form="prefix"'), f"<mtable>{''.join(rows)}</mtable>"])


def _root(r: m.Root) -> str:
    if r.degree == 2:
        return f"<msqrt>{element(r.of)}</msqrt>"
    return f"<mroot>{element(r.of)}<mn>{r.degree}</mn></mroot>"


def _inverted(i: m.Inverted) -> str:
    exponent = _sign("⊤", TIGHT) if i.is_transposed else "<mn>1</mn>"
    return f"<msup>{_held(i.of, m.POWER)}{_row([_sign('−', TIGHT), exponent])}</msup>"


def _relation(r: m.Relation) -> str:
    return _chained(m.Chained((r.operator,), (r.left, r.right)))


def _side(side: m.Math) -> str:
    is_joined = isinstance(side, m.Relation | m.Chained)
    return _bracketed(element(side)) if is_joined else element(side)


def _chained(c: m.Chained) -> str:
    parts = [_side(c.parts[0])]
    for operator, part in zip(c.operators, c.parts[1:], strict=True):
        parts += [_sign(RELATIONS[operator]), _side(part)]
    return _row(parts)


def _listed(x: m.Listed) -> str:
    inner = _row(_separated([element(part) for part in x.parts]))
    return inner if x.is_bare else _bracketed(inner)


def _one_hot(o: m.OneHot) -> str:
    return _apply(m.Apply("onehot", (o.labels,)))


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(c if c.isprintable() else " " for c in text)


def _number(n: m.Number) -> str:
    mantissa, _, exponent = n.text.partition("e")
    if not exponent:
        return f"<mn>{n.text}</mn>"
    power = f"<msup><mn>10</mn><mn>{int(exponent)}</mn></msup>".replace("-", "−")
    return power if mantissa == "1" else _row([f"<mn>{mantissa}</mn>", _sign("·"), power])


FRACTIONS = (m.Fraction, m.Partial, m.SecondPartial)
PRINTERS: dict[type[m.Math], Callable[[Any], str]] = {
    m.Symbol: _symbol,
    m.Number: _number,
    m.Partial: _partial,
    m.Along: _along,
    m.Sum: _sum,
    m.Negative: lambda n: _row([_sign("−"), _held(n.of, m.PRODUCT, is_first=False)]),
    m.Product: _product,
    m.Fraction: lambda f: f"<mfrac>{_half(f.above)}{_half(f.below)}</mfrac>",
    m.Power: _power,
    m.SecondPartial: _second,
    m.Span: _span,
    m.Blocks: _blocks,
    m.Entries: _entries,
    m.Ones: lambda o: '<mn style="font-weight: bold">1</mn>',
    m.Zeros: lambda z: "<mn>0</mn>",
    m.Unit: lambda u: "<mi>I</mi>",
    m.OneHot: _one_hot,
    m.Repeated: lambda r: element(r.of),
    m.Chained: _chained,
    m.Listed: _listed,
    m.Transposed: lambda t: f"<msup>{_held(t.of, m.POWER)}{_sign('⊤', TIGHT)}</msup>",
    m.Inverted: _inverted,
    m.Apply: _apply,
    m.Root: _root,
    m.Between: lambda b: _bracketed(
        _row(_separated([element(part) for part in b.parts])), MARKS[b.kind]
    ),
    m.Indexed: _indexed,
    m.Big: _big,
    m.Cases: _cases,
    m.Relation: _relation,
    m.Words: lambda w: f"<mtext>{escape(_clean(w.text))}</mtext>",
}
