"""The form with indices of what moves entries: slices, reshapes, gathers, windows.

What an entry is read from is an index; what is written to is a sum over the entries that arrive:
z_i = Σ_{p: 2p + 1 = i} x_p.
"""

from __future__ import annotations

import sympy

from symgrad.expr.reindex import (
    Concat,
    Embed,
    Reshape,
    ScatterAdd,
    ScatterAlong,
    Slice,
    Take,
    TakeAlong,
)  # fmt: skip
from symgrad.expr.window import Overlap, Windows
from symgrad.report.notation import formula as m
from symgrad.report.notation.build import negative, product
from symgrad.report.notation.entry import Entry, replaced
from symgrad.report.notation.index_form import WRITERS, IndexForm
from symgrad.report.notation.index_reshape import reshaped
from symgrad.report.notation.index_sums import index_product, index_sum, strided
from symgrad.report.notation.scalar import number


def _reshape(w: IndexForm, node: Reshape, at: Entry) -> m.Math:
    (x,) = node.operands
    while isinstance(x, Reshape) and w.name_of(x) is None:
        (x,) = x.operands
    return w.entry(x, reshaped(at, node.shape, x.shape, w.ranges))


def _slice(w: IndexForm, node: Slice, at: Entry) -> m.Math:
    (x,) = node.operands
    places = (
        strided(start, step, index) for index, (start, _, step) in zip(at, node.box, strict=True)
    )
    return w.entry(x, tuple(places))


def _embed(w: IndexForm, node: Embed, at: Entry) -> m.Math:
    (x,) = node.operands
    places: list[m.Math] = []
    brackets: list[m.Math] = []
    letters: list[m.Math] = []
    hits: list[m.Math] = []
    for index, size, (start, whole, step) in zip(at, x.shape, node.box, strict=True):
        if (start, step) == (0, 1) and size == whole:
            places.append(index)
        elif step == 1 and size != 1:
            if start != 0:
                brackets.append(m.Relation("<=", number(start), index))
            if start + size != whole:
                brackets.append(m.Relation("<", index, number(start + size)))
            places.append(index_sum(index, negative(number(start))))
        else:
            letter = w.fresh(size)
            letters += [] if letter == m.ZERO else [letter]
            (brackets if letter == m.ZERO else hits).append(
                m.Relation("=", strided(start, step, letter), index)
            )
            places.append(letter)
    body = product(*(m.Between("iverson", (b,)) for b in brackets), w.entry(x, tuple(places)))
    return m.Big("sum", tuple(letters), body, tuple(hits)) if letters else body


def _concat(w: IndexForm, node: Concat, at: Entry) -> m.Math:
    rows: list[tuple[m.Math, m.Math | None]] = []
    start: sympy.Expr = sympy.S.Zero
    index = at[node.axis]
    parts = [x for x in node.operands if x.shape[node.axis] != 0] or list(node.operands[:1])
    for x in parts:
        size = x.shape[node.axis]
        own = m.ZERO if size == 1 else index_sum(index, negative(number(start)))
        start = start + size
        when = m.Relation("<", index, number(start))
        rows.append((w.entry(x, replaced(at, node.axis, own)), when))
    rows[-1] = (rows[-1][0], None)
    return rows[0][0] if len(rows) == 1 else m.Cases(tuple(rows))


def _take(w: IndexForm, node: Take, at: Entry) -> m.Math:
    width = node.indices.ndim
    where = w.entry(node.indices, at[node.axis : node.axis + width])
    return w.entry(node.source, (*at[: node.axis], where, *at[node.axis + width :]))


def _take_along(w: IndexForm, node: TakeAlong, at: Entry) -> m.Math:
    return w.entry(node.source, replaced(at, node.axis, w.entry(node.indices, at)))


def _scatter_add(w: IndexForm, node: ScatterAdd, at: Entry) -> m.Math:
    letters = tuple(w.fresh(size) for size in node.indices.shape)
    hit = m.Relation("=", w.entry(node.indices, letters), at[node.axis])
    source = w.entry(node.source, (*at[: node.axis], *letters, *at[node.axis + 1 :]))
    return _summed(letters, product(m.Between("iverson", (hit,)), source))


def _scatter_along(w: IndexForm, node: ScatterAlong, at: Entry) -> m.Math:
    letter = w.fresh(node.source.shape[node.axis])
    place = replaced(at, node.axis, letter)
    hit = m.Relation("=", w.entry(node.indices, place), at[node.axis])
    body = product(m.Between("iverson", (hit,)), w.entry(node.source, place))
    return _summed((letter,), body)


def _summed(letters: Entry, body: m.Math) -> m.Math:
    counting = tuple(letter for letter in letters if letter != m.ZERO)
    return m.Big("sum", counting, body) if counting else body


def _windows(w: IndexForm, node: Windows, at: Entry) -> m.Math:
    (x,) = node.operands
    place = _window_place(node, at[node.axis], at[node.axis + 1])
    return w.entry(x, (*at[: node.axis], place, *at[node.axis + 2 :]))


def _window_place(node: Windows | Overlap, window: m.Math, offset: m.Math) -> m.Math:
    scaled = [
        m.ZERO if index == m.ZERO else index_product(number(step), index)
        for step, index in ((node.stride, window), (node.dilation, offset))
    ]
    return index_sum(*scaled)


def _overlap(w: IndexForm, node: Overlap, at: Entry) -> m.Math:
    (x,) = node.operands
    letters = (w.fresh(node.count), w.fresh(node.window))
    inner = w.entry(x, (*at[: node.axis], *letters, *at[node.axis + 1 :]))
    hit = m.Relation("=", _window_place(node, *letters), at[node.axis])
    counting = tuple(letter for letter in letters if letter != m.ZERO)
    if not counting:
        is_told = hit.left != hit.right
        return product(m.Between("iverson", (hit,)), inner) if is_told else inner
    return m.Big("sum", counting, inner, (hit,))


WRITERS |= {
    Reshape: _reshape,
    Slice: _slice,
    Embed: _embed,
    Concat: _concat,
    Take: _take,
    TakeAlong: _take_along,
    ScatterAdd: _scatter_add,
    ScatterAlong: _scatter_along,
    Windows: _windows,
    Overlap: _overlap,
}
