"""What a derivation page says, as data: formulas as notation, prose as text.

Nothing here knows what it will look like. A printer walks the record and sets every formula and
every word its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
class Closed:
    """A result in one formula of given tensors and of those of the forward pass.

    verified: what was found by computing it, and the result itself.
    """

    equation: Equation
    verified: Verified | None = None


@dataclass(frozen=True)
class Excerpt:
    """Lines of the user's file, or the text of a formula: number and text of each line."""

    file: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Given:
    """A tensor that is given. `kind`: parameter, input, ... `called`: its name in the code."""

    kind: str
    called: str
    symbol: Math
    shape: str
    dtype: str
    where: str
    values: str | None = None


@dataclass(frozen=True)
class Drawing:
    """A picture of the computation: an <svg> element, and the same in words."""

    svg: str
    alt: str


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
class Arrival:
    """What one tensor receives in a step.

    shape, expected: of the derivative, and of the tensor; `fits`: whether they are the same.
    is_part: other paths bring more to the same tensor. how: what was done to fit it.
    """

    receiver: Math
    equation: Equation
    needed: tuple[Equation, ...]
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
class Group:
    """Steps, equations or lines of code of one layer. `title` is "" where there is only one."""

    title: str
    anchor: str
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Explanation:
    """A rule family in a few words, with its source."""

    key: str
    title: str
    paragraphs: tuple[str, ...]
    source: str
    rules: tuple[tuple[str, str], ...]  # those that this derivation uses, and their formulas


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
class CostRow:
    """What an equation costs, or a pass: polynomials, and numbers at the sample sizes.

    part: "forward", "backward" or "total"; called: what it is called. flops, traffic, peak:
    None where the number says all.
    """

    number: str
    label: Math | None
    part: str
    called: str
    flops: Math | None
    traffic: Math | None
    peak: Math | None
    sample: tuple[str, ...]


@dataclass(frozen=True)
class CostRatio:
    """How many times as much a pass takes as another, at the sample sizes; "" where unknown."""

    called: str
    flops: str
    traffic: str
    peak: str


@dataclass(frozen=True)
class CostTable:
    """Costs per equation and in total. `sizes`: at which the numbers hold, "" if there are none.

    ratio: of the second part to the first, None where there is only one.
    """

    sizes: str
    rows: tuple[CostRow, ...]
    totals: tuple[CostRow, ...]
    ratio: CostRatio | None = None


@dataclass(frozen=True)
class HealthRow:
    """One layer at initialisation, as numbers in text; "?" where the analysis does not reach.

    second_moment: of its output; forward: over that of the layer before. gradient: its root mean
    square over that at the last layer; measured: the same in the code, or "". backward: what the
    layer multiplies its second moment by. weights, kept_by: the variance that weights have, and the
    one that would make `backward` 1.
    """

    layer: str
    activation: str
    second_moment: str
    forward: str
    gradient: str
    measured: str
    backward: str
    weights: str
    kept_by: str
    verdict: str


@dataclass(frozen=True)
class HealthSection:
    """How gradients shrink or grow through the layers. summary: the verdict in a sentence.

    activations: what each does to a normal variable. measured: over which draws, or "". remarks:
    of recurrences, and what the analysis left out. plot: gradients through the depth, or None.
    """

    summary: str
    rows: tuple[HealthRow, ...]
    activations: tuple[Prose, ...]
    measured: str
    remarks: tuple[str, ...]
    plot: Drawing | None


@dataclass(frozen=True)
class DerivationRecord:
    """The derivation of one function of a module, in the order in which it is told.

    lead: what the function gives. definition, given, graph: what was defined. rewritings: for
    accuracy, before anything is differentiated. forward: the equations, numbered as in the module.
    chapters: the differentiation, step by step. simplifications: of the derivatives. derivatives:
    as they stand on paper. closed: results in one formula each. results: what is returned.
    independent, zeros: what provably does not matter. code: the module's lines. verification: what
    was checked in numbers and what failed, in one sentence. health: how gradients shrink or grow
    through the layers, if there are some.
    """

    title: str
    model: str
    function: str
    level: str
    lead: Prose
    definition: tuple[Excerpt, ...]
    given: tuple[Given, ...]
    graph: Drawing | None
    rewritings: tuple[Rewriting, ...]
    forward: tuple[Group, ...]
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
