"""What is printed reads back as what was meant: no bracket is missing, in any of the printers."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from line_value import FUNCTIONS, MEMBERS, LineValue, from_latex, from_mathml

from symgrad.report.notation import formula as m
from symgrad.report.notation import latex, mathml, text

NAMES = {"a": 1.3, "b": -0.7, "c": 2.1, "d": 0.4, "k": 0.0}
LEAVES = [m.Symbol(name) for name in NAMES] + [m.Number("2"), m.Number("0.5"), m.Number("3")]


def _larger(inner: st.SearchStrategy[m.Math]) -> st.SearchStrategy[m.Math]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    pair = st.tuples(inner, inner)
    relation = st.builds(m.Relation, st.sampled_from(["<", "="]), inner, inner)
    return st.one_of(
        several.map(m.Sum),
        inner.map(m.Negative),
        st.builds(m.Product, several, st.booleans()),
        pair.map(lambda p: m.Fraction(*p)),
        st.builds(m.Power, inner, st.sampled_from([m.Number("2"), m.Symbol("c"), m.Symbol("d")])),
        pair.map(lambda p: m.Power(*p)),
        inner.map(lambda x: m.Apply("f", (x,))),
        pair.map(lambda p: m.Apply("g", p)),
        inner.map(m.Root),
        inner.map(lambda x: m.Between("absolute", (x,))),
        relation.map(lambda r: m.Between("iverson", (r,))),
        st.builds(m.Big, st.sampled_from(["sum", "product"]), st.just((m.Symbol("k"),)), inner),
    )


FORMULAS: st.SearchStrategy[m.Math] = st.deferred(
    lambda: st.one_of(st.sampled_from(LEAVES), _larger(FORMULAS))
)


def meant(formula: m.Math, names: dict[str, float]) -> float:
    """The value of the tree itself; powers are tamed so that all of them exist."""
    v = lambda x: meant(x, names)  # noqa: E731
    match formula:
        case m.Symbol():
            return names[formula.base]
        case m.Number():
            return float(formula.text)
        case m.Sum():
            return sum(map(v, formula.terms))
        case m.Negative():
            return -v(formula.of)
        case m.Product():
            return math.prod(map(v, formula.factors))
        case m.Fraction():
            return v(formula.above) / v(formula.below)
        case m.Power():
            return abs(v(formula.base)) ** min(v(formula.exponent), 4)
        case m.Apply():
            return FUNCTIONS[formula.function](*map(v, formula.arguments))
        case m.Root():
            return math.sqrt(abs(v(formula.of)))
        case m.Between(kind="absolute"):
            return abs(v(formula.parts[0]))
        case m.Between():
            (r,) = formula.parts
            holds = v(r.left) < v(r.right) if r.operator == "<" else v(r.left) == v(r.right)
            return float(holds)
        case m.Big():
            members = [meant(formula.body, names | {"k": float(k)}) for k in range(MEMBERS)]
            return sum(members) if formula.operator == "sum" else math.prod(members)
    raise AssertionError(formula)


PRINTERS = {
    "text": text,
    "latex": lambda formula: from_latex(latex(formula)),
    "mathml": lambda formula: from_mathml(mathml(formula)),
}


@pytest.mark.parametrize("printer", PRINTERS)
@given(formula=FORMULAS)
@settings(max_examples=120, deadline=None)
def test_a_printed_formula_reads_back(printer: str, formula: m.Math) -> None:
    try:
        expected = meant(formula, NAMES)
    except (ZeroDivisionError, OverflowError):
        assume(False)
    assume(abs(expected) < 1e6)
    line = PRINTERS[printer](formula)
    assert LineValue(line, NAMES).value() == pytest.approx(expected, rel=1e-6, abs=1e-6), line


@pytest.mark.parametrize("printer", PRINTERS)
def test_a_bracket_that_is_missing_is_found(printer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = __import__(f"symgrad.report.notation.{printer}", fromlist=["_"])
    monkeypatch.setattr(module, "factor_needs_brackets", lambda product, k: False)
    formula = m.Product((m.Symbol("a"), m.Sum((m.Symbol("b"), m.Symbol("c")))))
    line = PRINTERS[printer](formula)
    assert LineValue(line, NAMES).value() != pytest.approx(meant(formula, NAMES))
