"""Equations with explicit indices: every entry as numbers compute it.

Z = X @ W + b        ->   Z_ij = Σ_k X_ik W_kj + b_j
d_W = X.T @ d_Z      ->   ∂L/∂W_ij = Σ_k X_ki ∂L/∂Z_kj

Indices count from 0. What moves entries is written in `index_moves`, functions of matrices in
`index_algebra`, scans in `index_scans`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from symgrad.expr.contraction import Contraction
from symgrad.expr.detached import Detached
from symgrad.expr.leaf import Arange, Constant, Identity, Named, Table
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import (
    ArgMax,
    ArgMin,
    CumSum,
    LogSumExp,
    Max,
    Min,
    Prod,
    ProdOthers,
    Reduction,
)  # fmt: skip
from symgrad.expr.scan import Bound
from symgrad.expr.slots import slots_of
from symgrad.report.notation import formula as m
from symgrad.report.notation.build import product, ratio, scaled
from symgrad.report.notation.entry import Entry, entry_of, inserted, replaced
from symgrad.report.notation.letters import (
    Lettered,
    NameOf,
    bases_in,
    free_letters,
    indices_of_steps,
    numbered,
)
from symgrad.report.notation.maps import readable, without_number
from symgrad.report.notation.matrix_form import MatrixForm
from symgrad.report.notation.names import symbol
from symgrad.report.notation.remarks import HELD
from symgrad.report.notation.scalar import number, scalar_formula
from symgrad.report.notation.written import Written, of_kind

Writer = Callable[["IndexForm", Any, Entry], m.Math]
WRITERS: dict[type[Node], Writer] = {}
PLACEHOLDER = "index"


class IndexForm(Lettered):
    """Writes entries of tensors."""

    def __init__(self, name_of: NameOf, letters: Iterator[m.Math]) -> None:
        super().__init__(name_of, letters)
        self.steps: Entry = ()  # of the scans in whose steps it writes

    def entry(self, node: Node, at: Entry) -> m.Math:
        """The entry of an operand: by its name, or by its own formula where it has none."""
        name = self.name_of(node)
        return self.right_side(node, at) if name is None else entry_of(name, at)

    def right_side(self, node: Node, at: Entry) -> m.Math:
        """The formula of the entry `at` of a node."""
        for kind in type(node).__mro__:
            if kind in WRITERS:
                return WRITERS[kind](self, node, at)
        raise NotImplementedError(f"{type(node).__name__} has no form with indices")

    def whole(self, node: Node, at: Entry) -> m.Math:
        """What lies at `at` of the first axes of a tensor, in matrix notation.

        Raises: NoMatrices where there is none.
        """
        return MatrixForm(self.name_of, self.letters).written(node, at).counted

    def equation(self, node: Node, name: m.Math) -> m.Relation:
        """`name_ij = ...`."""
        free = tuple(self.fresh(size) for size in node.shape)
        return m.Relation("=", entry_of(name, free), self.right_side(node, free))


def index_form(node: Node, name_of: NameOf) -> tuple[m.Relation, dict[m.Math, m.Math]]:
    """`name_ij = ...` for a node that `name_of` knows, and the ranges of its letters."""
    name = name_of(node)
    assert name is not None, node
    draft = IndexForm(name_of, numbered(PLACEHOLDER))
    taken = bases_in((draft.equation(node, name), *draft.ranges.values()))
    writer = IndexForm(name_of, free_letters(taken))
    return writer.equation(node, name), writer.ranges


def aligned(operand: Node, at: Entry) -> Entry:
    """Where a broadcast operand is read: an axis of size 1 at its only entry."""
    own = at[len(at) - operand.ndim :]
    return tuple(m.ZERO if s == 1 else index for s, index in zip(operand.shape, own, strict=True))


def _map(writer: IndexForm, node: Map, at: Entry) -> m.Math:
    formula, softmax = readable(node, writer.name_of, with_named=False)
    used = set(slots_of(formula))
    operands = [
        of_kind(writer.entry(x, aligned(x, at)) if k in used else m.ZERO, False, x.dtype)
        for k, x in enumerate(node.operands)
    ]
    for scores, axis in softmax:
        place = aligned(scores, at)
        letter = writer.fresh(scores.shape[axis])
        weight, other = (
            m.Power(m.Symbol("e", (), True), writer.entry(scores, here))
            for here in (place, replaced(place, axis, letter))
        )
        operands.append(Written(ratio(weight, m.Big("sum", (letter,), other))))
    return scalar_formula(formula, operands).counted


def _contraction(writer: IndexForm, node: Contraction, at: Entry) -> m.Math:
    letters = dict(zip(node.output, at, strict=True))
    steps = indices_of_steps(node)
    letters |= {i: writer.fresh(node.sizes[i], i in steps) for i in node.summed}
    summed = tuple(letters[i] for i in node.summed if letters[i] != m.ZERO)
    scale, factors = node.scale, []
    for (operand, own), count in Counter(node.terms).items():
        number_of_it, x = without_number(operand, writer.name_of)
        scale *= number_of_it**count
        entry = writer.entry(x, tuple(letters[i] for i in own))
        factors.append(entry if count == 1 else m.Power(entry, m.Number(str(count))))
    body = product(*factors)
    return scaled(number(scale), m.Big("sum", summed, body) if summed else body)


def _big(operator: str) -> Writer:
    def write(writer: IndexForm, node: Reduction, at: Entry) -> m.Math:
        (x,) = node.operands
        letter = writer.fresh(x.shape[node.axis])
        if letter == m.ZERO:
            only = writer.entry(x, inserted(at, node.axis, letter))
            return m.ZERO if operator.startswith("arg") else only
        return m.Big(operator, (letter,), writer.entry(x, inserted(at, node.axis, letter)))

    return write


def _logsumexp(writer: IndexForm, node: LogSumExp, at: Entry) -> m.Math:
    (x,) = node.operands
    letter = writer.fresh(x.shape[node.axis])
    score = writer.entry(x, inserted(at, node.axis, letter))
    if letter == m.ZERO:
        return score
    return m.Apply("log", (m.Big("sum", (letter,), m.Power(m.Symbol("e", (), True), score)),))


def _running(operator: str, relation: str) -> Writer:
    def write(writer: IndexForm, node: Reduction, at: Entry) -> m.Math:
        (x,) = node.operands
        letter = writer.fresh(x.shape[node.axis])
        if letter == m.ZERO:
            return writer.entry(x, at) if operator == "sum" else m.ONE
        inner = writer.entry(x, replaced(at, node.axis, letter))
        condition = m.Relation(relation, letter, at[node.axis])
        return m.Big(operator, (letter,), inner, (condition,))

    return write


def _table(writer: IndexForm, node: Table, at: Entry) -> m.Math:
    """Written out: one list within another for each axis."""
    values = [number(value) for value in node.values]
    for size in reversed(node.shape[1:]):
        width = int(size)
        starts = range(0, len(values), width) if width else range(0)
        values = [m.Listed(tuple(values[k : k + width])) for k in starts]
    return entry_of(m.Listed(tuple(values)) if node.shape else values[0], at)


def _named(writer: IndexForm, node: Any, at: Entry) -> m.Math:
    return entry_of(symbol(node.name), at)


WRITERS |= {
    Named: _named,
    Bound: _named,
    Constant: lambda writer, node, at: number(node.value),
    Arange: lambda writer, node, at: at[0],
    Identity: lambda writer, node, at: m.Between("iverson", (m.Relation("=", *at),)),
    Table: _table,
    Map: _map,
    Detached: lambda writer, node, at: m.Apply(HELD, (writer.entry(node.operands[0], at),)),
    Contraction: _contraction,
    Max: _big("max"),
    Min: _big("min"),
    ArgMax: _big("argmax"),
    ArgMin: _big("argmin"),
    Prod: _big("product"),
    LogSumExp: _logsumexp,
    CumSum: _running("sum", "<="),
    ProdOthers: _running("product", "!="),
}
