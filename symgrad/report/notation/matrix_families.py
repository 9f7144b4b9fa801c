"""Matrix notation of maps, reductions, labels and functions of matrices."""

from __future__ import annotations

from typing import Any

import sympy

from symgrad.expr.contraction import Contraction
from symgrad.expr.decompositions import ReciprocalGaps
from symgrad.expr.detached import Detached
from symgrad.expr.leaf import Constant, Identity, Named
from symgrad.expr.linear_algebra import LinearAlgebra
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reduction import ArgMax, ArgMin, LogSumExp, Max, Min, Prod, Reduction
from symgrad.expr.reindex import Reshape, ScatterAdd, ScatterAlong, Take, TakeAlong
from symgrad.expr.scan import Bound
from symgrad.expr.slots import slots_of
from symgrad.report.notation import formula as m
from symgrad.report.notation.algebra import algebra, remark_of
from symgrad.report.notation.broadcast import repeated, with_diagonals
from symgrad.report.notation.build import chain, product, transposed
from symgrad.report.notation.entry import Entry, entry_of
from symgrad.report.notation.maps import readable
from symgrad.report.notation.matrix_form import FAMILIES, MatrixForm, NoMatrices
from symgrad.report.notation.names import symbol
from symgrad.report.notation.remarks import BY_ROW, EVERYWHERE, HELD
from symgrad.report.notation.scalar import number, scalar_formula
from symgrad.report.notation.written import Written


def _map(w: MatrixForm, node: Map, at: Entry) -> m.Math:
    formula, softmax = readable(node, w.name_of, with_named=True)
    used = set(slots_of(formula))
    operands = [
        _operand(w, node, x, at) if k in used else Written(m.ZERO)
        for k, x in enumerate(node.operands)
    ]
    for scores, axis in softmax:
        operands.append(Written(_by_row(w, "softmax", scores, axis, at), True))
    written = scalar_formula(formula, operands)
    if not written.is_tensor and any(size != 1 for size in node.shape[len(at) :]):
        w.remarks[EVERYWHERE] = None
    return with_diagonals(written.counted)


def _operand(w: MatrixForm, node: Map, x: Node, at: Entry) -> Written:
    """An operand of a map, set beside the others as broadcasting sets it."""
    core = node.shape[len(at) :]
    own_at = _own_at(node, x, at)
    if isinstance(x, Constant) and w.name_of(x) is None:
        return Written(number(x.value))
    spread = _spread(w, x, own_at) if len(core) == 2 and w.name_of(x) is None else None
    if spread is not None:
        return spread
    written = w.written(x, own_at)
    own = x.shape[len(own_at) :]
    if all(size == 1 for size in own):
        return Written(written.math, False, written.is_condition)
    if len(core) < 2 or own == core:
        return written
    if len(own) == 1 or own[0] == 1:
        if core[0] == 1:
            standing = len(own) == 1
            return Written(transposed(written.counted) if standing else written.counted, True)
        return Written(repeated(written.counted, "row", is_row=len(own) == 2), True)
    return Written(repeated(written.counted, "column"), True)


def _own_at(node: Node, x: Node, at: Entry) -> Entry:
    """Where an operand is read if the result is read at `at`."""
    own = at[node.ndim - x.ndim :] if node.ndim - x.ndim < len(at) else ()
    return tuple(m.ZERO if s == 1 else i for s, i in zip(x.shape, own, strict=False))


def _spread(w: MatrixForm, x: Node, at: Entry) -> Written | None:
    """A vector without a name of its own that is stretched to a matrix."""
    if not isinstance(x, Contraction) or not x.is_view or len(x.output) - len(at) != 2 or at:
        return None
    kept = [i for i in x.indices[0] if x.sizes[i] != 1]
    if len(kept) != 1 or x.operands[0].ndim > 2 or any(x.sizes[i] == 1 for i in x.output):
        return None
    inner = w.written(x.operands[0]).counted
    is_row = x.operands[0].ndim == 2 and x.operands[0].shape[0] == 1
    return Written(repeated(inner, "row" if kept[0] == x.output[1] else "column", is_row), True)


def _by_row(w: MatrixForm, word: str, x: Node, axis: int, at: Entry) -> m.Math:
    """A function of each row; one of columns is one of the rows of the transpose."""
    core = x.shape[len(at) :]
    own = axis - len(at)
    if own < 0:
        raise NoMatrices
    inner = w.written(x, at).counted
    if len(core) == 1:
        return m.Apply(word, (inner,))
    if core[own] == 1 or core[1 - own] == 1:
        raise NoMatrices
    w.remarks[BY_ROW[word]] = None
    if own == 1:
        return m.Apply(word, (inner,))
    found = m.Apply(word, (transposed(inner),))
    return transposed(found) if word == "softmax" else found


WORDS = {Max: "max", Min: "min", ArgMax: "argmax", ArgMin: "argmin", Prod: "prod"}


def _reduction(w: MatrixForm, node: Reduction, at: Entry) -> m.Math:
    word = WORDS[type(node)]
    is_vector = node.operands[0].ndim - len(at) == 1
    return _by_row(w, word if is_vector else f"row{word}", node.operands[0], node.axis, at)


