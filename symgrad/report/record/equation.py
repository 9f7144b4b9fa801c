"""Equations, what became of them, and what was found by computing them."""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.report.notation.formula import Math

Prose = tuple[str | Math, ...]  # a sentence, with formulas in it


@dataclass(frozen=True)
class Verified:
    """Both sides of a step, computed at random points: the largest relative error seen."""

    error: str
    holds: bool


@dataclass(frozen=True)
class Equation:
    """One equation, in matrix notation and with indices; None stands for a form that there is not.

    number: as in the comments of the module, or "". anchor: what links to it, or "". name: what it
    defines. remarks, ranges: what must be said beside it. where: the user's line, or "". values:
    what it gives in a worked example. is_result: whether it is returned. intro, steps:
    of a loop, how it runs and the equations of its step.
    """

    name: Math | None
    matrix: Math | None
    index: Math | None
    shape: str
    number: str = ""
    anchor: str = ""
    remarks: tuple[str, ...] = ()
    ranges: tuple[Math, ...] = ()
    where: str = ""
    values: str | None = None
    is_result: bool = False
    intro: Prose = ()
    steps: tuple[Equation, ...] = ()

    @property
    def either(self) -> Math | None:
        """The one to show where there is place for one."""
        return self.matrix if self.matrix is not None else self.index


@dataclass(frozen=True)
class Reason:
    """Why a rewriting changes no value. `name`: of the pass. text: "" if it was told before."""

    name: str
    title: str
    text: str


@dataclass(frozen=True)
class Rewriting:
    """An equation before and after it was rewritten. `needed`: what the second reads besides."""

    before: Equation
    after: Equation
    needed: tuple[Equation, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Closed:
    """A result in one formula of given tensors and of those of the forward pass.

    verified: what was found by computing it, and the result itself.
    """

    equation: Equation
    verified: Verified | None = None
