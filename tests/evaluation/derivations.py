"""Derivations to be checked: of graphs and models, small enough to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.calculus.forward import directional
from symgrad.calculus.journal import Journal
from symgrad.calculus.reverse import pullback
from symgrad.derivation import Derived, derive
from symgrad.expr.leaf import Cotangent, Tangent
from symgrad.expr.node import Node
from symgrad.model.model import Model
from symgrad.passes.form import Form


@dataclass(frozen=True)
class Raw:
    """A derivation that no pass has touched."""

    raw: Mapping[str, Node]
    journal: Journal

    @property
    def paper(self) -> Form:
        return Form(dict(self.raw), {}, {})

    form = paper


def of_graph(y: Node, leaves: list[Node]) -> Raw:
    """Reverse and forward mode of one tensor, in one journal."""
    journal = Journal()
    wrt = [leaf for leaf in leaves if leaf.dtype == "float"]
    slopes = pullback([(y, Cotangent("g", y.shape))], wrt, journal)
    moves = {leaf: Tangent(f"t_{k}", leaf.shape) for k, leaf in enumerate(wrt)}
    (change,) = directional([y], moves, journal)
    results = {f"slope {k}": slope for k, slope in enumerate(slopes)}
    return Raw({"value": y, "change": change} | results, journal)


def of_model(model: Model, function: str = "value_and_grad") -> Derived:
    (derived,) = derive(model, [function])
    return derived
