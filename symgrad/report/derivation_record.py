"""What a derivation says: a frozen record of finished strings, whatever it will look like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One equation. `number`: as in the emitted code, or "". `where`: the user's line, or ""."""

    number: str
    text: str
    shape: str
    where: str = ""


@dataclass(frozen=True)
class Change:
    """An equation before and after it was rewritten; `new`: what the second needs besides."""

    before: str
    after: str
    new: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class Row:
    """A labelled line."""

    label: str
    text: str


@dataclass(frozen=True)
class StepRecord:
    """One step of the differentiation: `title` what is done, `about` to which tensor.

    `number`: of its entries in the journal.
    """

    number: str
    title: str
    about: str
    where: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class DerivationRecord:
    """The derivation of one function of a module.

    given: inputs and parameters. definition: the user's equations. changes: what was rewritten
    before the differentiation, for accuracy. start: the equations that are differentiated. steps:
    the differentiation. rules: those that it used. values, gradients: the equations of the module
    with their numbers. results: what is returned. independent, zeros: what provably does not
    matter. costs: in closed form.
    """

    title: str
    function: str
    given: tuple[Line, ...]
    definition: tuple[Line, ...]
    changes: tuple[Change, ...]
    start: tuple[Line, ...]
    steps: tuple[StepRecord, ...]
    rules: tuple[Row, ...]
    values: tuple[Line, ...]
    gradients: tuple[Line, ...]
    results: tuple[Line, ...]
    independent: tuple[str, ...]
    zeros: tuple[str, ...]
    costs: tuple[Row, ...]
