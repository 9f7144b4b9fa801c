"""Picks entries before computing with them: fewer entries are computed, and their gradients.

    take_along_axis(z - lse, y)   ->   take_along_axis(z, y) - lse

An axis of size 1 that is dropped from the result is dropped before computing, too.
"""

from __future__ import annotations

from symgrad.expr.contraction import Contraction, contract
from symgrad.expr.dimension import Shape, same_shape
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import Reshape, Take, TakeAlong
from symgrad.expr.walk import rewrite
from symgrad.passes.form import Form


def gather_first(form: Form) -> Form:
    """Moves Take and TakeAlong below the maps that they read from, where that picks fewer."""

    def rule(rebuilt: Node, _: Node) -> Node:
        if isinstance(rebuilt, TakeAlong | Take) and isinstance(rebuilt.source, Map):
            return _moved(rebuilt, rebuilt.source)
        if isinstance(rebuilt, Reshape) and isinstance(rebuilt.operands[0], Map):
            return _squeezed(rebuilt, rebuilt.operands[0])
        return rebuilt

    return form.rewritten(rewrite(form.outputs.values(), rule))


def _moved(pick: TakeAlong | Take, source: Map) -> Node:
    if not _picks_fewer(pick, source):
        return pick
    operands = [_picked(pick, operand, source.shape) for operand in source.operands]
    if any(operand is None for operand in operands):
        return pick
    moved = Map(source.formula, *(o for o in operands if o is not None))
    return moved if same_shape(moved.shape, pick.shape) else pick


def _squeezed(squeeze: Reshape, source: Map) -> Node:
    """Axes of size 1 are dropped from what a map reads, rather than from what it gives."""
    old = source.shape
    if tuple(size for size in old if size != 1) != squeeze.shape:
        return squeeze
    if not any(isinstance(o, TakeAlong | Take | Reshape) for o in source.operands):
        return squeeze
    operands = []
    for operand in source.operands:
        kept = tuple(size for size in operand.shape if size != 1)
        if not same_shape(operand.shape, old):
            return squeeze
        dropped = isinstance(operand, Reshape) and same_shape(operand.operands[0].shape, kept)
        if isinstance(operand, Contraction) and operand.is_view:
            rows = tuple(i for a, i in enumerate(operand.output) if old[a] != 1)
            dropped = operand.indices[0] == rows
        if dropped:
            operands.append(operand.operands[0])
        else:
            operands.append(Reshape(operand, kept))
    return Map(source.formula, *operands)


def _picks_fewer(pick: TakeAlong | Take, source: Map) -> bool:
    """Whether the indices are known to be fewer than the entries they choose from."""
    if isinstance(pick, TakeAlong):
        return bool((source.shape[pick.axis] - pick.shape[pick.axis]).is_positive)
    return bool((source.size - pick.size).is_positive)


def _picked(pick: TakeAlong | Take, operand: Node, shape: Shape) -> Node | None:
    """What the map reads of `operand` at the picked places; None if that cannot be said."""
    missing = len(shape) - operand.ndim
    axis = pick.axis - missing
    if axis < 0:
        return operand if isinstance(pick, TakeAlong) else None
    if same_shape(operand.shape, shape[missing:]):
        narrow = _unspread(operand, axis)
        if narrow is not None and isinstance(pick, TakeAlong):
            return narrow
        if missing or not same_shape(operand.shape, shape):
            return None
        inner = pick.with_operands((operand, *pick.operands[1:]))
        return _moved(inner, operand) if isinstance(operand, Map) else inner
    if operand.shape[axis] == 1 and isinstance(pick, TakeAlong):
        return operand
    return None


def _unspread(operand: Node, axis: int) -> Node | None:
    """`operand` with size 1 on `axis`, if it is a broadcast along it."""
    if not isinstance(operand, Contraction) or not operand.is_view:
        return None
    (indices,) = operand.indices
    if operand.output[axis] in indices:
        return None
    sizes = {i: (1 if a == axis else operand.sizes[i]) for a, i in enumerate(operand.output)}
    return contract(operand.output, operand.terms, sizes=sizes)
