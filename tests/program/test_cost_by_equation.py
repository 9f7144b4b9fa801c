"""Costs of equations add up to those of the call, and its peak is that of one of its parts."""

from __future__ import annotations

import pytest
import sympy

import symgrad as sg
from symgrad.expr.walk import postorder
from symgrad.program.cost import cost
from symgrad.program.cost_bounds import ITEM
from symgrad.program.cost_by_equation import spending
from tests.report.test_derivation import recurrent_model, small_model, softmax_regression


def numbers(expression: sympy.Expr) -> int:
    symbols = expression.free_symbols
    return int(expression.subs({s: 8 if s == ITEM else 64 for s in symbols}))


@pytest.mark.parametrize("model", [small_model, softmax_regression, recurrent_model])
def test_equations_and_parts_add_up(model: object) -> None:
    compiled = sg.compile(model())  # type: ignore[operator]
    position = [d.name for d in compiled.derived].index("value_and_grad")
    plan, equations = compiled.plans[position], compiled.equations[position]
    loss = compiled.derived[position].form.outputs["loss"]
    spent = spending(plan, equations.owner, set(postorder([loss])))
    total = cost(plan)
    for kind in ("flops", "traffic"):
        whole = sympy.expand(getattr(total, kind))
        assert sympy.expand(sum(getattr(c, kind) for c in spent.equations.values()) - whole) == 0
        parts = getattr(spent.forward, kind) + getattr(spent.backward, kind)
        assert sympy.expand(parts - whole) == 0
    peaks = [numbers(part.peak) for part in (spent.forward, spent.backward, total)]
    assert max(peaks[:2]) == peaks[2]
    assert max(numbers(c.peak) for c in spent.equations.values()) <= peaks[2]