def _logsumexp(w: MatrixForm, node: LogSumExp, at: Entry) -> m.Math:
    return _by_row(w, "logsumexp", node.operands[0], node.axis, at)


def _reshape(w: MatrixForm, node: Reshape, at: Entry) -> m.Math:
    """Axes of size 1 put in or left out: a vector as a row or a column."""
    (x,) = node.operands
    if at or x.ndim > 2 or [s for s in x.shape if s != 1] != [s for s in node.shape if s != 1]:
        raise NoMatrices
    inner = w.written(x).counted
    return transposed(inner) if _is_row(x) != _is_row(node) else inner


def _is_row(node: Node) -> bool:
    return node.ndim == 2 and node.shape[0] == 1 and node.shape[1] != 1


def _one_hot(w: MatrixForm, indices: Node, size: sympy.Expr) -> m.Math:
    return m.OneHot(w.written(indices).counted, number(size))


def _take(w: MatrixForm, node: Take, at: Entry) -> m.Math:
    """Rows chosen by label: onehot(y) W."""
    x, indices = node.source, node.indices
    if at or node.axis != 0 or indices.ndim != 1 or indices.shape[0] == 1 or x.shape[0] == 1:
        raise NoMatrices
    return chain(_one_hot(w, indices, x.shape[0]), w.written(x).counted)


def _scatter_add(w: MatrixForm, node: ScatterAdd, at: Entry) -> m.Math:
    indices = node.indices
    if at or node.axis != 0 or indices.ndim != 1 or 1 in (indices.shape[0], node.size_on_axis):
        raise NoMatrices
    source = w.written(node.source).counted
    return chain(transposed(_one_hot(w, indices, node.size_on_axis)), source)


def _labels_by_row(node: Any, at: Entry) -> bool:
    return not at and node.ndim == 2 and node.axis == 1 and node.indices.shape[1] == 1


def _take_along(w: MatrixForm, node: TakeAlong, at: Entry) -> m.Math:
    """The entry of each row at its label: (Z ⊙ onehot(y)) 1."""
    size = node.source.shape[1] if node.source.ndim == 2 else 1
    if not _labels_by_row(node, at) or 1 in (size, node.source.shape[0]):
        raise NoMatrices
    labels = _one_hot(w, node.indices, size)
    chosen = product(w.written(node.source).counted, labels, is_entrywise=True)
    return chain(chosen, m.Ones(number(size)))


def _scatter_along(w: MatrixForm, node: ScatterAlong, at: Entry) -> m.Math:
    """onehot(y), each row times its number."""
    if not _labels_by_row(node, at) or 1 in node.shape:
        raise NoMatrices
    labels = _one_hot(w, node.indices, node.size_on_axis)
    if isinstance(node.source, Constant) and w.name_of(node.source) is None:
        return product(number(node.source.value), labels)
    return chain(m.Apply("diag", (w.written(node.source).counted,)), labels)


def _algebra(w: MatrixForm, node: LinearAlgebra, at: Entry) -> m.Math:
    parts = []
    for operand, core in zip(node.operands, node.cores, strict=True):
        batch = operand.ndim - core
        places = at[len(at) - batch :] if batch else ()
        if len(places) != batch:
            raise NoMatrices
        sizes = operand.shape[:batch]
        parts.append(
            w.written(
                operand,
                tuple(m.ZERO if s == 1 else i for s, i in zip(sizes, places, strict=True)),
            ).counted
        )
    found = None if isinstance(node, ReciprocalGaps) else algebra(node, parts)
    if found is None:
        raise NoMatrices
    remark = remark_of(node)
    w.remarks |= {} if remark is None else {remark: None}
    return found


def _constant(w: MatrixForm, node: Constant, at: Entry) -> m.Math:
    """A number in every entry is a multiple of ones."""
    core = node.shape[len(at) :]
    ones = [m.Ones(number(size)) for size in core]
    if all(size == 1 for size in core) or node.value == 0:
        return number(node.value)
    if len(core) == 1 or core[1] == 1:
        return product(number(node.value), ones[0])
    whole = transposed(ones[1]) if core[0] == 1 else chain(ones[0], transposed(ones[1]))
    return product(number(node.value), whole)


def _named(w: MatrixForm, node: Any, at: Entry) -> m.Math:
    return entry_of(symbol(node.name), at)


FAMILIES |= {
    Named: _named,
    Bound: _named,
    Constant: _constant,
    Identity: lambda w, node, at: m.Unit(number(node.shape[0])),
    Map: _map,
    Detached: lambda w, node, at: m.Apply(HELD, (w.written(node.operands[0], at).counted,)),
    LogSumExp: _logsumexp,
    Reshape: _reshape,
    Take: _take,
    TakeAlong: _take_along,
    ScatterAdd: _scatter_add,
    ScatterAlong: _scatter_along,
    LinearAlgebra: _algebra,
}
for _kind in WORDS:
    FAMILIES[_kind] = _reduction
