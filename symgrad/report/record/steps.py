"""The steps of a differentiation, why each may be taken, and the rules in a few words."""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.report.notation.formula import Math
from symgrad.report.record.equation import Equation, Prose, Verified


@dataclass(frozen=True)
class Arrival:
    """What one tensor receives in a step.

    shape, expected: of the derivative, and of the tensor; `fits`: whether they are the same.
    is_part: other paths bring more to the same tensor. how: what was done to fit it.
    """

    receiver: Math
    needed: tuple[Equation, ...]
    equation: Equation
    shape: str
    expected: str
    fits: bool
    is_part: bool = False
    how: str = ""


@dataclass(frozen=True)
class Cause:
    """Why a rule applies, in one sentence; `family`: the key of its explanation."""

    family: str
    title: str
    rule: str
    formula: str
    sentence: Prose


@dataclass(frozen=True)
class StepRecord:
    """One step of the differentiation.

    number: of its entries in the journal. anchor: what links to it. verb, about: what is done, and
    to which tensor. equation: of the forward pass, through which it goes. before: the derivative
    that arrives. inner: the derivation of the step of a scan.
    verified: what was found by computing both sides.
    """

    number: str
    anchor: str
    verb: str
    about: Math
    equation: Equation | None
    causes: tuple[Cause, ...]
    before: tuple[Equation, ...]
    arrivals: tuple[Arrival, ...]
    where: str
    inner: Inner | None = None
    verified: Verified | None = None


@dataclass(frozen=True)
class Inner:
    """The step of a scan: what it is given, its equations, and its own derivation."""

    about: Prose
    equations: tuple[Equation, ...]
    steps: tuple[StepRecord, ...]


@dataclass(frozen=True)
class Explanation:
    """A rule family in a few words, with its source."""

    key: str
    title: str
    paragraphs: tuple[str, ...]
    source: str
    rules: tuple[tuple[str, str], ...]  # those that this derivation uses, and their formulas
