"""No node falls through to the name of its class: each family has its form with indices."""

from __future__ import annotations

import pytest
from catalogue import CASES

from symgrad.expr.leaf import Leaf
from symgrad.expr.linear_algebra import LinearAlgebra
from symgrad.expr.node import Node
from symgrad.expr.reduction import Cumulative
from symgrad.expr.reindex import Indexed
from symgrad.expr.scan import Bundle, Scan
from symgrad.expr.window import Windowed
from symgrad.report.notation import equations_of, symbol, text
from symgrad.report.notation.algebra import ALGEBRA
from symgrad.report.notation.index_form import WRITERS

WITHOUT_VALUE = {Scan, Bundle}
FAMILIES = {Leaf, Indexed, Windowed, Cumulative, LinearAlgebra}


def _classes(base: type[Node]) -> set[type[Node]]:
    below = {c for c in base.__subclasses__() if c.__module__.startswith("symgrad.")}
    return below.union(*map(_classes, below)) if below else set()


CONCRETE = sorted(
    (c for c in _classes(Node) if not c.__subclasses__() and c not in WITHOUT_VALUE),
    key=lambda c: c.__name__,
)


@pytest.mark.parametrize("kind", CONCRETE, ids=lambda c: c.__name__)
def test_a_class_has_a_writer(kind: type[Node]) -> None:
    assert any(base in WRITERS for base in kind.__mro__)
    if issubclass(kind, LinearAlgebra):
        assert kind in ALGEBRA


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_class_name_is_written(case: object) -> None:
    root = case.build(*case.leaves())
    names = {root: symbol("Z")}
    found = equations_of(root, names.get)
    words = {c.__name__ for c in _classes(Node)} - {"Map"}
    for written in filter(None, (found.matrix, found.indices)):
        assert not words & set(text(written).replace("(", " ").split())
