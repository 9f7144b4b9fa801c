"""The derivation of one function, in the order in which it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symgrad.report.notation.formula import Math
from symgrad.report.record.costs import CostTable
from symgrad.report.record.definition import Drawing, Excerpt, Given
from symgrad.report.record.equation import Closed, Equation, Prose, Rewriting
from symgrad.report.record.health import HealthSection
from symgrad.report.record.steps import Explanation


@dataclass(frozen=True)
class Group:
    """Steps, equations or lines of code of one layer. `title` is "" where there is only one."""

    title: str
    anchor: str
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Result:
    """What the function returns under `key`, and the anchor of its equation."""

    key: str
    symbol: Math
    number: str
    target: str
    shape: str


@dataclass(frozen=True)
class CodeBlock:
    """Lines of the module, and the equation that they compute.

    number, anchor: of the equation; "" where there is none. target: the anchor of the equation.
    equation: as the code computes it; None where it has been shown further up in the code.
    rewritten: whether the page derived it in another form.
    """

    number: str
    anchor: str
    target: str
    equation: Equation | None
    lines: tuple[str, ...]
    rewritten: bool = False


@dataclass(frozen=True)
class DerivationRecord:
    """The derivation of one function of a module, in the order in which it is told.

    lead: what the function gives. definition, given, graph: what was defined. forward: the
    equations, numbered as in the module. rewritings: for accuracy, before anything is
    differentiated. chapters: the differentiation, step by step. simplifications: of the
    derivatives. derivatives: as they stand on paper. closed: results in one formula each. results:
    what is returned. independent, zeros: what provably does not matter. code: the module's lines.
    verification: what was checked in numbers and what failed, in one sentence. health: how
    gradients shrink or grow through the layers, if there are some.
    """

    title: str
    model: str
    function: str
    level: str
    lead: Prose
    definition: tuple[Excerpt, ...]
    given: tuple[Given, ...]
    graph: Drawing | None
    forward: tuple[Group, ...]
    rewritings: tuple[Rewriting, ...]
    chapters: tuple[Group, ...]
    simplifications: tuple[Group, ...]
    derivatives: tuple[Group, ...]
    closed: tuple[Closed, ...]
    results: tuple[Result, ...]
    independent: tuple[Prose, ...]
    zeros: tuple[Prose, ...]
    code: tuple[Group, ...]
    costs: CostTable | None
    explanations: tuple[Explanation, ...]
    verification: str = ""
    health: HealthSection | None = None
