"""The equation of a tensor in both forms, with what a reader must be told beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.expr.contraction import Contraction
from symgrad.expr.linear_algebra import LinearAlgebra
from symgrad.expr.node import Node
from symgrad.report.notation import formula as m
from symgrad.report.notation import (
    index_algebra,
    index_moves,
    index_scans,
    matrix_families,
    matrix_moves,
    matrix_scans,
)  # fmt: skip  # they enter their families into the tables of the two forms
from symgrad.report.notation.entry import entry_of
from symgrad.report.notation.index_form import index_form
from symgrad.report.notation.letters import (
    NameOf,
    bases_in,
    begins_with_steps,
    free_letters,
)
from symgrad.report.notation.matrix_form import MatrixForm, NoMatrices
from symgrad.report.notation.remarks import remarks_of
from symgrad.report.notation.step_letter import step_letter
from symgrad.report.notation.text import text

BATCH_LETTERS = "btrsgcuvqp"
assert index_algebra and index_moves and index_scans
assert matrix_families and matrix_moves and matrix_scans


@dataclass(frozen=True)
class Equations:
    """An equation. matrix: in matrix notation, or None. remarks: what that form leaves unsaid.

    indices: entry by entry. ranges: of the letters in `indices`, which count from 0, how many
    values each takes. batch: the same for `matrix`, where it holds for every member of a batch.
    """

    matrix: m.Relation | None
    remarks: tuple[str, ...]
    batch: Mapping[m.Math, m.Math]
    indices: m.Relation
    ranges: Mapping[m.Math, m.Math]

    def ranges_text(self) -> str:
        """`0 ≤ i < n, 0 ≤ k < 3`."""
        return ", ".join(map(text, self.range_relations()))

    def range_relations(self) -> tuple[m.Math, ...]:
        """The ranges as formulas: `0 ≤ i < n`."""
        return tuple(
            m.Chained(("<=", "<"), (m.ZERO, letter, size)) for letter, size in self.ranges.items()
        )


def equations_of(node: Node, name_of: NameOf) -> Equations:
    """The equation of a node that `name_of` knows; operands that it does not know are written out.

    name_of: what a tensor is called, or None.
    """
    indices, ranges = index_form(node, name_of)
    taken = bases_in((indices, *ranges.values()))
    if step_letter() in ranges:  # steps are counted by the same letter in both forms
        taken.remove(step_letter().base)
    matrix, remarks, batch = _matrix_form(node, name_of, taken)
    return Equations(matrix, remarks, batch, indices, ranges)


def _matrix_form(
    node: Node, name_of: NameOf, taken: set[str]
) -> tuple[m.Relation | None, tuple[str, ...], Mapping[m.Math, m.Math]]:
    """In matrices as a whole, or else for every member of a batch: the first axes."""
    name = name_of(node)
    assert name is not None, node
    # one number for each member of a batch is a matter of products and functions of matrices
    is_number = isinstance(node, LinearAlgebra) or (isinstance(node, Contraction) and node.ndim < 2)
    most = node.ndim if is_number else max(node.ndim - 1, 0)
    for width in range(max(node.ndim - 2, 0), most + 1):
        form = MatrixForm(name_of, free_letters(taken, BATCH_LETTERS))
        is_first = begins_with_steps(node)
        at = tuple(
            form.fresh(size, is_first and axis == 0)
            for axis, size in enumerate(node.shape[:width])
        )
        batch = dict(form.ranges)
        try:
            right = form.right_side(node, at).counted
        except NoMatrices:
            continue
        remarks = [*remarks_of(right), *form.remarks]
        if batch:
            remarks.insert(0, "for every " + ", ".join(map(text, batch)))
        return m.Relation("=", entry_of(name, at), right), tuple(remarks), form.ranges
    return None, (), {}
