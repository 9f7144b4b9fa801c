"""Which names a derivation reads before it says what they are, and equations that say x = x.

A name is known once it is given, a dimension, or on the left of an equation further up; an index
is known where the left side, a range or a sum of its own equation binds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields

import sympy

import symgrad as sg
from symgrad.report.notation import Math, symbol, text
from symgrad.report.notation import formula as m
from symgrad.report.record.derivation import DerivationRecord
from symgrad.report.record.equation import Equation
from symgrad.report.record.steps import StepRecord

CONSTANTS = {m.Symbol("e", (), True), m.Symbol("pi"), m.Symbol("∞", (), True), m.Symbol("epsilon")}
TIME = m.Symbol("t")
NOT_READ = "says nothing"


@dataclass(frozen=True)
class Problem:
    """What is wrong with an equation. place: of the page. name: the one that nothing introduced."""

    place: str
    name: str
    formula: str

    def __str__(self) -> str:
        return f"{self.place}: {self.name} in {self.formula}"


def problems(record: DerivationRecord, model: sg.Model) -> list[Problem]:
    """What a reader of the page cannot know where it stands, in its order."""
    reader = _Reader(_dimensions(model) | {whole(g.symbol) for g in record.given})
    for group in record.forward:
        for equation in group.items:
            reader.equation(equation, "forward")
    for group in record.chapters:
        for step in group.items:
            reader.step(step, "step")
    for group in record.derivatives:
        for equation in group.items:
            reader.equation(equation, "derivative")
    for closed in record.closed:
        reader.equation(closed.equation, "closed")
    return reader.found


def _dimensions(model: sg.Model) -> set[Math]:
    leaves = (*model.parameters, *model.states, *model.inputs)
    sizes = [sympy.sympify(size) for leaf in leaves for size in leaf.shape]
    return {symbol(str(one)) for size in sizes for one in size.free_symbols}


@dataclass
class _Reader:
    """A reader who goes down the page. known: names that were introduced."""

    known: set[Math]
    found: list[Problem] = field(default_factory=list)

    def equation(self, equation: Equation, place: str) -> None:
        """Reads the right sides, then knows the left ones."""
        letters = {r.parts[1] for r in equation.ranges if isinstance(r, m.Chained)}
        self.loop(equation.intro, place)
        for formula in (equation.matrix, equation.index):
            if formula is not None:
                self._formula(formula, letters, place)
        for inner in equation.steps:
            self.equation(inner, f"{place}, in the loop")
        if equation.name is not None:
            self.known.add(whole(equation.name))

    def _formula(self, formula: Math, letters: set[Math], place: str) -> None:
        lefts, right = sides(formula)
        self.read(right, place, letters.union(*map(indices_of, lefts)), formula)
        if right in lefts:
            self.found.append(Problem(place, NOT_READ, text(formula)))
        self.known |= set(map(whole, lefts))

    def loop(self, intro: Iterable[str | Math], place: str) -> None:
        """How a loop runs: each state before the first step, and what is given to the steps."""
        for part in intro:
            if isinstance(part, m.Relation | m.Chained):
                self._formula(part, {TIME}, f"{place}, from")
            elif isinstance(part, Math) and part != TIME:
                self.read(part, f"{place}, from", {TIME}, part)

    def step(self, step: StepRecord, place: str) -> None:
        place = f"{place} {step.number}"
        for arriving in step.before:
            letters = {r.parts[1] for r in arriving.ranges if isinstance(r, m.Chained)}
            shown = arriving.name or arriving.either
            if shown is not None:
                self.read(shown, place, letters | {TIME}, shown)
        if step.inner is not None:
            self.loop(step.inner.about, place)
            for equation in step.inner.equations:
                self.equation(equation, place)
            for inner in step.inner.steps:
                self.step(inner, f"{place} >")
        for arrival in step.arrivals:
            for equation in (*arrival.needed, arrival.equation):
                self.equation(equation, place)

    def read(self, formula: Math, place: str, letters: set[Math], around: Math) -> None:
        for name in dict.fromkeys(names_in(formula, frozenset(letters))):
            if name not in self.known and name not in CONSTANTS:
                self.found.append(Problem(place, text(name), text(around)))


def sides(formula: Math) -> tuple[tuple[Math, ...], Math]:
    """The left sides and the right side; what is no equation is all right side."""
    if isinstance(formula, m.Relation) and formula.operator == "=":
        return (formula.left,), formula.right
    if isinstance(formula, m.Chained):
        return formula.parts[:-1], formula.parts[-1]
    return (), formula


def whole(name: Math) -> Math:
    """A name without indices, of derivatives too: dL/dh[t] is dL/dh."""
    if isinstance(name, m.Indexed | m.Transposed):
        return whole(name.of)
    if isinstance(name, m.Along):
        return m.Along(whole(name.of))
    if isinstance(name, m.Partial):
        return m.Partial(whole(name.of), whole(name.loss))
    if isinstance(name, m.SecondPartial):
        return m.SecondPartial(whole(name.of), whole(name.by), 0, whole(name.loss))
    return name


def indices_of(left: Math) -> set[Math]:
    """The letters that a left side binds."""
    bound = (i for part in m.parts_of(left) if isinstance(part, m.Indexed) for i in part.indices)
    return {part for index in bound for part in m.parts_of(index) if isinstance(part, m.Symbol)}


def names_in(formula: Math, bound: frozenset[Math]) -> Iterator[Math]:
    """The names that a formula reads: derivatives whole, without the letters that are bound."""
    if isinstance(formula, m.Big | m.Entries):
        bound |= frozenset(formula.indices)
    if isinstance(formula, m.Partial | m.SecondPartial | m.Along):
        yield whole(formula)
        read = [i for part in m.parts_of(formula) if isinstance(part, m.Indexed) for i in part.indices]
    elif isinstance(formula, m.Symbol):
        read = []
        if formula not in bound:
            yield formula
    else:
        values = (getattr(formula, each.name) for each in fields(formula))
        read = [part for value in values for part in _formulas_in(value)]
    for part in read:
        yield from names_in(part, bound)


def _formulas_in(value: object) -> Iterator[Math]:
    if isinstance(value, Math):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _formulas_in(each)
