"""Tiles: a sum of parts put into zeros, each in a place of its own, is their concatenation.

    Embed(a, [0, 3) of 7) + Embed(b, [3, 7) of 7)   ->   Concat(a, b)

Such sums are the gradients of what was cut into slices: gates, heads, chunks.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symgrad.expr.dimension import same
from symgrad.expr.formula import slot
from symgrad.expr.map import Map
from symgrad.expr.node import Node
from symgrad.expr.reindex import Concat, Embed
from symgrad.expr.slots import slot_index
from symgrad.passes.maps import map_of


@dataclass(frozen=True)
class _Tile:
    """One term of the sum: `scale * Embed(part)`, which begins at `start` of `axis`."""

    position: int
    scale: sympy.Expr
    part: Node
    axis: int
    start: sympy.Expr

    @property
    def stop(self) -> sympy.Expr:
        return self.start + self.part.shape[self.axis]


def joined(node: Map) -> Node | None:
    """`node`, a sum, with those terms concatenated that fill an axis together; None if none do."""
    if not node.formula.is_Add:
        return None
    tiles = [tile for tile in (_tile(term, node) for term in node.formula.args) if tile]
    for axis in sorted({tile.axis for tile in tiles}):
        row = _row([tile for tile in tiles if tile.axis == axis], node.shape[axis])
        if row is None:
            continue
        parts = [
            tile.part
            if tile.scale == 1
            else map_of(tile.scale * slot(0), (tile.part,), tile.part.shape, tile.part.dtype)
            for tile in row
        ]
        whole = Concat(axis, *parts)
        gone = {tile.position for tile in row}
        rest = [term for term in node.formula.args if _position(term) not in gone]
        formula = sympy.Add(*rest, slot(len(node.operands)))
        return map_of(formula, (*node.operands, whole), node.shape, node.dtype)
    return None


def _position(term: sympy.Expr) -> int | None:
    """The slot of which `term` is a multiple."""
    return slot_index(term.as_coeff_Mul()[1])


def _tile(term: sympy.Expr, node: Map) -> _Tile | None:
    scale, factor = term.as_coeff_Mul()
    position = slot_index(factor)
    if position is None:
        return None
    embed = node.operands[position]
    if not isinstance(embed, Embed) or embed.shape != node.shape:
        return None
    (part,) = embed.operands
    apart = [
        axis
        for axis, (entry, size) in enumerate(zip(embed.box, part.shape, strict=True))
        if entry != (0, size, 1)
    ]
    if len(apart) != 1 or embed.box[apart[0]][2] != 1:
        return None
    return _Tile(position, scale, part, apart[0], embed.box[apart[0]][0])


def _row(tiles: list[_Tile], size: sympy.Expr) -> list[_Tile] | None:
    """`tiles` in order, if they fill an axis of `size` without gaps and overlaps."""
    row: list[_Tile] = []
    reached: sympy.Expr = sympy.S.Zero
    remaining = list(tiles)
    while remaining:
        following = [tile for tile in remaining if same(tile.start, reached)]
        if len(following) != 1:
            return None
        row += following
        remaining.remove(following[0])
        reached = following[0].stop
    return row if len(row) > 1 and same(reached, size) else None
