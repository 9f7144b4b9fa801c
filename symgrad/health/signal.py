"""Signals: what is known of each tensor's law when parameters are drawn and inputs are normal.

A `Source` is a tensor whose entries have a law: an input, the output of a linear layer (normal,
as a sum of many products), a sum of independent sources, a parameter, or a tensor that the
analysis does not reach into. Every tensor between sources is a scalar formula of them: slot i
stands for an entry of source i.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import sympy
from sympy import Expr, S

from symgrad.errors import UnsupportedError
from symgrad.expr.adoption import adopt
from symgrad.expr.formula import partial
from symgrad.expr.node import Node
from symgrad.expr.slots import replace_slots, slot, slots_of
from symgrad.health.moments import expected, shifted

Kind = Literal["input", "parameter", "draw", "linear", "sum", "unknown"]

MOST_DIGITS = 60  # of an exact fraction, before it becomes a float


class UnknownError(Exception):
    """Why the analysis does not reach a tensor, in a sentence for the reader."""


@dataclass(eq=False)
class Source:
    """A tensor with a law. `roots`: the sources that it is not independent of."""

    index: int
    node: Node
    kind: Kind
    mean: Expr
    variance: Expr
    is_normal: bool
    roots: frozenset[int] = field(default_factory=frozenset)
    reason: str | None = None

    @property
    def slot(self) -> sympy.Symbol:
        return slot(self.index)

    @property
    def second_moment(self) -> Expr:
        return settled(self.variance + self.mean**2)


class Sources:
    """All sources of a model, and the expectations of formulas over them."""

    def __init__(self) -> None:
        self.all: list[Source] = []
        self.hidden: set[sympy.Symbol] = set()  # moments that are not known

    def add(
        self,
        node: Node,
        kind: Kind,
        mean: Expr = S.Zero,
        variance: Expr = S.One,
        is_normal: bool = False,
        within: Iterable[Source] = (),
        reason: str | None = None,
    ) -> Source:
        """A new source; `within`: those that it is a function of without weights in between."""
        index = len(self.all)
        roots = frozenset({index}).union(*(source.roots for source in within))
        made = Source(index, node, kind, settled(mean), settled(variance), is_normal, roots, reason)
        self.all.append(made)
        return made

    def unknown(self, node: Node, reason: str, within: Iterable[Source]) -> Source:
        """A source of which only is known that it has a law; its moments are symbols."""
        k = len(self.all)
        mean = sympy.Symbol(f"m{k}", real=True)
        variance = sympy.Symbol(f"v{k}", positive=True)
        self.hidden |= {mean, variance}
        return self.add(node, "unknown", mean, variance, within=within, reason=reason)

    def of(self, formula: Expr) -> list[Source]:
        """The sources in a formula."""
        return [self.all[i] for i in slots_of(formula)]

    def moments(self, formula: Expr) -> tuple[Expr, Expr]:
        """E[h] and E[h^2]. Raises: UnknownError."""
        sources = self.of(formula)
        self.check_independent(sources)
        lines = self.as_line(formula)
        if lines is not None:
            constant, slopes = lines
            mean = constant + sum(c * s.mean for s, c in slopes.items())
            spread = sympy.Add(*(c**2 * s.variance for s, c in slopes.items()))
            return settled(mean), settled(spread + mean**2)
        if len(sources) == 1:
            return self._of_normal(formula, sources[0])
        mean = square = S.One
        for part in self._factors(formula):
            first, second = self.moments(part) if slots_of(part) else (part, part**2)
            mean, square = mean * first, square * second
        return settled(mean), settled(square)

    def slope_square(self, formula: Expr, source: Source) -> Expr:
        """E[(dh/dsource)^2]. Raises: UnknownError."""
        return self.moments(partial(formula, source.index))[1]

    def as_line(self, formula: Expr) -> tuple[Expr, dict[Source, Expr]] | None:
        """Constant and coefficients of a formula that is linear in its sources."""
        sources = {s.slot: s for s in self.of(formula)}
        constant, slopes = S.Zero, dict.fromkeys(sources.values(), S.Zero)
        for term in sympy.Add.make_args(sympy.expand(formula)):
            symbols = [x for x in sympy.Mul.make_args(term) if x in sources]
            factor = term if not symbols else term / symbols[0]
            if len(symbols) > 1 or slots_of(factor):
                return None
            if symbols:
                slopes[sources[symbols[0]]] += factor
            else:
                constant += factor
        return constant, slopes

    def _of_normal(self, formula: Expr, source: Source) -> tuple[Expr, Expr]:
        if not source.is_normal:
            raise UnknownError(source.reason or "it acts on what is not normally distributed")
        if source.mean.free_symbols:
            raise UnknownError("the mean of what it acts on is not known")
        plain = shifted(replace_slots(formula, {source.index: slot(0)}), source.mean)
        try:
            return expected(plain).at(source.variance), expected(plain**2).at(source.variance)
        except ValueError:
            raise UnknownError(
                "its closed form is not known and the size of what it acts on has no number"
            ) from None

    def _factors(self, formula: Expr) -> list[Expr]:
        """The formula as a product of formulas that share no source. Raises: UnknownError."""
        groups: list[tuple[set[int], Expr]] = []
        for factor in sympy.Mul.make_args(sympy.factor_terms(formula)):
            mine, product = set(slots_of(factor)), factor
            for other in [g for g in groups if g[0] & mine]:
                groups.remove(other)
                mine, product = mine | other[0], product * other[1]
            groups.append((mine, product))
        if any(len(mine) > 1 for mine, _ in groups):
            raise UnknownError("it mixes several signals in one formula")
        return [product for _, product in groups]

    def check_independent(self, sources: list[Source]) -> None:
        """Raises: UnknownError if two of the sources come from one."""
        seen: set[int] = set()
        for source in sources:
            if seen & source.roots:
                raise UnknownError("it joins signals that are not independent")
            seen |= source.roots


def composed(formula: Expr, operands: list[Expr]) -> Expr:
    """A map's formula over what its operands are. Raises: UnknownError."""
    try:
        return adopt(replace_slots(formula, dict(enumerate(operands))))
    except UnsupportedError as error:
        raise UnknownError(error.what) from None


def settled(value: Expr) -> Expr:
    """A number as a short exact fraction or a float; an expression with symbols as it is."""
    value = sympy.sympify(value)
    if value.free_symbols:
        return sympy.factor_terms(value)
    if value.is_Rational and len(str(value)) <= MOST_DIGITS:
        return value
    return sympy.Float(value, 17)
