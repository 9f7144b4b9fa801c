"""A part of a formula while it is being written: what it looks like, and how it may be combined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.report.notation import formula as m


@dataclass(frozen=True)
class Written:
    """A part of a formula; `is_tensor`: it has entries, so that products with it go entry by entry.

    `is_condition`: it holds or it does not, and counts as 1 or 0 where a number is needed.
    """

    math: m.Math
    is_tensor: bool = False
    is_condition: bool = False

    @property
    def counted(self) -> m.Math:
        """It where a number is needed: a condition in Iverson's brackets."""
        return m.Between("iverson", (self.math,)) if self.is_condition else self.math

    @property
    def truth(self) -> m.Math:
        """It where a condition is needed: a number holds if it is not 0."""
        return self.math if self.is_condition else m.Relation("!=", self.math, m.ZERO)


def of_kind(math: m.Math, is_tensor: bool, dtype: str) -> Written:
    """What is written of a tensor of that dtype: one of truth values is a condition."""
    is_condition = dtype == "bool"
    if is_condition and isinstance(math, m.Between) and math.kind == "iverson":
        math = math.parts[0]
    return Written(math, is_tensor, is_condition)


def has_entries(parts: Sequence[Written]) -> bool:
    """Whether one of them is a tensor."""
    return any(part.is_tensor for part in parts)


def raised(base: Written, exponent: m.Math) -> m.Math:
    """A power; the square of a tensor is its product with itself, entry by entry."""
    if base.is_tensor and exponent == m.Number("2") and isinstance(base.math, m.Symbol):
        return m.Product((base.counted, base.counted), is_entrywise=True)
    return m.Power(base.counted, exponent, base.is_tensor)


def e_to(x: Written) -> m.Math:
    """e to the x; of a tensor it is written as a function, since e^X is another thing."""
    if x.is_tensor or isinstance(x.math, m.Cases):
        return m.Apply("exp", (x.counted,))
    return m.Power(m.Symbol("e", (), True), x.counted)
