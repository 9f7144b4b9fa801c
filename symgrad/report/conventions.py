"""What explains the notation is said once on a page, beside the first equation that needs it.

    Y = X[:, 0:3]   a:b stands for the entries from a to b - 1 of an axis
    Z = X[:, 3:6]   (nothing)

What is said of one equation, as `b stands in every row`, stays beside each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from symgrad.report.notation import Math
from symgrad.report.notation.remarks import Convention
from symgrad.report.record.derivation import DerivationRecord
from symgrad.report.record.equation import Equation
from symgrad.report.record.steps import StepRecord


def on_a_page(record: DerivationRecord) -> DerivationRecord:
    """`record` with each convention where it comes first: fields are in the order of the page."""
    found = _Once()(record)
    assert isinstance(found, DerivationRecord)
    return found


def below_each_other(equations: Sequence[Equation]) -> list[Equation]:
    """`equations`, which stand together, with each convention beside the first that needs it."""
    once = _Once()
    return [once.equation(equation) for equation in equations]


class _Once:
    def __init__(self) -> None:
        self.told: set[str] = set()

    def __call__(self, part: Any) -> Any:
        if isinstance(part, tuple):
            return tuple(map(self, part))
        if isinstance(part, Math) or not is_dataclass(part) or isinstance(part, type):
            return part
        if isinstance(part, Equation):
            return self.equation(part)
        if isinstance(part, StepRecord) and part.equation is not None:
            part = replace(part, equation=_again(part.equation))
        return replace(part, **{f.name: self(getattr(part, f.name)) for f in fields(part)})

    def equation(self, equation: Equation) -> Equation:
        new = tuple(remark for remark in equation.remarks if remark not in self.told)
        self.told.update(remark for remark in new if isinstance(remark, Convention))
        return replace(equation, remarks=new, steps=tuple(map(self.equation, equation.steps)))


def _again(equation: Equation) -> Equation:
    """An equation that stands further up, where its conventions were told."""
    remarks = (remark for remark in equation.remarks if not isinstance(remark, Convention))
    return replace(equation, remarks=tuple(remarks))
