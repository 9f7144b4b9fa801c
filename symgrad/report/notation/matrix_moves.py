"""Matrix notation of what takes matrices apart and puts them together.

Z = X[:, 4:8]                 ->   Z = X[:, 4:8]
Z = concatenate([A, B], 1)    ->   Z = [A  B]
∂L/∂X of the first            ->   [0  ∂L/∂Z  0]
"""

from __future__ import annotations

import sympy

from symgrad.expr.dimension import same
from symgrad.expr.leaf import Constant
from symgrad.expr.node import Node
from symgrad.expr.reindex import Concat, Embed, Slice
from symgrad.report.notation import formula as m
from symgrad.report.notation.entry import Entry, entry_of
from symgrad.report.notation.index_sums import strided
from symgrad.report.notation.matrix_form import EVERY, FAMILIES, MatrixForm, NoMatrices
from symgrad.report.notation.remarks import EVERYWHERE
from symgrad.report.notation.scalar import number
from symgrad.report.notation.text import text
from symgrad.report.notation.written import Written


def _slice(w: MatrixForm, node: Slice, at: Entry) -> m.Math:
    """A[1:4, :]; of a batch the axes that are held are read at one place."""
    (x,) = node.operands
    box = node.box
    while isinstance(x, Slice) and w.name_of(x) is None:
        box = tuple(
            (start + step * inner, length, step * by)
            for (start, _, step), (inner, length, by) in zip(x.box, box, strict=True)
        )
        (x,) = x.operands
    held = tuple(strided(start, step, i) for (start, _, step), i in zip(box, at, strict=False))
    spans = tuple(
        _span(*axis, size)
        for axis, size in zip(box[len(at) :], x.shape[len(at) :], strict=True)
    )
    name = w.name_of(x)
    is_whole = all(span == EVERY for span in spans)
    if name is not None:
        return entry_of(name, held if is_whole else (*held, *spans))
    if is_whole:
        return w.written(x, held).counted
    if all(size == 1 for size in x.shape[len(at) :]):
        raise NoMatrices  # nothing, cut out of a number
    return entry_of(_shaped(w, x, held).math, spans)


def _span(start: sympy.Expr, length: sympy.Expr, step: int, size: sympy.Expr) -> m.Math:
    """The places of a slice on an axis of `size`; a start or stop at the very end is left out."""
    if (start, step) == (0, 1) and same(length, size):
        return EVERY
    if length == 1:
        step = 1
    stop = sympy.expand(start + step * length)
    if step == 1:
        return m.Span(number(start), number(stop))
    if step > 0:
        is_last = sympy.expand(stop - size).is_nonnegative
        ends = None if start == 0 else number(start), None if is_last else number(stop)
    else:
        if not (stop.is_negative or stop.is_nonnegative):
            raise NoMatrices  # a stop of -1 would count from the end
        ends = (
            None if same(start, size - 1) else number(start),
            None if stop.is_negative else number(stop),
        )
    return m.Span(*ends, number(step))


def _concat(w: MatrixForm, node: Concat, at: Entry) -> m.Math:
    """[A  B], or A above B; of vectors, which are columns, the one above the other."""
    parts = [x for x in node.operands if x.shape[node.axis] != 0] or list(node.operands[:1])
    return _joined([_shaped(w, x, at).counted for x in parts], node, at, node.axis)


def _embed(w: MatrixForm, node: Embed, at: Entry) -> m.Math:
    """[0  A  0] where the operand lies unbroken along one axis."""
    (x,) = node.operands
    moved = [
        axis
        for axis, (size, (start, whole, step)) in enumerate(zip(x.shape, node.box, strict=True))
        if (start, step) != (0, 1) or not same(size, whole)
    ]
    inner = _shaped(w, x, at).counted
    if not moved:
        return inner
    axis, *others = moved
    start, whole, step = node.box[axis]
    size = x.shape[axis]
    if others or not (step == 1 or size == 1) or size == 0:
        raise NoMatrices
    after = sympy.expand(whole - start - size)
    blocks = [_zeros(node, at, axis, start), inner, _zeros(node, at, axis, after)]
    widths = {"before": start, "after": after}
    kind = "columns" if axis == node.ndim - 1 and node.ndim - len(at) == 2 else "rows"
    told = [f"{text(number(n))} {kind} {place} it" for place, n in widths.items() if n != 0]
    w.remarks[f"the zeros beside {text(inner)}: {', '.join(told)}"] = None
    return _joined([b for b, n in zip(blocks, (start, size, after), strict=True) if n != 0],
                   node, at, axis)  # fmt: skip


def _zeros(node: Node, at: Entry, axis: int, count: sympy.Expr) -> m.Math:
    """Zeros of the shape that lies at `at` of a node, but for `count` places on `axis`."""
    sizes = [count if a == axis else size for a, size in enumerate(node.shape)][len(at) :]
    rows, columns = (*map(number, sizes), m.ONE)[:2]
    return m.Zeros(rows, columns)


def _joined(blocks: list[m.Math], node: Node, at: Entry, axis: int) -> m.Math:
    """Blocks one after the other along an axis of a node."""
    own = axis - len(at)
    if own < 0:
        raise NoMatrices
    if len(blocks) == 1:
        return blocks[0]
    flat: list[m.Math] = []
    for block in blocks:
        inner = block.rows if isinstance(block, m.Blocks) else ()
        if own == 1 and len(inner) == 1:
            flat += inner[0]
        elif own == 0 and inner and len(inner[0]) == 1:
            flat += (row[0] for row in inner)
        else:
            flat.append(block)
    return m.Blocks((tuple(flat),) if own == 1 else tuple((block,) for block in flat))


def _shaped(w: MatrixForm, x: Node, at: Entry) -> Written:
    """A formula that has the shape of what lies at `at` of `x`.

    Raises: NoMatrices for one that leaves it to what it meets, as a number in every entry does.
    """
    if isinstance(x, Constant) and w.name_of(x) is None and x.value == 0:
        return Written(m.Zeros(*(*map(number, x.shape[len(at) :]), m.ONE, m.ONE)[:2]))
    was_told = EVERYWHERE in w.remarks
    found = w.written(x, at)
    inner = found.math.of if isinstance(found.math, m.Negative) else found.math
    is_told = EVERYWHERE in w.remarks and not was_told
    if is_told or isinstance(inner, m.Repeated) or inner == m.ZERO:
        raise NoMatrices
    return found


FAMILIES |= {Slice: _slice, Concat: _concat, Embed: _embed}
