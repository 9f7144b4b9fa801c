"""Where the boxes of a graph stand: in rows from the inputs down, with few crossings.

igraph orders each row (Sugiyama's method); it needs no program beside Python. Places in a row are
then settled between those of the rows around it. An arrow that passes
rows has a point in each of them, so that it leads around the boxes there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from symgrad.drawing.boxes import Arrow, Graph
from symgrad.drawing.extras import library

POINT = 12.0  # half the width that an arrow takes in a row that it passes
GAP = 22.0  # between neighbours in a row
SWEEPS = 12  # down and up, until places hardly change


@dataclass(frozen=True)
class Placed:
    """centres: the x of each box. rows: the row of each. ways: the x of each arrow in each row."""

    centres: tuple[float, ...]
    rows: tuple[int, ...]
    ways: Mapping[Arrow, tuple[float, ...]]
    width: float


def placed(graph: Graph, half_widths: Sequence[float]) -> Placed:
    """Places of boxes of these widths. Raises: UnsupportedError if igraph is not installed."""
    igraph = library("igraph")
    rows = _rows(graph)
    all_rows = list(rows)
    edges: list[tuple[int, int]] = []
    passed: dict[Arrow, list[int]] = {}
    for arrow in graph.arrows:
        chain = [arrow.tail]
        for row in range(rows[arrow.tail] + 1, rows[arrow.head]):
            chain.append(len(all_rows))
            all_rows.append(row)
        chain.append(arrow.head)
        edges += pairwise(chain)
        passed[arrow] = chain
    drawn = igraph.Graph(n=len(all_rows), edges=edges, directed=True)
    found = drawn.layout_sugiyama(layers=all_rows, hgap=1, vgap=1).coords[: len(all_rows)]
    halves = list(half_widths) + [POINT] * (len(all_rows) - len(rows))
    xs = _settled([x for x, _ in found], all_rows, halves, edges)
    ways = {arrow: tuple(xs[i] for i in chain) for arrow, chain in passed.items()}
    width = max((x + h for x, h in zip(xs, halves, strict=True)), default=0.0)
    return Placed(tuple(xs[: len(rows)]), tuple(rows), ways, width)


def _rows(graph: Graph) -> list[int]:
    """Each box below what it is computed from; inputs right above their first use."""
    rows = [0] * len(graph.boxes)
    for arrow in sorted(graph.arrows, key=lambda a: a.head):
        rows[arrow.head] = max(rows[arrow.head], rows[arrow.tail] + 1)
    fed = {arrow.head for arrow in graph.arrows}
    first_use: dict[int, int] = {}
    for arrow in graph.arrows:
        if arrow.tail not in fed:
            used = rows[arrow.head]
            first_use[arrow.tail] = min(first_use.get(arrow.tail, used), used)
    for i, row in first_use.items():
        rows[i] = row - 1
    return rows


def _settled(
    order: Sequence[float],
    rows: Sequence[int],
    halves: Sequence[float],
    edges: Sequence[tuple[int, int]],
) -> list[float]:
    """Positions: each near the middle of its neighbours above and below, none on another.

    `order`: places whose order within a row is kept.
    """
    in_row: dict[int, list[int]] = {}
    for i in sorted(range(len(order)), key=lambda i: (order[i], i)):
        in_row.setdefault(rows[i], []).append(i)
    above: dict[int, list[int]] = {i: [] for i in range(len(order))}
    below: dict[int, list[int]] = {i: [] for i in range(len(order))}
    for tail, head in edges:
        above[head].append(tail)
        below[tail].append(head)
    at = [0.0] * len(order)
    for members in in_row.values():
        for i, x in zip(members, _apart([0.0] * len(members), members, halves), strict=True):
            at[i] = x
    for sweep in range(SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for row in sorted(in_row, reverse=sweep % 2 == 1):
            members = in_row[row]
            wishes = [
                sum(at[k] for k in neighbours[i]) / len(neighbours[i]) if neighbours[i] else at[i]
                for i in members
            ]
            for i, x in zip(members, _apart(wishes, members, halves), strict=True):
                at[i] = x
    left = min((x - halves[i] for i, x in enumerate(at)), default=0.0)
    right = max((x + halves[i] for i, x in enumerate(at)), default=0.0)
    first = [at[i] for i in in_row.get(0, ())]
    if first and sum(first) / len(first) > (left + right) / 2:
        # a reader of a narrow page sees the left first: the beginning stands there
        return [right - x for x in at]
    return [x - left for x in at]


def _apart(wishes: Sequence[float], members: Sequence[int], halves: Sequence[float]) -> list[float]:
    """The positions nearest to `wishes` that keep the order and the gaps (isotonic regression)."""
    offsets = [0.0]
    for left, right in pairwise(members):
        offsets.append(offsets[-1] + halves[left] + GAP + halves[right])
    blocks: list[list[float]] = []  # [sum, count] of wishes that share a shift
    for wish, offset in zip(wishes, offsets, strict=True):
        blocks.append([wish - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    shifts = [total / count for total, count in blocks for _ in range(int(count))]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]
