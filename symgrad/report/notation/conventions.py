"""What the formulas take for granted: to be said once, where they begin."""

from __future__ import annotations

from symgrad.report.notation import formula as m

Convention = tuple[m.Math, str]  # a sign, and what it means

_A, _B, _X = m.Symbol("A"), m.Symbol("B"), m.Symbol("x")
CONVENTIONS: tuple[Convention, ...] = (
    (m.Indexed(_X, (m.ZERO,)), "the first entry: indices count from 0, as the code does"),
    (_X, "a vector is a column"),
    (m.Ones(m.Symbol("n")), "a column of ones: with it a sum over rows or columns is a product"),
    (
        m.Product((_A, _B), is_entrywise=True),
        "entry by entry, as are functions, fractions and sums of tensors",
    ),
    (
        m.Power(_A, m.Number("2"), is_entrywise=True),
        "the square of each entry",
    ),
    (m.Apply("diag", (_X,)), "the diagonal matrix of a vector; of a matrix, its diagonal"),
    (
        m.Between("inner", (_A, _B)),
        "the sum of the products of the entries in the same places",
    ),
    (
        m.Power(m.Between("norm", (_A,)), m.Number("2")),
        "the sum of the squares of all entries",
    ),
    (
        m.Between("iverson", (m.Relation("=", m.Symbol("i"), m.Symbol("j")),)),
        "1 where the condition holds, else 0, whatever it is multiplied by",
    ),
)
