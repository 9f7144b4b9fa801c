"""Mathematics as data: one small language of formulas, and printers for it.

How to use it:

    >>> import symgrad as sg
    >>> from symgrad.report.notation import equations_of, latex, mathml, symbol, text
    >>> x, w = sg.input("X", (sg.dim("n"), 3)), sg.parameter("W", (3, 2))
    >>> b = sg.parameter("b", (2,))
    >>> z = x @ w + b
    >>> names = {x: symbol("X"), w: symbol("W"), b: symbol("b"), z: symbol("Z")}
    >>> found = equations_of(z, names.get)
    >>> text(found.matrix), found.remarks
    ('Z = X W + b', ('b stands in every row',))
    >>> text(found.indices), found.ranges_text()
    ('Z[i, j] = Σ_k X[i, k] W[k, j] + b[j]', '0 ≤ i < n, 0 ≤ j < 2, 0 ≤ k < 3')

`name_of(node)` gives what a tensor is called (`symbol("W_hh")`, `Partial(symbol("W"))` for the
derivative of the loss by W, `Along(symbol("W"))` for its change along a direction), or None for
one that is to be written inside its reader. Every formula is a `formula.Math`; a page chooses its
printer: `latex` (for math mode, amsmath), `mathml(formula, is_display)` (a whole `<math>` element
with its LaTeX as annotation), `text` (one line of Unicode). All three escape the user's text.

A vector is a column. Indices count from 0, as the code does: `CONVENTIONS` lists what a page says
once. `equations_of(...).matrix` is None where there is no matrix form; `.batch` are the indices of
a batch in it, with how many values each takes. `range_relations()` gives the ranges as formulas.
`step_equations` gives the equations of one step of a scan, `steps_remark` which steps there are;
what a step carries is called h_t after step t, which `name_of` of the bound state names.
"""

from symgrad.report.notation.conventions import CONVENTIONS
from symgrad.report.notation.equations import Equations, equations_of
from symgrad.report.notation.formula import Along, Math, Partial, Relation, Symbol, Words
from symgrad.report.notation.latex import latex
from symgrad.report.notation.mathml import mathml
from symgrad.report.notation.names import derivative, symbol
from symgrad.report.notation.recurrence import step_equations, steps_remark
from symgrad.report.notation.scalar import number
from symgrad.report.notation.text import text

__all__ = [
    "CONVENTIONS",
    "Along",
    "Equations",
    "Math",
    "Partial",
    "Relation",
    "Symbol",
    "Words",
    "derivative",
    "equations_of",
    "latex",
    "mathml",
    "number",
    "step_equations",
    "steps_remark",
    "symbol",
    "text",
]  # fmt: skip
